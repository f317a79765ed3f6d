"""Attention and dropout for training on a CPU, written by hand because PyTorch's are slower there.

Measured (docs/performance.md, "Updates per second"): with them an update is 1.5 to 2.8 times as fast as an update of
transformers. PyTorch's attention is slow on a CPU in training with dropout, and in bfloat16; its Bernoulli draw was
the most expensive part of a small model. Elsewhere PyTorch's own operations are used.

Shapes: B rows, T tokens, S tokens of the source (T in self-attention), H heads, K dimensions per head.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CACHE_BYTES = 1 << 21  # of attention weights at a time: a few such slices fit into the cache of a core or two
INTEGERS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float64: torch.int64}  # of the same width


class Dropout(nn.Dropout):
    """Apply ``dropout`` in training, nothing in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` of any shape to the same shape."""
        return dropout(x, self.p) if self.training else x


def dropout(x: Tensor, p: float) -> Tensor:
    """Set a random share ``p`` of the values of ``x``, of any shape, to zero and scale the others up.

    On a CPU one random byte decides about each value, which is many times faster than PyTorch's Bernoulli draw
    and rounds ``p`` to the nearest 1/256; the scale is that of the rounded share, so the mean is exact.
    """
    if p == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():  # the compiler cannot see through a view of bytes
        return functional.dropout(x, p)
    dropped: Tensor = _CpuDropout.apply(x, p)  # type: ignore[no-untyped-call]  # PyTorch has no types here
    return dropped


def is_faster_on_cpu(queries: Tensor, p: float) -> bool:
    """Tell whether ``cpu_attention`` is faster than PyTorch's: in training, with dropout or in half precision."""
    if queries.device.type != "cpu" or not queries.requires_grad or torch.compiler.is_compiling():
        return False
    return p > 0 or queries.dtype != torch.float32


def cpu_attention(
    queries: Tensor, keys: Tensor, values: Tensor, attention_mask: Tensor | None, causal: bool, p: float
) -> Tensor:
    """Attend as ``functional.scaled_dot_product_attention`` does, with dropout ``p`` of the attention weights."""
    hidden = None if attention_mask is None else ~attention_mask
    if causal:
        hidden = torch.ones(queries.shape[2], queries.shape[2], dtype=torch.bool).triu(1)
    context: Tensor = _CpuAttention.apply(queries, keys, values, hidden, p)  # type: ignore[no-untyped-call]  # likewise
    return context


def _keep_mask(shape: torch.Size, p: float) -> Tensor:
    """Draw a mask of ``shape``, int8, with all bits set where a value stays."""
    n_values = shape.numel()
    words = torch.empty(-(-n_values // 8), dtype=torch.int64).random_(-(2**63), None)  # all 64 bits are random
    random_bytes = words.view(torch.int8)[:n_values].view(shape)  # -128 ... 127
    threshold = 128 - round(256 * p)
    # Bytes below the threshold become -1, which is all bits, and the others 0: no comparison is vectorized as well.
    return random_bytes.clamp_(threshold - 1, min(threshold, 127)).sub_(threshold)


def _apply_mask(x: Tensor, kept: Tensor, out: Tensor | None = None) -> Tensor:
    """Set ``x`` to zero where ``kept``, of the same shape, has no bits; writes into ``out``, which may be ``x``."""
    bits = INTEGERS[x.dtype]
    return torch.bitwise_and(x.view(bits), kept.to(bits), out=None if out is None else out.view(bits)).view(x.dtype)


def _scale(p: float) -> float:
    """Compute the factor of the values that stay, with which the mean stays as well."""
    return 256 / (256 - round(256 * p))


class _CpuDropout(torch.autograd.Function):
    """Dropout with its own mask, forward and backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Tensor:
        kept = _keep_mask(x.shape, p)
        ctx.save_for_backward(kept)
        ctx.p = p
        return _apply_mask(x.contiguous(), kept).mul_(_scale(p))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return _apply_mask(gradient.contiguous(), kept).mul_(_scale(ctx.p)), None


class _CpuAttention(torch.autograd.Function):
    """Compute attention a few rows at a time, in memory that stays in the cache.

    Of the weights (B, H, T, S) only the dropout mask is kept for the backward pass: computing them again is as fast as
    fetching them.
    """

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None, p: float) -> Tensor:
        """Map queries (B, H, T, K), keys and values (B, H, S, K) to (B, H, T, K)."""
        shape = torch.Size((*queries.shape[:3], keys.shape[2]))
        kept = _keep_mask(shape, p) if p else None
        context = queries.new_empty(queries.shape)
        for rows, (weights, dropped) in _slices(queries, shape, 2):
            q, k, v = (part[rows].flatten(0, 1) for part in (queries, keys, values))
            _weigh(q, k, hidden, rows, out=weights)
            if kept is not None:
                weights = _apply_mask(weights, kept[rows].flatten(0, 1), out=dropped)
            torch.bmm(weights, v * _scale(p), out=context[rows].flatten(0, 1))
        ctx.save_for_backward(queries, keys, values, hidden, kept)
        ctx.p = p
        return context

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of queries, keys and values from the gradient (B, H, T, K) of the context."""
        *parts, hidden, kept = ctx.saved_tensors
        to_parts = [part.new_empty(part.shape) for part in parts]
        shape = torch.Size((*parts[0].shape[:3], parts[1].shape[2]))
        scale = parts[0].shape[-1] ** -0.5
        for rows, (weights, dropped, to_weights) in _slices(parts[0], shape, 3):
            queries, keys, values = (part[rows].flatten(0, 1) for part in parts)
            to_queries, to_keys, to_values = (part[rows].flatten(0, 1) for part in to_parts)
            to_context = gradient[rows].flatten(0, 1) * _scale(ctx.p)
            _weigh(queries, keys, hidden, rows, out=weights)
            torch.bmm(to_context, values.transpose(1, 2), out=to_weights)
            if kept is None:
                dropped = weights
            else:
                _apply_mask(weights, kept[rows].flatten(0, 1), out=dropped)
                _apply_mask(to_weights, kept[rows].flatten(0, 1), out=to_weights)
            torch.bmm(dropped.transpose(1, 2), to_context, out=to_values)
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            torch.bmm(to_scores, keys, out=to_queries).mul_(scale)
            torch.bmm(to_scores.transpose(1, 2), queries, out=to_keys).mul_(scale)
        return *to_parts, None, None


def _weigh(queries: Tensor, keys: Tensor, hidden: Tensor | None, rows: slice, out: Tensor) -> None:
    """Compute weights (rows * H, T, S) of some rows from queries (rows * H, T, K) and keys (rows * H, S, K)."""
    scores = torch.bmm(queries * queries.shape[-1] ** -0.5, keys.transpose(1, 2))
    if hidden is not None:
        here = hidden if hidden.dim() == 2 else hidden[rows]
        scores.view(len(here) if hidden.dim() > 2 else 1, -1, *scores.shape[1:]).masked_fill_(here, -math.inf)
    torch.softmax(scores, dim=-1, out=out)


def _slices(queries: Tensor, shape: torch.Size, n: int) -> Iterator[tuple[slice, Tensor]]:
    """Slice the rows so that the weights of a slice, of all (B, H, T, S) = ``shape``, fit into the cache.

    Yields:
        A slice of rows, and memory for ``n`` times its weights, (n, rows * H, T, S), which all slices share.
    """
    n_rows, n_heads, n_tokens, n_sources = shape
    at_once = max(1, CACHE_BYTES // (shape[1:].numel() * queries.element_size()))
    scratch = queries.new_empty(n, min(n_rows, at_once) * n_heads, n_tokens, n_sources)
    for first in range(0, n_rows, at_once):
        rows = slice(first, min(first + at_once, n_rows))
        yield rows, scratch[:, : (rows.stop - first) * n_heads]
