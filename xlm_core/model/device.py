"""The device that a model computes on, the precision of its products there, and what is compiled for it."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

MAX_GRAPHS = 32  # of a layer: 12 are made for CLM, MLM and TLM together, where PyTorch by default compiles 8 at most


def select_device(name: str | None = None) -> torch.device:
    """Return the device of this ``name``; without it the GPU where there is one, else the CPU.

    On a GPU float32 is multiplied as TF32, which keeps 10 bits of the mantissa where bfloat16 keeps 7. The environment
    variable ``NVIDIA_TF32_OVERRIDE=0`` forbids it.
    """
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    return device


def resolve_dtype(setting: str, device: torch.device) -> torch.dtype:
    """Choose the type of matrix products on ``device`` from "float32", "bfloat16" or "auto".

    "auto" is bfloat16 where the hardware multiplies in it, GPU or CPU, and float32 everywhere else.
    """
    if setting == "auto":
        setting = "bfloat16" if _has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[setting]


def _has_bfloat16(device: torch.device) -> bool:
    """Tell whether the hardware multiplies in bfloat16; emulated products would be slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())  # its public name is younger than the PyTorch we require


def compile_layers(layers: Iterable[nn.Module], setting: Literal["auto"] | bool, device: torch.device) -> None:
    """Compile layers for training where ``setting`` says so; "auto" compiles for a GPU.

    Each layer is small, and what is compiled for one serves all of the same shape. Validation and decoding are not
    compiled: they would need as many graphs again, and decoding one for every few tokens.
    """
    if setting is True or (setting == "auto" and device.type == "cuda"):
        torch._dynamo.config.recompile_limit = max(MAX_GRAPHS, torch._dynamo.config.recompile_limit)
        for layer in layers:
            layer.compile()
