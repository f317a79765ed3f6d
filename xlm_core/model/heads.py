"""Heads of an encoder: prediction of tokens (section 3.2 of the paper), and classification (section 5.1).

Shapes: B rows, T tokens, D dimensions, V tokens in the vocabulary, n predictions.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.data.batch import EncoderInput
from xlm_core.model.cpu_kernels import Dropout
from xlm_core.model.encoder import Encoder

MAX_SCORES = 1 << 26  # scores (n, V) held at once: a quarter of a gigabyte in float32
# Device -> the multiples of tokens and of predictions at once that its tensor cores need. Other vocabularies are padded
# within the product; a padded token has the score minus infinity. A CPU needs no padding.
ALIGNMENT = {"cuda": (8, 128)}


def predict_tokens(
    hidden: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Sum the negative log-likelihoods () of ``labels``, and count how many () are the most likely token.

    The gradient is computed in the same pass, as many predictions at once as ``MAX_SCORES`` allows. So memory grows
    neither with n nor with V, and nothing is computed twice. Products are made in the precision of autocast, losses
    and sums in float32.

    Args:
        hidden: (n, D) states.
        weight: (V, D) embeddings of the vocabulary.
        bias: (V,)
        labels: (n,) int64.
        smoothing: share of each label that is spread evenly over the vocabulary (Szegedy et al. 2016).

    Returns:
        The loss, label smoothing included; and the number of right guesses, which is zero if gradients are computed,
        because training does not use it.
    """
    kind = hidden.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
    wants_gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (hidden, weight, bias))
    loss: Tensor
    n_correct: Tensor
    loss, n_correct = _Prediction.apply(hidden, weight, bias, labels, smoothing, dtype, wants_gradient)  # type: ignore[no-untyped-call]  # PyTorch has no types here
    return loss, n_correct


class _Prediction(torch.autograd.Function):
    """``predict_tokens`` with its backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        smoothing: float,
        dtype: torch.dtype,
        wants_gradient: bool,
    ) -> tuple[Tensor, Tensor]:
        n_tokens = len(weight)
        n_padding, size = _padding_and_rows(n_tokens, hidden.device)
        low, padded_bias = _pad_rows(weight.to(dtype), n_padding, 0), _pad_rows(bias, n_padding, -torch.inf)
        nats, correct = bias.new_zeros(()), labels.new_zeros(())
        empty = weight.new_empty(0)
        to_weight, to_bias = (torch.zeros_like(weight), torch.zeros_like(bias)) if wants_gradient else (empty, empty)
        to_hidden = []
        for states, wanted in zip(torch.split(hidden.to(dtype), size), torch.split(labels[:, None], size), strict=True):
            scores = functional.log_softmax(_add_bias(states @ low.T, padded_bias), dim=-1)  # (n, V)
            nats -= (1 - smoothing) * scores.gather(1, wanted).sum()
            if smoothing:
                nats -= smoothing * scores[:, :n_tokens].mean(dim=1).sum()
            if not wants_gradient:
                correct += (scores.argmax(dim=-1, keepdim=True) == wanted).sum()
                continue
            to_scores = scores.exp_().sub_(smoothing / n_tokens) if smoothing else scores.exp_()
            to_scores.scatter_add_(1, wanted, torch.full_like(wanted, smoothing - 1, dtype=scores.dtype))
            to_bias += to_scores.sum(dim=0)[:n_tokens]
            to_scores = to_scores.to(dtype)
            to_weight += (to_scores.T @ states)[:n_tokens]
            to_hidden.append(to_scores @ low)
            del scores, to_scores  # before the next ones are made
        if wants_gradient:
            ctx.save_for_backward(torch.cat(to_hidden).to(hidden.dtype) if to_hidden else hidden, to_weight, to_bias)
        ctx.mark_non_differentiable(correct)
        return nats, correct

    @staticmethod
    def backward(ctx: Any, to_nats: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        return *(to_nats.to(gradient.dtype) * gradient for gradient in ctx.saved_tensors), None, None, None, None


def _padding_and_rows(n_tokens: int, device: torch.device) -> tuple[int, int]:
    """Return how many tokens are to be added to ``n_tokens``, and how many predictions are made at once."""
    of_tokens, of_rows = ALIGNMENT.get(device.type, (1, 1))
    n_padding = -n_tokens % of_tokens
    rows = max(1, MAX_SCORES // (n_tokens + n_padding))
    return n_padding, rows if rows < of_rows else rows - rows % of_rows


def _pad_rows(tensor: Tensor, n: int, value: float) -> Tensor:
    """Append ``n`` rows of ``value`` to ``tensor``."""
    return functional.pad(tensor, (0,) * (2 * tensor.dim() - 1) + (n,), value=value) if n else tensor


def _add_bias(product: Tensor, bias: Tensor) -> Tensor:
    """Add ``bias`` (V,) in its own precision to a product (n, V), which is not kept.

    A GPU converts while it adds. A CPU would convert first, and then hold both.
    """
    if product.dtype == bias.dtype or product.device.type == "cpu":
        return product.to(bias.dtype).add_(bias)
    return product + bias


class ClassificationHead(nn.Module):
    """Dropout and a linear layer on the pooled state of the first token, which stands for the whole input."""

    def __init__(self, dim: int, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.classes = nn.Linear(dim, n_classes)

    def forward(self, first: Tensor) -> Tensor:
        """Compute scores (B, n_classes), before the softmax, from first states (B, D)."""
        scores: Tensor = self.classes(self.dropout(first))
        return scores


class Classifier(nn.Module):
    """An encoder and its head, trained and saved together."""

    def __init__(self, encoder: Encoder, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = ClassificationHead(encoder.config.dim, n_classes, dropout)

    def forward(self, batch: EncoderInput) -> Tensor:
        """Compute scores (B, n_classes), before the softmax."""
        first = torch.arange(0, batch.tokens.numel(), batch.tokens.shape[1], device=batch.tokens.device)
        scores: Tensor = self.head(self.encoder.pool(self.encoder(batch, output_positions=first)))
        return scores
