"""Multi-head attention, of a sentence to itself and of a translation to its source.

Letters: B rows, T tokens, S tokens of the source (T, where a sentence reads itself), D dimensions of the model, H
heads, K = D / H dimensions per head.
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
        queries, keys, values = self.project(x)
        dropout = self.dropout if self.training else 0.0
        gathered = attend(queries, keys, values, None if causal else visible, causal, dropout)
        return self.out(select(joined(gathered), at))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, H, T, K), of ``x`` (B, T, D)."""
        return _heads(self.qkv(x), 3, self.n_heads)


class CrossAttention(nn.Module):
    """Each token of a translation gathers from the tokens of its source."""

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.queries = nn.Linear(dim, dim)
        self.keys_and_values = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, source: Tensor, visible: Tensor | None, at: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: (B, T, D), states of the translation.
            source: (B, S, D), states of the source.
            visible: (B, 1, 1, S) bool, false on padding of the source; None where there is none.
            at: as in ``select``.

        Returns:
            (B, T, D), or (n, D) where only some places are wanted.
        """
        dropout = self.dropout if self.training else 0.0
        return self.out(select(joined(attend(self.project(x), *self.read(source), visible, dropout=dropout)), at))

    def project(self, x: Tensor) -> Tensor:
        """Queries (B, H, T, K) of ``x`` (B, T, D)."""
        return _heads(self.queries(x), 1, self.n_heads)[0]

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values, each (B, H, S, K), of ``source`` (B, S, D)."""
        return _heads(self.keys_and_values(source), 2, self.n_heads)


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    visible: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """What queries (B, H, T, K) gather from keys and values (B, H, S, K): (B, H, T, K); see the modules above."""
    if _cpu_attention_is_faster(queries, dropout):
        hidden = _hidden(visible, causal, queries.shape[2])
        return _CpuAttention.apply(queries, keys, values, hidden, dropout)
    return functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=visible, dropout_p=dropout, is_causal=causal
    )


def select(x: Tensor, at: Tensor | None) -> Tensor:
    """Of ``x`` (B, T, D) the places ``at`` (n,), counted row after row: (n, D); all of it where ``at`` is None."""
    return x if at is None else x.flatten(0, 1).index_select(0, at)


def _heads(projected: Tensor, n: int, n_heads: int) -> tuple[Tensor, ...]:
    """``n`` parts, each (B, H, T, K), of what one projection made, (B, T, n * D)."""
    n_rows, n_tokens, width = projected.shape
    parts = projected.view(n_rows, n_tokens, n, n_heads, width // (n * n_heads))
    return parts.permute(2, 0, 3, 1, 4).unbind(0)


def joined(gathered: Tensor) -> Tensor:
    """(B, T, D) of what the heads gathered, (B, H, T, K)."""
    return gathered.transpose(1, 2).flatten(2)


def _cpu_attention_is_faster(queries: Tensor, dropout: float) -> bool:
    """On a CPU PyTorch's own training is slow with dropout, and in bfloat16; elsewhere, and compiled, it is as fast."""
    if queries.device.type != "cpu" or not queries.requires_grad or torch.compiler.is_compiling():
        return False
    return dropout > 0 or queries.dtype != torch.float32


def _hidden(visible: Tensor | None, causal: bool, n_tokens: int) -> Tensor | None:
    """What broadcasts to (B, H, T, S) and is true where nothing may be seen; None where all may."""
    if causal:
        return torch.ones(n_tokens, n_tokens, dtype=torch.bool).triu(1)
    return None if visible is None else ~visible


class _CpuAttention(torch.autograd.Function):
    """Attention written out for a CPU.

    A few rows are computed at a time, in memory that stays in the cache. Of the weights (B, H, T, S) only which were
    dropped is kept for the backward pass: to compute them again is as fast as to fetch them.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, queries: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None, dropout: float
    ) -> Tensor:
        """From queries (B, H, T, K), keys and values (B, H, S, K) to (B, H, T, K)."""
        shape = torch.Size((*queries.shape[:3], keys.shape[2]))
        kept = kept_bits(shape, dropout) if dropout else None
        gathered = queries.new_empty(queries.shape)
        scratch = _scratch(queries, shape, 2)
        for rows in _slices(queries, shape):
            some_queries, some_keys, some_values = (part[rows].flatten(0, 1) for part in (queries, keys, values))
            weights, dropped = (some[: len(some_queries)] for some in scratch)
            _weigh(some_queries, some_keys, hidden, rows, out=weights)
            if kept is not None:
                weights = zero_dropped(weights, kept[rows].flatten(0, 1), out=dropped)
            torch.bmm(weights, some_values * scale_of(dropout), out=gathered[rows].flatten(0, 1))
        ctx.save_for_backward(queries, keys, values, hidden, kept)
        ctx.dropout = dropout
        return gathered

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of queries, keys and values from that (B, H, T, K) of the result."""
        *parts, hidden, kept = ctx.saved_tensors
        to_parts = [part.new_empty(part.shape) for part in parts]
        shape = torch.Size((*parts[0].shape[:3], parts[1].shape[2]))
        scratch = _scratch(parts[0], shape, 3)
        scale = parts[0].shape[-1] ** -0.5
        for rows in _slices(parts[0], shape):
            queries, keys, values = (part[rows].flatten(0, 1) for part in parts)
            weights, dropped, to_weights = (some[: len(queries)] for some in scratch)
            to_queries, to_keys, to_values = (some[rows].flatten(0, 1) for some in to_parts)
            to_gathered = gradient[rows].flatten(0, 1) * scale_of(ctx.dropout)
            _weigh(queries, keys, hidden, rows, out=weights)
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
        return *to_parts, None, None


def _weigh(queries: Tensor, keys: Tensor, hidden: Tensor | None, rows: slice, out: Tensor) -> None:
    """The weights (rows * H, T, S) of some rows, from queries (rows * H, T, K) and keys (rows * H, S, K)."""
    scores = torch.bmm(queries * queries.shape[-1] ** -0.5, keys.transpose(1, 2))
    if hidden is not None:
        here = hidden if hidden.dim() == 2 else hidden[rows]
        scores.view(len(here) if hidden.dim() > 2 else 1, -1, *scores.shape[1:]).masked_fill_(here, -math.inf)
    torch.softmax(scores, dim=-1, out=out)


def _slices(queries: Tensor, shape: torch.Size) -> Iterator[slice]:
    """The rows, as many at a time as have weights that fit into the cache; ``shape`` (B, H, T, S) is of all weights."""
    n_rows = _rows_at_once(queries, shape)
    return (slice(first, first + n_rows) for first in range(0, shape[0], n_rows))


def _scratch(queries: Tensor, shape: torch.Size, n: int) -> Tensor:
    """Memory for ``n`` times the weights (rows * H, T, S) of one slice."""
    n_rows, n_heads, n_tokens, n_sources = shape
    return queries.new_empty(n, min(n_rows, _rows_at_once(queries, shape)) * n_heads, n_tokens, n_sources)


def _rows_at_once(queries: Tensor, shape: torch.Size) -> int:
    return max(1, CACHE_BYTES // (shape[1:].numel() * queries.element_size()))
