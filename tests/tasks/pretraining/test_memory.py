import logging
from types import SimpleNamespace

import pytest
import torch

from xlm_core.config import Compute, ModelConfig, Optim, Pretraining
from xlm_core.errors import ConfigError, TrainingError
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.pretraining.memory import (
    check_sizes,
    estimate_memory,
    fitting_micro_batch,
    log_memory,
    memory_errors,
    micro_batches_per_update,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")
HALF = Compute(precision="bfloat16")
MODEL = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=32, max_positions=24)


def settings(**changed):
    sizes = {"seq_len": 12, "batch_tokens": 240, "micro_batch_tokens": 120, "eval_interval": 4} | changed
    return Pretraining(optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=12), max_eval_tokens=100, **sizes)


def memory(compute=None, n_processes=1, device=CPU, **changed):
    return estimate_memory(Transformer(MODEL, 64, 2), settings(**changed), compute or Compute(), n_processes, device)


def test_an_update_has_the_same_size_however_it_is_cut():
    for micro_batch_tokens, parts in ((10_000, 1), (240, 1), (239, 2), (100, 3), (60, 4)):
        assert micro_batches_per_update(settings(micro_batch_tokens=micro_batch_tokens)) == parts


@pytest.mark.parametrize(
    ("changed", "n_processes", "message"),
    [
        ({"seq_len": 30}, 1, "seq_len is 30, but the model has 24 positions"),
        ({"batch_tokens": 10}, 1, "seq_len is 12, but a batch has 10 tokens"),
        ({}, 3, "is 2 batches of at most pretraining.micro_batch_tokens .120. tokens, but there are 3 processes"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changed, n_processes, message):
    with pytest.raises(ConfigError, match=message):
        check_sizes(MODEL, settings(**changed), n_processes)


def test_memory_by_hand():
    n_weights = sum(parameter.numel() for parameter in Transformer(MODEL, 64, 2).parameters())
    parts = memory()
    assert (parts["weights"], parts["gradients"], parts["optimizer"]) == (4 * n_weights, 4 * n_weights, 8 * n_weights)
    assert parts["scores"] == 3 * 4 * 120 * 64
    assert list(parts) == ["weights", "gradients", "optimizer", "activations", "scores"]


def test_memory_of_a_gpu_by_hand():
    n_weights = sum(parameter.numel() for parameter in Transformer(MODEL, 64, 2).parameters())
    halved, full = memory(HALF, device=GPU), memory(Compute(precision="float32"), device=GPU)
    assert (halved["weights"], full["weights"]) == (6 * n_weights, 4 * n_weights)
    assert halved["gradients"] == full["gradients"] == 4 * (n_weights + 64 * 16)
    # The inputs of six linear layers' widths and twice the feed-forward; two normalizations; two dropouts.
    assert halved["activations"] == 120 * 2 * (2 * (6 * 16 + 2 * 32) + 4 * 2 * 16 + 2 * 16)
    assert full["activations"] == 120 * 2 * (4 * (6 * 16 + 2 * 32) + 4 * 2 * 16 + 2 * 16)


def test_the_largest_micro_batch_that_fits():
    def fits(gigabytes, n_processes=1, n_tokens=2048):
        model, sizes = Transformer(MODEL, 64, 2), settings(batch_tokens=n_tokens, micro_batch_tokens=12)
        return fitting_micro_batch(model, sizes, HALF, n_processes, GPU, gigabytes)

    assert fits(1 << 30) == 2048 and fits(1 << 30, n_processes=3) == 512 and fits(1 << 10) is None
    needed = sum(memory(HALF, device=GPU, batch_tokens=2048, micro_batch_tokens=256).values())
    assert fits(needed / 0.85 + 1) == 256 and fits(needed / 0.85 - 1) == 128
    assert fits(1 << 30, n_processes=1000) is None


@pytest.mark.parametrize(
    ("gigabytes", "level", "message"),
    [
        (1, logging.INFO, "micro_batch_tokens: 240 would fit"),
        (0.00022, logging.WARNING, "micro_batch_tokens: 30 would fit"),
        (0.0004, None, ""),
        (0.00001, logging.WARNING, "no micro_batch_tokens fits"),
    ],
)
def test_a_gpu_that_is_too_small_or_far_too_large_is_told(monkeypatch, caplog, gigabytes, level, message):
    card = SimpleNamespace(name="H100", total_memory=int(gigabytes * 1e9))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    with caplog.at_level(logging.INFO):
        log_memory(Transformer(MODEL, 64, 2), settings(), HALF, 1, GPU)
    plan, of_card, *advice = caplog.records
    assert "GB of tensors per process" in plan.getMessage() and of_card.getMessage().startswith("H100 has")
    assert [(record.levelno, message in record.getMessage()) for record in advice] == ([(level, True)] if level else [])


def test_what_saves_memory():
    whole, recomputed = memory(), memory(Compute(activation_checkpointing=True))
    assert recomputed["activations"] < 0.7 * whole["activations"]
    assert memory(Compute(zero_stage1=True), n_processes=4)["optimizer"] == whole["optimizer"] // 4
    assert memory(micro_batch_tokens=60)["activations"] == whole["activations"] / 2


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory: ...")],
)
def test_lack_of_memory_says_which_key_to_halve(error):
    with (
        pytest.raises(TrainingError, match="set it to 60: an update keeps its 240 tokens, in more batches"),
        memory_errors(settings()),
    ):
        raise error


def test_a_real_lack_of_memory_on_a_cpu_is_recognized():
    with pytest.raises(TrainingError, match="micro_batch_tokens"), memory_errors(settings()):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shape"), memory_errors(settings()):
        raise RuntimeError("shape mismatch")
