"""The device, and what is compiled for it."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from xlm_core.config import Masking, ModelConfig
from xlm_core.data.batch import Batch, from_arrays
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import CAUSAL, clm_batch, mlm_batch
from xlm_core.model.device import compile_layers, select_device
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import N_SPECIAL, PAD
from xlm_core.train.losses import token_loss

N_TOKENS, N_LAYERS = 100, 2
CONFIG = ModelConfig(dim=16, n_layers=N_LAYERS, n_heads=2, feedforward_dim=32, max_positions=128)


def random_batch(objective: str, rng: np.random.Generator) -> Batch:
    """A window of CLM or MLM, or for TLM a batch of another width each time, some of them without padding."""
    if objective == "clm":
        return clm_batch(rng.integers(N_SPECIAL, N_TOKENS, (4, 32)), 0)
    width = 32 if objective == "mlm" else int(rng.integers(12, 60))
    masks = MaskSampler(np.ones(N_TOKENS), Masking())
    batch = mlm_batch(rng.integers(N_SPECIAL, N_TOKENS, (128 // width, width)), 0, masks, rng)
    if objective == "mlm" or rng.random() < 0.3:
        return batch
    lengths = rng.integers(width - 3, width + 1, 128 // width)
    tokens, labels = batch.tokens.numpy(), batch.labels.numpy()
    is_token = np.arange(width) < lengths[:, None]
    return from_arrays(
        np.where(is_token, tokens, PAD), np.arange(width), np.array(0), lengths, np.where(is_token, labels, -100)
    )


def test_all_layers_of_a_mix_stay_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PyTorch's limit of 8 graphs a fifth of such updates would fall back to the eager layer for good."""
    messages, graphs, calls = list[str](), list[Any](), list[int]()
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("torch._dynamo.convert_frame")
    logger.addHandler(handler)

    def backend(graph: Any, inputs: Any) -> Callable[..., Any]:
        graphs.append(graph)

        def run(*arguments: Any) -> Any:
            calls.append(1)
            return graph(*arguments)

        return run

    torch._dynamo.reset()
    monkeypatch.setattr(nn.Module, "compile", lambda layer: _compile(layer, backend))
    model, rng = Transformer(CONFIG, N_TOKENS, 2).train(), np.random.default_rng(0)
    with torch._dynamo.config.patch(recompile_limit=8):
        compile_layers(model.layers, True, torch.device("cpu"))
        for update in range(30):
            objective = ("clm", "mlm", "tlm")[update % 3]
            calls.clear()
            token_loss(model, random_batch(objective, rng), CAUSAL[objective], torch.bfloat16).loss_sum.backward()
            assert len(calls) == N_LAYERS, f"update {update}, {objective}"
    logger.removeHandler(handler)
    assert not [message for message in messages if "limit" in message]
    assert 8 < len(graphs) <= 14


def _compile(layer: nn.Module, backend: Callable[..., Any]) -> None:
    """What ``nn.Module.compile`` does, with another backend."""
    layer._compiled_call_impl = torch.compile(layer._call_impl, backend=backend)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("setting", "device", "expected"), [("auto", "cuda", 3), ("auto", "cpu", 0), (False, "cuda", 0)]
)
def test_auto_compiles_for_a_gpu(monkeypatch: pytest.MonkeyPatch, setting: Any, device: str, expected: int) -> None:
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda layer: compiled.append(layer))
    compile_layers([nn.Linear(1, 1) for _ in range(3)], setting, torch.device(device))
    assert len(compiled) == expected


def test_on_a_gpu_float32_is_multiplied_as_tf32() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        assert select_device("cpu") == torch.device("cpu") and torch.get_float32_matmul_precision() == before
        assert select_device("cuda:1") == torch.device("cuda", 1)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
