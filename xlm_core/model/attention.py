"""Multi-head self-attention.

Letters: B rows, T tokens, D dimensions of the model, H heads, K = D / H dimensions per head.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.model.dropout import drop


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
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)  # (B, H, T, K) each
        dropout = self.dropout if self.training else 0.0
        visible = None if causal else visible
        if dropout and x.device.type == "cpu":
            gathered = attend(queries, keys, values, visible, causal, dropout)
        else:
            gathered = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=visible, dropout_p=dropout, is_causal=causal
            )
        return self.out(gathered.transpose(1, 2).reshape(n_rows, n_tokens, dim))


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None, causal: bool, dropout: float
) -> Tensor:
    """Attention written out, (B, H, T, K) from three such: PyTorch's has no fast path with dropout on a CPU."""
    scores = queries @ (keys / math.sqrt(keys.shape[-1])).transpose(-1, -2)  # (B, H, T, T)
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    elif visible is not None:
        scores = scores.masked_fill(~visible, -math.inf)
    return drop(scores.softmax(dim=-1), dropout) @ values
