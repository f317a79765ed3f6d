"""Dropout. On a CPU, drawing its random numbers was the dearest part of a small model, so there it has its own draw."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def drop(x: Tensor, share: float) -> Tensor:
    """``x`` with a random ``share`` of its values set to zero and the others scaled up, of any shape.

    On a CPU one random byte decides about each value, which is many times faster than PyTorch's Bernoulli draw
    and rounds ``share`` to the nearest 1/256; the scale is that of the rounded share, so the mean is exact.
    """
    if share == 0:
        return x
    if x.device.type != "cpu":
        return functional.dropout(x, share)
    threshold = round(256 * share)
    n_words = -(-x.numel() // 8)
    words = torch.empty(n_words, dtype=torch.int64).random_(-(2**63), None)  # all 64 bits are random
    random_bytes = words.view(torch.uint8)[: x.numel()].view(x.shape)
    return x * (random_bytes >= threshold).to(x.dtype).mul_(256 / (256 - threshold))


class Dropout(nn.Module):
    """``drop`` while training, nothing otherwise."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape to the same shape."""
        return drop(x, self.share) if self.training else x
