"""The peak memory of MLM updates on a pretended GPU beside the plan, as JSON: ``python peak_memory.py LIBRARY``."""

import ctypes
import json
import sys
from typing import Any

ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)

import numpy as np  # noqa: E402
import pretended_gpu  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from xlm_core.config import Compute, Masking, ModelConfig, Optim, Pretraining  # noqa: E402
from xlm_core.data.masking import MaskSampler  # noqa: E402
from xlm_core.data.objective_batches import mlm_batch  # noqa: E402
from xlm_core.history import ObjectiveKey  # noqa: E402
from xlm_core.model.transformer import Transformer  # noqa: E402
from xlm_core.tasks.pretraining.memory import estimate_memory  # noqa: E402
from xlm_core.text.special_symbols import N_SPECIAL  # noqa: E402
from xlm_core.train.distributed import DistributedContext  # noqa: E402
from xlm_core.train.loop import MicroBatch, train_step  # noqa: E402
from xlm_core.train.losses import token_loss  # noqa: E402
from xlm_core.train.optimization import make_optimizer  # noqa: E402
from xlm_core.train.state import TrainState  # noqa: E402

SEQ_LEN, N_LANGUAGES, MICRO_BATCHES, N_UPDATES = 256, 15, 2, 2
OPTIM = Optim(learning_rate=1e-4, warmup_updates=0, max_updates=N_UPDATES)
# Name -> layers, dimensions, heads, vocabulary, rows of a micro-batch, and how it is computed.
SHAPES: dict[str, tuple[int, int, int, int, int, dict[str, Any]]] = {
    "XLM-15": (12, 1024, 8, 95_000, 64, {"precision": "bfloat16"}),
    "XLM-15 in float32": (12, 1024, 8, 95_000, 64, {"precision": "float32"}),
    "XLM-15 with checkpointing": (12, 1024, 8, 95_000, 64, {"precision": "auto", "activation_checkpointing": True}),
    "XLM-100": (16, 1280, 16, 200_000, 16, {"precision": "bfloat16"}),
    "XLM-100 with checkpointing": (16, 1280, 16, 200_000, 16, {"precision": "auto", "activation_checkpointing": True}),
}


def flash_attention(
    queries: Tensor, keys: Tensor, values: Tensor, attn_mask: None, dropout_p: float, is_causal: bool
) -> Tensor:
    """What a GPU chooses; shapes alone would be computed by the parts of attention."""
    assert attn_mask is None
    flash = torch.ops.aten._scaled_dot_product_flash_attention
    context: Tensor = flash(queries, keys, values, dropout_p, is_causal)[0]
    return context


def peak(
    n_layers: int, dim: int, n_heads: int, n_tokens: int, n_rows: int, settings: dict[str, Any]
) -> dict[str, float]:
    """Bytes at the peak of the second update, and what was planned."""
    config = ModelConfig(dim=dim, n_layers=n_layers, n_heads=n_heads, feedforward_dim=4 * dim, max_positions=512)
    rng, compute, size = np.random.default_rng(0), Compute(**settings), n_rows * SEQ_LEN
    pretraining = Pretraining(
        batch_tokens=MICRO_BATCHES * size, micro_batch_tokens=size, optim=OPTIM, eval_interval=1, max_eval_tokens=1
    )
    windows = rng.integers(N_SPECIAL, n_tokens, (n_rows, SEQ_LEN))
    on_host = mlm_batch(windows, 0, MaskSampler(np.ones(n_tokens), Masking()), rng)
    dtype = torch.float32 if compute.precision == "float32" else torch.bfloat16
    recorder = pretended_gpu.MemoryRecorder()
    with pretended_gpu.shapes_alone(recorder) as mode:
        processes = DistributedContext()
        with processes.device:
            model = Transformer(config, n_tokens, N_LANGUAGES).train()
        model.gradient_checkpointing = compute.activation_checkpointing
        state, batch = TrainState(model, make_optimizer(model, OPTIM)), on_host._map(mode.from_tensor)
        part = MicroBatch(
            ObjectiveKey("mlm"), 9, 9, 1, lambda: token_loss(model, batch.to(pretended_gpu.GPU), False, dtype)
        )
        for _ in range(N_UPDATES):
            recorder.peak = recorder.live
            train_step(state, [part] * MICRO_BATCHES, 9, OPTIM, processes)
        plan = estimate_memory(model, pretraining, compute, 1, processes.device)
    return {"recorded": recorder.peak, "planned": sum(plan.values())}


if __name__ == "__main__":
    functional.scaled_dot_product_attention = flash_attention
    json.dump({name: peak(*shape) for name, shape in SHAPES.items()}, sys.stdout, indent=1)
