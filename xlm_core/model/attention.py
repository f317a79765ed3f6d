"""Multi-head attention, of a sentence to itself and of a translation to its source, and the cache of decoding.

Shapes: B rows, T tokens, S tokens of the source (T in self-attention), D dimensions of the model, H heads, K = D / H
dimensions per head; in decoding N sentences, W hypotheses of each, R = N * W rows, L tokens in the cache.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.model.cpu_kernels import cpu_attention, is_faster_on_cpu


@dataclass
class LayerCache:
    """Keys and values of one decoder layer.

    keys, values                (R, H, L, K) of the tokens so far, with room for all
    source_keys, source_values  (N, H, S, K), which the W hypotheses of a sentence share
    source_bias                 (N, H, 1, S) added to attention scores: minus infinity on padding, else zero; None
                                without padding
    length                      tokens so far
    """

    keys: Tensor
    values: Tensor
    source_keys: Tensor
    source_values: Tensor
    source_bias: Tensor | None
    length: int = 0

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values (R, H, K) of the next token; return the keys and values of all tokens so far."""
        self.keys[:, :, self.length] = keys
        self.values[:, :, self.length] = values
        self.length += 1
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def reorder(self, rows: Tensor) -> None:
        """Continue row i with the tokens of row ``rows[i]`` (R,) of the same sentence."""
        for cached in (self.keys, self.values):
            cached[:, :, : self.length] = cached[rows, :, : self.length]

    def select(self, rows: Tensor, sentences: Tensor, source_bias: Tensor | None) -> None:
        """Keep these rows and sentences; all layers share ``source_bias``, the bias of the kept sentences."""
        self.keys, self.values = self.keys[rows], self.values[rows]
        self.source_keys, self.source_values = self.source_keys[sentences], self.source_values[sentences]
        self.source_bias = source_bias


class SelfAttention(nn.Module):
    """Attention of each token to the tokens that it may see; one projection makes queries, keys and values."""

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, x: Tensor, attention_mask: Tensor | None, causal: bool, output_positions: Tensor | None = None
    ) -> Tensor:
        """Attend.

        Args:
            x: (B, T, D).
            attention_mask: (B, 1, 1, T) bool, false on padding; None if every token may be seen.
            causal: a token sees itself and the tokens before it; padding, on the right, is then out of sight anyway.
            output_positions: as in ``select_positions``.

        Returns:
            (B, T, D), or (n, D) at ``output_positions``.
        """
        queries, keys, values = split_heads(self.qkv(x), 3, self.n_heads)
        dropout = self.dropout if self.training else 0.0
        context = attend(queries, keys, values, None if causal else attention_mask, causal, dropout)
        output: Tensor = self.out(select_positions(merge_heads(context), output_positions))
        return output

    def step(self, x: Tensor, cache: LayerCache) -> Tensor:
        """Attend from the next token of each row, ``x`` (R, D), to it and to the cached tokens before it; (R, D)."""
        queries, keys, values = self.qkv(x).view(len(x), 3, self.n_heads, -1).unbind(1)
        output: Tensor = self.out(attend_to_cache(queries[:, :, None], *cache.append(keys, values)).flatten(1))
        return output


class CrossAttention(nn.Module):
    """Attention of each token of a translation to the tokens of its source."""

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.queries = nn.Linear(dim, dim)
        self.keys_and_values = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, x: Tensor, source: Tensor, attention_mask: Tensor | None, output_positions: Tensor | None = None
    ) -> Tensor:
        """Attend.

        Args:
            x: (B, T, D), states of the translation.
            source: (B, S, D), states of the source.
            attention_mask: (B, 1, 1, S) bool, false on padding of the source; None if there is none.
            output_positions: as in ``select_positions``.

        Returns:
            (B, T, D), or (n, D) at ``output_positions``.
        """
        dropout = self.dropout if self.training else 0.0
        (queries,) = split_heads(self.queries(x), 1, self.n_heads)
        context = attend(queries, *self.read(source), attention_mask, False, dropout)
        output: Tensor = self.out(select_positions(merge_heads(context), output_positions))
        return output

    def step(self, x: Tensor, cache: LayerCache) -> Tensor:
        """Attend from the next token of each row, ``x`` (R, D), to the cached source; (R, D).

        The hypotheses of a sentence attend together, as if they were the tokens of one text.
        """
        n_sentences, n_heads, _, head_dim = cache.source_keys.shape
        queries = self.queries(x).view(n_sentences, -1, n_heads, head_dim).transpose(1, 2)
        context = attend_to_cache(queries, cache.source_keys, cache.source_values, cache.source_bias)
        output: Tensor = self.out(merge_heads(context).view(x.shape))
        return output

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Compute keys and values, each (B, H, S, K), of ``source`` (B, S, D)."""
        keys, values = split_heads(self.keys_and_values(source), 2, self.n_heads)
        return keys, values


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, attention_mask: Tensor | None, causal: bool, dropout: float
) -> Tensor:
    """Attend from queries (B, H, T, K) to keys and values (B, H, S, K): (B, H, T, K); see the modules above."""
    if is_faster_on_cpu(queries, dropout):
        return cpu_attention(queries, keys, values, attention_mask, causal, dropout)
    return functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=attention_mask, dropout_p=dropout, is_causal=causal
    )


def attend_to_cache(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attend from few queries (B, H, W, K) to cached keys and values (B, H, L, K): (B, H, W, K).

    ``bias`` (B, H, 1, L) is added to the scores. For so few queries plain products are faster than PyTorch's attention.
    """
    shape, scale = queries.shape, queries.shape[3] ** -0.5
    queries, keys, values = queries.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2), values.flatten(0, 1)
    if bias is None:
        scores = torch.bmm(queries * scale, keys)
    else:
        scores = torch.baddbmm(bias.flatten(0, 1), queries, keys, alpha=scale)
    return torch.bmm(scores.softmax(dim=-1), values).view(shape)


def select_positions(x: Tensor, output_positions: Tensor | None) -> Tensor:
    """Select positions (n,), counted row after row, of ``x`` (B, T, D): (n, D); None selects all of it."""
    return x if output_positions is None else x.flatten(0, 1).index_select(0, output_positions)


def split_heads(projected: Tensor, n: int, n_heads: int) -> tuple[Tensor, ...]:
    """Split the output (B, T, n * D) of one projection into ``n`` parts, each (B, H, T, K)."""
    n_rows, n_tokens, width = projected.shape
    parts = projected.view(n_rows, n_tokens, n, n_heads, width // (n * n_heads))
    return parts.permute(2, 0, 3, 1, 4).unbind(0)


def merge_heads(context: Tensor) -> Tensor:
    """Concatenate the outputs (B, H, T, K) of all heads: (B, T, D)."""
    return context.transpose(1, 2).flatten(2)
