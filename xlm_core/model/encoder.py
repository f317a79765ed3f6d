"""What fine-tuning, retrieval and embedding call of an encoder, whatever its architecture.

Shapes: B rows, T tokens, D dimensions.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from xlm_core.config import ModelConfig, to_dict
from xlm_core.data.batch import EncoderInput


class Encoder(nn.Module, ABC):
    """An encoder of a shape (``config``), with a vocabulary, that was trained on some languages."""

    config: ModelConfig
    vocab_size: int
    n_languages: int

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    @property
    def description(self) -> dict[str, Any]:
        """What the file of the model says of it, so that it can be built again: plain data."""
        return {"model": to_dict(self.config), "n_tokens": self.vocab_size, "n_languages": self.n_languages}

    @abstractmethod
    def forward(self, batch: EncoderInput, causal: bool = False, output_positions: Tensor | None = None) -> Tensor:
        """Compute the last layer's states: (B, T, D), zero on padding; or (n, D) at some positions (n,)."""

    @abstractmethod
    def states(self, batch: EncoderInput, causal: bool = False) -> Iterator[Tensor]:
        """Yield the states after the embeddings, then after each layer: (B, T, D), zero on padding."""

    @abstractmethod
    def pool(self, first: Tensor) -> Tensor:
        """Map first states (B, D) to what a classification head reads (B, D)."""

    @abstractmethod
    def freeze(self, n_layers: int) -> None:
        """Leave the embeddings and the first ``n_layers`` layers out of training: they get no gradients."""

    @abstractmethod
    def average_language_embeddings(self) -> None:
        """Give all languages the mean of their embeddings, if it has any, so that none is told from another."""


def padding_of(batch: EncoderInput) -> Tensor:
    """Make a mask (B, T) bool, true on padding."""
    return torch.arange(batch.tokens.shape[1], device=batch.tokens.device) >= batch.lengths[:, None]
