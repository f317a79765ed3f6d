"""Dropout. On a CPU, drawing its random numbers was the dearest part of a small model, so there it has its own draw."""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

BITS = {torch.float32: torch.int32, torch.bfloat16: torch.int16, torch.float64: torch.int64}


def drop(x: Tensor, share: float) -> Tensor:
    """``x`` with a random ``share`` of its values set to zero and the others scaled up, of any shape.

    On a CPU one random byte decides about each value, which is many times faster than PyTorch's Bernoulli draw
    and rounds ``share`` to the nearest 1/256; the scale is that of the rounded share, so the mean is exact.
    """
    if share == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():  # the compiler cannot see through a view of bytes
        return functional.dropout(x, share)
    return _Drop.apply(x, share)


def kept_bits(shape: torch.Size, share: float) -> Tensor:
    """A random mask of ``shape``, int8: all bits are set where a value stays."""
    n_values = shape.numel()
    words = torch.empty(-(-n_values // 8), dtype=torch.int64).random_(-(2**63), None)  # all 64 bits are random
    random_bytes = words.view(torch.int8)[:n_values].view(shape)  # -128 ... 127
    border = 128 - round(256 * share)
    # Bytes below the border become -1, which is all bits, and the others 0: no comparison is vectorized as well.
    return random_bytes.clamp_(border - 1, min(border, 127)).sub_(border)


def zero_dropped(x: Tensor, kept: Tensor, out: Tensor | None = None) -> Tensor:
    """``x`` with zeros where ``kept``, of the same shape, has no bits; put into ``out``, which may be ``x``."""
    bits = BITS[x.dtype]
    return torch.bitwise_and(x.view(bits), kept.to(bits), out=None if out is None else out.view(bits)).view(x.dtype)


def scale_of(share: float) -> float:
    """What the values that stay are multiplied with, so that the mean stays as well."""
    return 256 / (256 - round(256 * share))


class _Drop(torch.autograd.Function):
    """Dropout on a CPU, forwards and backwards."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, share: float) -> Tensor:
        kept = kept_bits(x.shape, share)
        ctx.save_for_backward(kept)
        ctx.share = share
        return zero_dropped(x.contiguous(), kept).mul_(scale_of(share))

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return zero_dropped(gradient.contiguous(), kept).mul_(scale_of(ctx.share)), None


class Dropout(nn.Module):
    """``drop`` while training, nothing otherwise."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape to the same shape."""
        return drop(x, self.share) if self.training else x
