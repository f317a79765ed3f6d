"""Heads that read a pretrained encoder."""

import torch
from torch import Tensor, nn

from xlm_core.model.cpu_kernels import Dropout
from xlm_core.model.transformer import EncoderInput, Transformer


class ClassificationHead(nn.Module):
    """Dropout and a linear layer on the state of the first token, which stands for the whole input (section 5.1)."""

    def __init__(self, dim: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.classes = nn.Linear(dim, n_classes)

    def forward(self, first: Tensor) -> Tensor:
        """Scores (B, n_classes), before the softmax, from first states (B, D)."""
        scores: Tensor = self.classes(self.dropout(first))
        return scores


class Classifier(nn.Module):
    """An encoder and its head, trained and saved together."""

    def __init__(self, encoder: Transformer, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = ClassificationHead(encoder.config.dim, n_classes, dropout)

    def forward(self, batch: EncoderInput) -> Tensor:
        """Scores (B, n_classes), before the softmax."""
        scores: Tensor = self.head(self.encoder(batch, output_positions=_first_places(batch.tokens)))
        return scores


def _first_places(tokens: Tensor) -> Tensor:
    """Where the rows of ``tokens`` (B, T) begin, counted row after row: (B,)."""
    n_rows, n_tokens = tokens.shape
    return torch.arange(0, n_rows * n_tokens, n_tokens, device=tokens.device)
