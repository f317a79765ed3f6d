"""Multi-head self-attention.

Letters: B rows, T tokens, D dimensions of the model, H heads, K = D / H dimensions per head.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from xlm_core.model.dropout import kept_bits, scale_of, zero_dropped

CACHE_BYTES = 1 << 21  # of weights at a time: a few such pieces fit into the cache of a core or two


class SelfAttention(nn.Module):
    """Each token gathers from the tokens it may see. One projection makes queries, keys and values."""

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, visible: Tensor | None, causal: bool, at: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: (B, T, D).
            visible: (B, 1, 1, T) bool, false on padding; None where every token may be seen.
            causal: a token sees itself and what comes before it; padding, on the right, is then out of sight anyway.
            at: as in ``select``.

        Returns:
            (B, T, D), or (n, D) where only some places are wanted.
        """
        n_rows, n_tokens, dim = x.shape
        projected = self.qkv(x).view(n_rows, n_tokens, 3, self.n_heads, dim // self.n_heads)
        parts = projected.permute(2, 0, 3, 1, 4)  # (3, B, H, T, K)
        dropout = self.dropout if self.training else 0.0
        visible = None if causal else visible
        if _cpu_attention_is_faster(parts, dropout):
            gathered = _CpuAttention.apply(parts, _hidden(visible, causal, n_tokens), dropout)
        else:
            queries, keys, values = parts
            gathered = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=visible, dropout_p=dropout, is_causal=causal
            )
        return self.out(select(gathered.transpose(1, 2).reshape(n_rows, n_tokens, dim), at))


def select(x: Tensor, at: Tensor | None) -> Tensor:
    """Of ``x`` (B, T, D) the places ``at`` (n,), counted row after row: (n, D); all of it where ``at`` is None."""
    return x if at is None else x.flatten(0, 1).index_select(0, at)


def _cpu_attention_is_faster(parts: Tensor, dropout: float) -> bool:
    """On a CPU PyTorch's own training is slow with dropout, and in bfloat16; elsewhere, and compiled, it is as fast."""
    if parts.device.type != "cpu" or not parts.requires_grad or torch.compiler.is_compiling():
        return False
    return dropout > 0 or parts.dtype != torch.float32


def _hidden(visible: Tensor | None, causal: bool, n_tokens: int) -> Tensor | None:
    """What broadcasts to (B, H, T, T) and is true where nothing may be seen; None where all may."""
    if causal:
        return torch.ones(n_tokens, n_tokens, dtype=torch.bool).triu(1)
    return None if visible is None else ~visible


class _CpuAttention(torch.autograd.Function):
    """Attention written out for a CPU.

    A few rows are computed at a time, in memory that stays in the cache. Of the weights (B, H, T, T) only which were
    dropped is kept for the backward pass: to compute them again is as fast as to fetch them.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, parts: Tensor, hidden: Tensor | None, dropout: float) -> Tensor:
        """From queries, keys and values ``parts`` (3, B, H, T, K) to (B, H, T, K)."""
        _, n_rows, n_heads, n_tokens, _ = parts.shape
        kept = kept_bits(torch.Size((n_rows, n_heads, n_tokens, n_tokens)), dropout) if dropout else None
        gathered = parts.new_empty(parts.shape[1:])
        scratch = _scratch(parts, 2)
        for rows in _slices(parts):
            queries, keys, values = parts[:, rows].flatten(1, 2)
            weights, dropped = (some[: len(queries)] for some in scratch)
            _attend(queries, keys, hidden, rows, out=weights)
            if kept is not None:
                weights = zero_dropped(weights, kept[rows].flatten(0, 1), out=dropped)
            torch.bmm(weights, values * scale_of(dropout), out=gathered[rows].flatten(0, 1))
        ctx.save_for_backward(parts, hidden, kept)
        ctx.dropout = dropout
        return gathered

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of ``parts`` from that (B, H, T, K) of the result."""
        parts, hidden, kept = ctx.saved_tensors
        to_parts = torch.empty(parts.shape, dtype=parts.dtype)
        scratch = _scratch(parts, 3)
        scale = parts.shape[-1] ** -0.5
        for rows in _slices(parts):
            queries, keys, values = parts[:, rows].flatten(1, 2)
            weights, dropped, to_weights = (some[: len(queries)] for some in scratch)
            to_queries, to_keys, to_values = (some[rows].flatten(0, 1) for some in to_parts)
            to_gathered = gradient[rows].flatten(0, 1) * scale_of(ctx.dropout)
            _attend(queries, keys, hidden, rows, out=weights)
            torch.bmm(to_gathered, values.transpose(1, 2), out=to_weights)
            if kept is None:
                dropped = weights
            else:
                zero_dropped(weights, kept[rows].flatten(0, 1), out=dropped)
                zero_dropped(to_weights, kept[rows].flatten(0, 1), out=to_weights)
            torch.bmm(dropped.transpose(1, 2), to_gathered, out=to_values)
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            torch.bmm(to_scores, keys, out=to_queries).mul_(scale)
            torch.bmm(to_scores.transpose(1, 2), queries, out=to_keys).mul_(scale)
        return to_parts, None, None


def _attend(queries: Tensor, keys: Tensor, hidden: Tensor | None, rows: slice, out: Tensor) -> None:
    """The weights (rows * H, T, T) of some rows, from queries and keys (rows * H, T, K)."""
    scores = torch.bmm(queries * queries.shape[-1] ** -0.5, keys.transpose(1, 2))
    if hidden is not None:
        here = hidden if hidden.dim() == 2 else hidden[rows]
        scores.view(len(here) if hidden.dim() > 2 else 1, -1, *scores.shape[1:]).masked_fill_(here, -math.inf)
    torch.softmax(scores, dim=-1, out=out)


def _slices(parts: Tensor) -> Iterator[slice]:
    """The rows of ``parts`` (3, B, H, T, K), as many at a time as have weights that fit into the cache."""
    n_rows = _rows_at_once(parts)
    return (slice(first, first + n_rows) for first in range(0, parts.shape[1], n_rows))


def _scratch(parts: Tensor, n: int) -> Tensor:
    """Memory for ``n`` times the weights (rows * H, T, T) of one slice."""
    _, n_rows, n_heads, n_tokens, _ = parts.shape
    return parts.new_empty(n, min(n_rows, _rows_at_once(parts)) * n_heads, n_tokens, n_tokens)


def _rows_at_once(parts: Tensor) -> int:
    _, _, n_heads, n_tokens, _ = parts.shape
    return max(1, CACHE_BYTES // (n_heads * n_tokens * n_tokens * parts.element_size()))
