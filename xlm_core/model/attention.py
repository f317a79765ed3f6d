"""Multi-head self-attention.

Letters: B rows, T tokens, D dimensions of the model, H heads, K = D / H dimensions per head.
"""

import math

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from xlm_core.model.dropout import kept_bits, scale_of, zero_dropped


class SelfAttention(nn.Module):
    """Each token gathers from the tokens it may see. One projection makes queries, keys and values."""

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, visible: Tensor | None, causal: bool) -> Tensor:
        """Attend.

        Args:
            x: (B, T, D).
            visible: (B, 1, 1, T) bool, false on padding; None where every token may be seen.
            causal: a token sees itself and what comes before it; padding, on the right, is then out of sight anyway.

        Returns:
            (B, T, D).
        """
        n_rows, n_tokens, dim = x.shape
        projected = self.qkv(x).view(n_rows, n_tokens, 3, self.n_heads, dim // self.n_heads)
        parts = projected.permute(2, 0, 3, 1, 4)  # (3, B, H, T, K)
        dropout = self.dropout if self.training else 0.0
        visible = None if causal else visible
        if x.device.type == "cpu" and torch.is_grad_enabled():
            gathered = _CpuAttention.apply(parts, _hidden(visible, causal, n_tokens), dropout)
        else:
            queries, keys, values = parts
            gathered = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=visible, dropout_p=dropout, is_causal=causal
            )
        return self.out(gathered.transpose(1, 2).reshape(n_rows, n_tokens, dim))


def _hidden(visible: Tensor | None, causal: bool, n_tokens: int) -> Tensor | None:
    """What broadcasts to (B, H, T, T) and is true where nothing may be seen; None where all may."""
    if causal:
        return torch.ones(n_tokens, n_tokens, dtype=torch.bool).triu(1)
    return None if visible is None else ~visible


class _CpuAttention(torch.autograd.Function):
    """Attention written out for a CPU, where PyTorch's own is slow: it has no fast dropout, and a slow backward pass.

    The weights (B, H, T, T) are kept for the backward pass, instead of being computed again as on a GPU.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, parts: Tensor, hidden: Tensor | None, dropout: float) -> Tensor:
        """From queries, keys and values ``parts`` (3, B, H, T, K) to (B, H, T, K)."""
        shape = parts.shape[1:]
        queries, keys, values = parts.reshape(3, -1, *shape[2:])  # (B * H, T, K) each
        scale = 1 / math.sqrt(shape[-1])
        scores = torch.bmm(queries * scale, keys.transpose(1, 2))
        if hidden is not None:
            scores.view(*shape[:2], *scores.shape[1:]).masked_fill_(hidden, -math.inf)
        weights = scores.softmax(dim=-1)
        kept = kept_bits(weights.shape, dropout, weights.dtype) if dropout else None
        ctx.save_for_backward(queries, keys, values, weights, kept)
        ctx.scale, ctx.dropout = scale, dropout
        gathered = torch.bmm(_dropped(weights, kept), values)
        return gathered.mul_(scale_of(dropout)).view(shape) if dropout else gathered.view(shape)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of ``parts`` from that (B, H, T, K) of the result."""
        queries, keys, values, weights, kept = ctx.saved_tensors
        shape = gradient.shape
        gradient = gradient.reshape(queries.shape)
        if kept is not None:
            gradient = gradient * scale_of(ctx.dropout)
        to_weights = _dropped(torch.bmm(gradient, values.transpose(1, 2)), kept)
        to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
        to_parts = torch.empty((3, *queries.shape), dtype=queries.dtype)
        torch.bmm(to_scores, keys, out=to_parts[0]).mul_(ctx.scale)
        torch.bmm(to_scores.transpose(1, 2), queries, out=to_parts[1]).mul_(ctx.scale)
        torch.bmm(_dropped(weights, kept).transpose(1, 2), gradient, out=to_parts[2])
        return to_parts.view(3, *shape), None, None


def _dropped(weights: Tensor, kept: Tensor | None) -> Tensor:
    return weights if kept is None else zero_dropped(weights, kept)
