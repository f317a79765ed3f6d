"""What happens on a pretended GPU, as JSON: ``python scenarios.py LIBRARY``, the compiled ``pretended.cpp``.

A process of its own, because PyTorch asks for its CUDA part once, when it is imported.
"""

import copy
import ctypes
import json
import sys
from collections.abc import Callable
from typing import Any

ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)

import numpy as np  # noqa: E402
import pretended_gpu  # noqa: E402
import torch  # noqa: E402
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException  # noqa: E402

INFERENCE_MODE = torch.inference_mode
torch.inference_mode = torch.no_grad  # type: ignore[assignment, misc]  # its values are no inference tensors

from small_batches import (  # noqa: E402
    OPTIM,
    block,
    encoder,
    mlm,
    padded,
    sentences,
    talkative,
    translator,
)

from xlm_core.config import DecodingConfig  # noqa: E402
from xlm_core.data.batch import Batch, sentence_batch  # noqa: E402
from xlm_core.data.objective_batches import clm_batch, translation_batch  # noqa: E402
from xlm_core.history import ObjectiveKey  # noqa: E402
from xlm_core.metrics.loss import LossSum  # noqa: E402
from xlm_core.model.decoding import decode  # noqa: E402
from xlm_core.model.encoder_decoder import EncoderDecoder  # noqa: E402
from xlm_core.model.heads import Classifier  # noqa: E402
from xlm_core.model.transformer import Transformer  # noqa: E402
from xlm_core.tasks.perplexity import token_nll  # noqa: E402
from xlm_core.train.distributed import DistributedContext  # noqa: E402
from xlm_core.train.loop import MicroBatch, train_step  # noqa: E402
from xlm_core.train.losses import classification_loss, token_loss, translation_loss  # noqa: E402
from xlm_core.train.optimization import make_optimizer  # noqa: E402
from xlm_core.train.state import TrainState  # noqa: E402

torch.inference_mode = INFERENCE_MODE  # type: ignore[misc]

N_UPDATES, MICRO_BATCHES = 3, 2
Spoil = Callable[[LossSum], object]


def token_update(make_batch: Callable[[int], Batch], causal: bool = False, checkpointing: bool = False) -> Any:
    """Model, batches and loss of an update of CLM, MLM or TLM."""

    def make_model() -> Transformer:
        model = encoder()
        model.gradient_checkpointing = checkpointing
        return model

    def loss(model: Transformer, batch: Batch) -> LossSum:
        return token_loss(model, batch.to(pretended_gpu.GPU), causal, torch.bfloat16)

    return make_model, make_batch, loss


def translation_update() -> Any:
    """Model, batches and loss of an update of machine translation."""

    def loss(model: EncoderDecoder, pair: Any) -> LossSum:
        return translation_loss(model, pair.to(pretended_gpu.GPU), torch.bfloat16, 0.1)

    return translator, lambda seed: translation_batch(sentences(seed), sentences(seed + 50), (0, 1)), loss


def classification_update(n_classes: int) -> Any:
    """Model, batches and loss of an update of fine-tuning."""

    def loss(model: Classifier, batch: Batch) -> LossSum:
        labels = torch.zeros(6, dtype=torch.int64, device=pretended_gpu.GPU)
        return classification_loss(model, batch.to(pretended_gpu.GPU), labels, torch.bfloat16)

    return lambda: Classifier(encoder(), n_classes, 0.1), lambda seed: sentence_batch(sentences(seed), 0), loss


UPDATES = {
    "clm": token_update(lambda seed: clm_batch(block(seed), 0), causal=True),
    "mlm": token_update(mlm),
    "tlm": token_update(padded),
    "tlm, activations computed again": token_update(padded, checkpointing=True),
    "translation": translation_update(),
    "classification": classification_update(3),
    "regression": classification_update(1),
}
WAITING: dict[str, Spoil] = {
    "a boolean mask": lambda loss: loss.loss_sum.detach()[loss.loss_sum.detach() > 0],
    "a copy to the host": lambda loss: loss.loss_sum.detach().cpu(),
    "nonzero": lambda loss: loss.loss_sum.detach().reshape(1).nonzero(),
}


def update(kind: str, spoil: Spoil = lambda loss: None) -> dict[str, Any]:
    """Record the second and later updates: the first one makes the optimizer's state."""
    make_model, make_batch, compute = UPDATES[kind]
    on_host = [make_batch(seed) for seed in range(N_UPDATES)]
    recorder = pretended_gpu.Recorder()
    with pretended_gpu.shapes_alone(recorder) as mode:
        processes = DistributedContext()
        with processes.device:
            model = make_model().train()
        state = TrainState(model, make_optimizer(model, OPTIM))

        def enter(batch: Any) -> Any:
            if isinstance(batch, tuple):
                return type(batch)(*map(enter, batch))
            return batch._map(mode.from_tensor)

        def loss(batch: Any) -> LossSum:
            computed: LossSum = compute(model, batch)
            spoil(computed)
            return computed

        for number, batch in enumerate(on_host):
            if number == 1:
                recorder.waits.clear()
                recorder.launches.clear()
            prepared = enter(batch)
            part = MicroBatch(ObjectiveKey("mlm"), 9, 9, 1, lambda prepared=prepared: loss(prepared))
            train_step(state, [part] * MICRO_BATCHES, 9, OPTIM, processes)
        devices = {str(weight.device) for weight in model.parameters()}
    n_launches = recorder.launches.total() / (N_UPDATES - 1)
    return {"waits": recorder.waits, "launches": n_launches, "devices": sorted(devices)}


def is_noticed(spoil: Spoil) -> bool:
    """Whether an update that waits for the GPU is recorded, or cannot be computed by shapes alone."""
    try:
        return bool(update("mlm", spoil)["waits"])
    except (DataDependentOutputException, DynamicOutputShapeException):
        return True


def mixed_devices_are_noticed() -> bool:
    """Whether a tensor of the host among those of the GPU is recorded."""
    with pretended_gpu.values() as recorder:
        torch.ones(3, device="cuda") + torch.ones(3)
    return bool(recorder.mismatches)


def decoding(beam_size: int) -> dict[str, Any]:
    """Translate on the CPU and on the pretended GPU."""
    torch.manual_seed(0)
    model, search = talkative(), DecodingConfig(beam_size=beam_size, max_length_b=5)
    source = sentence_batch(sentences(7, 24, (20, 26)), 0)
    expected = decode(model, source, 1, search)
    with pretended_gpu.values() as recorder:
        source, on_gpu = source.to(pretended_gpu.GPU), pretended_gpu.on_gpu(copy.deepcopy(model))
        recorder.waits.clear()
        actual = decode(on_gpu, source, 1, search)
    same = [[best.tokens for best in each] for each in actual] == [[best.tokens for best in each] for each in expected]
    n_steps = max(len(best.tokens) for each in expected for best in each)
    return {"equal": same, "waits": recorder.waits, "steps": n_steps, "mismatches": recorder.mismatches}


def scoring() -> dict[str, Any]:
    """Score a text by perplexity on the CPU and on the pretended GPU."""
    torch.manual_seed(0)
    model, batches = encoder(), [clm_batch(block(seed), 0) for seed in range(2)]
    expected = token_nll(copy.deepcopy(model), iter(batches))
    with pretended_gpu.values() as recorder:
        actual = token_nll(pretended_gpu.on_gpu(copy.deepcopy(model)), iter(batches))
    return {"equal": bool(np.allclose(actual, expected, atol=1e-5)), "mismatches": recorder.mismatches}


if __name__ == "__main__":
    report = {
        "updates": {kind: update(kind) for kind in UPDATES},
        "noticed": {name: is_noticed(spoil) for name, spoil in WAITING.items()},
        "mixed devices are noticed": mixed_devices_are_noticed(),
        "decoding": {size: decoding(size) for size in (1, 4)},
        "scoring": scoring(),
    }
    json.dump(report, sys.stdout, indent=1)
