"""Classification of sentences and pairs with a pretrained encoder: one loop for every task (paper, section 5.1).

A classifier with one output gives scores instead of classes: regression, by squared errors.

Letters: B rows, N examples.
"""

import copy
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xlm_core.config import Finetuning, Optim
from xlm_core.data import labelled
from xlm_core.data.batch import Batch
from xlm_core.data.labelled import Examples
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import TrainingError
from xlm_core.metrics.loss import LossSum, zero
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import classification_loss, precision_of, regression_loss
from xlm_core.tasks.classification import selection
from xlm_core.tasks.classification.selection import BestCheckpoint
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import Intervals, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState, resume
from xlm_core.train.step import Part, dropout_seed

LOG = logging.getLogger(__name__)
EVALUATION_BATCH = 128
SELECTION = "selected.json"  # in the folder of a learning rate
COLLAPSED = 0.99  # share of one class among the predictions from which on a classifier says nothing
Metrics = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]


@dataclass(frozen=True)
class Data:
    """What a fine-tuning learns from and is judged by.

    train  training examples
    valid  language -> validation examples: their mean accuracy selects the one model for all languages
    test   language -> test examples, of the languages for which the best evaluation is also selected one by one
    metrics  what selects instead, where it is not accuracy: labels (N,) and predictions (N,) -> the task's metrics by
             their names, in percent; their mean counts
    """

    train: Examples
    valid: Mapping[str, Examples]
    test: Mapping[str, Examples]
    metrics: Metrics | None = None


def finetune(
    encoder: Transformer,
    n_classes: int,
    data: Data,
    settings: Finetuning,
    *,
    seed: int,
    precision: str,
    checkpoint_minutes: float,
    work: Path,
    digest: str,
) -> tuple[Classifier, float, dict[str, BestCheckpoint]]:
    """Fine-tune a copy of ``encoder`` with each learning rate and keep the best evaluation of all.

    Args:
        seed: of the head's first weights, the order of the examples and dropout.
        precision: as in the section ``compute`` of the configuration.
        checkpoint_minutes: between checkpoints.
        work: folder of checkpoints and logs, one below it per learning rate.
        digest: of everything the run depends on but its learning rate.

    Returns:
        The classifier, its learning rate, and the best evaluation of each language of ``data.test``.
    """
    best, best_rate, best_error = None, math.nan, math.inf
    for rate in settings.learning_rates:
        torch.manual_seed(seed)
        classifier = Classifier(copy.deepcopy(encoder), n_classes, settings.dropout)
        folder = rate_folder(work, rate)
        error = _train(classifier, data, settings, rate, seed, precision, checkpoint_minutes, folder, digest)
        if best is None or error < best_error:
            best, best_rate, best_error = classifier.cpu().eval(), rate, error
    assert best is not None, "the configuration wants a learning rate"
    what = "mean validation accuracy" if data.metrics is None else "mean of the validation metrics"
    LOG.info("kept learning rate %g: %s %.2f %%", best_rate, what, 100 - best_error)
    selected = [selection.read(rate_folder(work, rate) / SELECTION) for rate in settings.learning_rates]
    return best, best_rate, selection.best_of(selected)


def rate_folder(work: Path, rate: float) -> Path:
    """Where the training with one learning rate has its checkpoints and its log."""
    return work / f"{rate:g}"


def _train(
    classifier: Classifier,
    data: Data,
    settings: Finetuning,
    rate: float,
    seed: int,
    precision: str,
    checkpoint_minutes: float,
    work: Path,
    digest: str,
) -> float:
    """Train with one learning rate; ``classifier`` is then at its best evaluation, whose ``mean_error`` returns."""
    processes = DistributedContext()
    device = processes.device
    classifier.to(device)
    per_epoch = math.ceil(len(data.train) / settings.batch_size)
    optim = _schedule(settings, rate, settings.epochs * per_epoch)
    state = TrainState(classifier, make_optimizer(classifier, optim))
    resume(work, state, digest, processes)
    batches_of = partial(labelled.epoch_batches, data.train.lengths, settings.batch_size, seed)

    def evaluate_all() -> Mapping[str, LossSum | float]:
        if data.metrics is not None:
            return _measured(classifier, data.valid, data.metrics, settings.max_tokens, device)
        found = {name: _tally(classifier, some, settings.max_tokens, device) for name, some in data.valid.items()}
        selection.note(
            work / SELECTION,
            data.test,
            found,
            lambda name: _tally(classifier, data.test[name], settings.max_tokens, device),
            update=state.progress.update,
            learning_rate=rate,
        )
        return found

    train(
        state,
        partial(_update, classifier, data.train, settings, lru_cache(maxsize=1)(batches_of), device, precision, seed),
        evaluate_all,
        optim=optim,
        rhythm=Intervals(
            eval_interval=max(1, per_epoch // settings.evaluations_per_epoch),
            log_every=max(1, per_epoch // 10),
            patience=0,
            checkpoint_minutes=checkpoint_minutes,
        ),
        criterion=mean_error if data.metrics is None else mean_shortfall,
        keep=1,
        folder=work,
        digest=digest,
        processes=processes,
    )
    return state.progress.best


def mean_error(tallies: Mapping[str, LossSum]) -> float:
    """What model selection lowers: wrong predictions, in percent, averaged over the validation sets."""
    return 100 - sum(tally.accuracy for tally in tallies.values()) / len(tallies)


def mean_shortfall(scores: Mapping[str, float]) -> float:
    """What model selection lowers where a task has metrics of its own: what they lack to 100, averaged."""
    return 100 - sum(scores.values()) / len(scores)


def _measured(
    classifier: Classifier, valid: Mapping[str, Examples], metrics: Metrics, max_tokens: int, device: torch.device
) -> dict[str, float]:
    """The metrics of all validation sets: ``MRPC, F1``."""
    found = {}
    for name, some in valid.items():
        _, predictions = evaluate(classifier, some, max_tokens, device)
        values = metrics(some.labels(np.arange(len(some))), predictions)
        found |= {f"{name}, {metric}": value for metric, value in values.items()}
    return found


def _schedule(settings: Finetuning, rate: float, n_updates: int) -> Optim:
    """Warm-up, then a straight line to zero: a constant high rate can end in one class for every input."""
    return Optim(
        learning_rate=rate,
        schedule="linear",
        warmup_updates=int(settings.warmup_ratio * n_updates),
        max_updates=n_updates,
        beta2=0.999,
        max_grad_norm=settings.max_grad_norm,
    )


def _update(
    classifier: Classifier,
    examples: Examples,
    settings: Finetuning,
    batches_of: Callable[[int], list[np.ndarray]],
    device: torch.device,
    precision: str,
    seed: int,
    update: int,
) -> list[Part]:
    """The batch of one update: a pure function of its number; every example comes once per epoch."""
    epoch, number = divmod(update, math.ceil(len(examples) / settings.batch_size))
    numbers = batches_of(epoch)[number]
    batch, labels = _batch(examples, numbers, settings.max_tokens, device)
    loss = partial(_training_loss, classifier, batch, labels, precision_of(precision, device))
    return [Part("classification", len(numbers), int(batch.lengths.sum()), dropout_seed(seed, update), loss)]


def _training_loss(classifier: Classifier, batch: Batch, labels: Tensor, precision: torch.dtype) -> LossSum:
    classifier.train()  # an evaluation may lie before this update
    loss = regression_loss if _is_regression(classifier) else classification_loss
    return loss(classifier, batch, labels, precision)


def _is_regression(classifier: Classifier) -> bool:
    return classifier.head.classes.out_features == 1


def _batch(examples: Examples, numbers: np.ndarray, max_tokens: int, device: torch.device) -> tuple[Batch, Tensor]:
    """A batch of B examples and their labels (B,)."""
    batch = examples.batch(numbers, max_tokens)
    return batch.to(device), torch.from_numpy(examples.labels(numbers)).to(device)


def _tally(classifier: Classifier, examples: Examples, max_tokens: int, device: torch.device) -> LossSum:
    return evaluate(classifier, examples, max_tokens, device)[0]


@torch.inference_mode()
def evaluate(
    classifier: Classifier, examples: Examples, max_tokens: int, device: torch.device
) -> tuple[LossSum, np.ndarray]:
    """Loss and accuracy over all examples, and the predicted class (N,) int64, or score (N,) float64, of each.

    Of scores the loss is the squared error, and none counts as right. Similar lengths share a batch, so that little is
    padded; the predictions come back in the examples' order.
    """
    classifier.eval()
    order = np.argsort(examples.lengths, kind="stable")
    predictions = np.empty(len(order), dtype=np.float64 if _is_regression(classifier) else np.int64)
    total = zero(device)
    for start in range(0, len(order), EVALUATION_BATCH):
        chosen = order[start : start + EVALUATION_BATCH]
        batch, labels = _batch(examples, chosen, max_tokens, device)
        scores = classifier(batch).float()  # (B, n_classes)
        if _is_regression(classifier):
            guesses = scores[:, 0]
            nats = functional.mse_loss(guesses, labels.float(), reduction="sum")
            correct = labels.new_zeros((), dtype=torch.int64)
        else:
            guesses = scores.argmax(dim=-1)
            nats = functional.cross_entropy(scores, labels, reduction="sum")
            correct = (guesses == labels).sum()
        total = total + LossSum(nats, len(labels), correct)
        predictions[chosen] = guesses.cpu().numpy()
    return total, predictions


def collapse(predictions: np.ndarray, classes: tuple[str, ...]) -> str:
    """A warning where nearly all predictions (N,) are one class, else an empty text."""
    counts = np.bincount(predictions, minlength=len(classes))
    share = counts.max() / max(1, counts.sum())
    return f"collapsed to '{classes[counts.argmax()]}' ({100 * share:.1f} %)" if share >= COLLAPSED else ""


def choose(store: TokenStore, language: int, n: int | None, seed: int) -> Examples:
    """``n`` examples drawn at random, or all where ``n`` is None.

    Raises:
        TrainingError: the store has fewer.
    """
    if n is None:
        return Examples((labelled.Part(store, language, np.arange(len(store))),))
    if n > len(store):
        raise TrainingError(f"{n} training examples are asked for, but there are {len(store)}; lower n_train")
    rows = np.random.default_rng([seed, len(store)]).choice(len(store), n, replace=False)
    return Examples((labelled.Part(store, language, np.sort(rows)),))
