"""Every stage on a real GPU beside the CPU: ``pytest -m gpu``."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from small_batches import N_TOKENS, OPTIM, block, encoder, mlm, padded, sentences, talkative, translator
from torch import nn
from torch.nn import functional

from xlm_core.config import DecodingConfig
from xlm_core.data.batch import sentence_batch
from xlm_core.data.objective_batches import clm_batch, translation_batch
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.model.decoding import decode
from xlm_core.model.device import compile_layers
from xlm_core.model.heads import Classifier, predict_tokens
from xlm_core.tasks.perplexity import token_nll
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.losses import classification_loss, freeze_unused_layers, token_loss, translation_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

GPU = torch.device("cuda")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: torch.cuda.is_available() is false"),
]
Loss = Callable[[Any, torch.device, torch.dtype], LossSum]


@pytest.fixture(autouse=True)
def exact_products() -> Iterator[None]:
    """Float32 as on a CPU, not as TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


def classifier(n_classes: int) -> Classifier:
    """With what no loss reaches left out of training."""
    made = Classifier(encoder(), n_classes, 0.1)
    freeze_unused_layers(made.encoder, pools=True)
    return made


def checkpointed() -> nn.Module:
    """An encoder that computes activations again."""
    made = encoder()
    made.gradient_checkpointing = True
    return made


def predict(batch: Any, causal: bool = False) -> Loss:
    """The loss of tokens of ``batch``."""
    return lambda model, device, dtype: token_loss(model, batch.to(device), causal, dtype)


def translate(model: Any, device: torch.device, dtype: torch.dtype) -> LossSum:
    """The loss of sentences."""
    return translation_loss(model, translation_batch(sentences(1), sentences(51), (0, 1)).to(device), dtype, 0.1)


def classify(model: Any, device: torch.device, dtype: torch.dtype) -> LossSum:
    """The loss of six rows of the first class, or of score zero."""
    labels = torch.zeros(6, dtype=torch.int64).to(device, non_blocking=True)
    return classification_loss(model, sentence_batch(sentences(1), 0).to(device), labels, dtype)


STAGES: dict[str, tuple[Callable[[], nn.Module], Loss]] = {
    "clm": (encoder, predict(clm_batch(block(1), 0), causal=True)),
    "mlm": (encoder, predict(mlm(1))),
    "tlm": (encoder, predict(padded(1))),
    "tlm, activations computed again": (checkpointed, predict(padded(1))),
    "translation": (translator, translate),
    "classification": (lambda: classifier(3), classify),
    "regression": (lambda: classifier(1), classify),
}


def loss_and_gradient(
    model: nn.Module, loss: Loss, device: torch.device, dtype: torch.dtype
) -> tuple[float, torch.Tensor]:
    """Without dropout, on the CPU."""
    summed = loss(model.eval(), device, dtype).loss_sum
    gradients = torch.autograd.grad(summed, [weight for weight in model.parameters() if weight.requires_grad])
    return summed.item(), torch.cat([gradient.flatten() for gradient in gradients]).cpu()


@pytest.mark.parametrize(
    ("dtype", "tolerance", "cosine"), [(torch.float32, 1e-4, 0.99999), (torch.bfloat16, 0.02, 0.99)]
)
@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize("stage", STAGES)
def test_loss_and_gradient_are_those_of_the_cpu(
    stage: str, compiles: bool, dtype: torch.dtype, tolerance: float, cosine: float
) -> None:
    make_model, loss = STAGES[stage]
    torch.manual_seed(0)
    model = make_model()
    expected, to_weights = loss_and_gradient(model, loss, torch.device("cpu"), torch.float32)
    on_gpu = copy.deepcopy(model).to(GPU)
    layers = [part for name, part in on_gpu.named_modules() if name.rpartition(".")[0].endswith("layers")]
    assert len(layers) in (3, 6)
    compile_layers(layers, compiles, GPU)
    actual, gradient = loss_and_gradient(on_gpu, loss, GPU, dtype)
    assert actual == pytest.approx(expected, rel=tolerance)
    assert functional.cosine_similarity(gradient, to_weights, dim=0) > cosine


@pytest.mark.parametrize("stage", STAGES)
def test_updates_lower_the_loss_and_never_wait(stage: str) -> None:
    make_model, loss = STAGES[stage]
    torch.manual_seed(0)
    model, processes = make_model().to(GPU).train(), DistributedContext()
    state = TrainState(model, make_optimizer(model, OPTIM))
    before = loss(model.eval(), GPU, torch.float32).loss_sum.item()
    model.train()
    part = MicroBatch(ObjectiveKey("mlm"), 9, 9, 1, lambda: loss(model, GPU, torch.bfloat16))
    for number in range(8):
        if number == 2:  # the optimizer has its state
            torch.cuda.set_sync_debug_mode("error")
        try:
            train_step(state, [part, part], 18, OPTIM, processes)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert state.skipped.item() == 0
    assert loss(model.eval(), GPU, torch.float32).loss_sum.item() < before


@pytest.mark.parametrize("beam_size", [1, 4])
def test_translations_are_those_of_the_cpu(beam_size: int) -> None:
    torch.manual_seed(0)
    model, search = talkative(), DecodingConfig(beam_size=beam_size, max_length_b=5)
    source = sentence_batch(sentences(7, 24, (20, 26)), 0)
    expected = decode(model, source, 1, search)
    actual = decode(copy.deepcopy(model).to(GPU), source.to(GPU), 1, search)
    assert [[best.tokens for best in each] for each in actual] == [[best.tokens for best in each] for each in expected]


def test_scores_are_those_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model, batches = encoder(), [clm_batch(block(seed), 0) for seed in range(2)]
    actual = token_nll(copy.deepcopy(model), iter(batches))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert np.allclose(actual, token_nll(model, iter(batches)), rtol=0.01)  # TF32


@pytest.mark.parametrize("n_tokens", [N_TOKENS, 64_139])
def test_predictions_of_a_vocabulary_that_is_padded_are_those_of_the_cpu(n_tokens: int) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(300, 64), torch.randn(n_tokens, 64), torch.randn(n_tokens)]
    labels = torch.randint(n_tokens, (300,))
    results = []
    for device in (torch.device("cpu"), GPU):
        inputs = [tensor.to(device).requires_grad_() for tensor in tensors]
        nats, _ = predict_tokens(*inputs, labels.to(device), 0.1)
        results.append([nats.cpu(), *(gradient.cpu() for gradient in torch.autograd.grad(nats, inputs))])
    for ours, expected in zip(*results, strict=True):
        assert torch.allclose(ours, expected, rtol=1e-4, atol=1e-4)
