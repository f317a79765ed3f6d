"""Fine-tuning of a pretrained encoder on labelled sentences or pairs, shared by XNLI and GLUE (paper, section 5.1).

A head with one output learns scores by squared errors (regression), one with several learns classes.

Shapes: N examples of a dataset.
"""

import copy
import logging
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlm_core import digests
from xlm_core.config import Finetuning, Optim, to_dict
from xlm_core.data.batch import Batch
from xlm_core.data.labelled import LabelledDataset, epoch_batches
from xlm_core.io import atomic, write_json
from xlm_core.metrics.loss import LossSum
from xlm_core.model import checkpoint
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import classification_loss, resolve_dtype
from xlm_core.tasks.classification import model_selection
from xlm_core.tasks.classification.evaluate import (
    Evaluation,
    data_digest,
    evaluate,
    open_datasets,
    warn_of_truncation,
)
from xlm_core.tasks.classification.model_selection import BestCheckpoint
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import Intervals, TrainingRun, train
from xlm_core.train.optimizer import make_optimizer
from xlm_core.train.state import TrainState, resume
from xlm_core.train.step import MicroBatch, dropout_seed

LOG = logging.getLogger(__name__)
SELECTED = "selected.json"  # in the folder of a learning rate
Metrics = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]


@dataclass(frozen=True)
class FinetuneArgs:
    """How an encoder is fine-tuned.

    settings            section ``finetuning`` of the task
    n_classes           outputs of the head
    precision           as in the section ``compute`` of the configuration
    seed                of the head's first weights, the order of the examples and dropout
    code_digest         digest of the code
    checkpoint_minutes  between checkpoints
    work                folder of checkpoints and logs, which survive a killed job
    n_threads           of the computation
    n_train             language -> training examples to use, drawn at random; None, or left out, for all
    metrics             what selects the model: labels (N,) and predictions (N,) -> metrics in percent, whose mean over
                        all validation sets counts; None for accuracy
    """

    settings: Finetuning
    n_classes: int
    precision: str
    seed: int
    code_digest: str
    checkpoint_minutes: float
    work: Path
    n_threads: int
    n_train: Mapping[str, int | None] = field(default_factory=dict)
    metrics: Metrics | None = None


@dataclass(frozen=True)
class DatasetSplits:
    """The data of a fine-tuning.

    train  training examples
    valid  name -> validation examples, which select the model
    test   language -> test examples of the languages for which a checkpoint is selected one by one
    """

    train: LabelledDataset
    valid: Mapping[str, LabelledDataset]
    test: Mapping[str, LabelledDataset]


def finetune(
    *,
    encoder: Path,
    train: Mapping[str, Path],
    valid: Mapping[str, Path],
    test: Mapping[str, Path],
    args: FinetuneArgs,
    output: Path,
    selected: Path | None,
    history: Path,
) -> None:
    """Fine-tune an encoder with each learning rate and save the classifier of the best evaluation.

    Args:
        encoder: a pretrained model.
        train: language -> store of training examples, all of which are one training set.
        valid: name -> validation store.
        test: language -> test store, of the languages whose best checkpoint is selected one by one; may be empty.
        output: the classifier.
        selected: JSON, language of ``test`` -> ``BestCheckpoint``; None where there is none.
        history: JSON lines of losses and validation metrics, with the learning rate that was selected.
    """
    torch.set_num_threads(args.n_threads)
    model, pretrained = checkpoint.load(encoder)
    examples = LabelledDataset.concatenate(open_datasets(train, pretrained, args.n_train).values())
    splits = DatasetSplits(examples, open_datasets(valid, pretrained), open_datasets(test, pretrained))
    warn_of_truncation("training", splits.train, args.settings.max_tokens)
    metadata = finetuned_metadata(pretrained, splits, args)
    digest = digests.of_value([metadata["config"], metadata["data"], args.code_digest, metadata["seed"], args.seed])
    work = args.work / digest
    classifier, rate, best = search_learning_rate(model, splits, args, work, digest)
    metadata |= {"learning_rate": rate, "max_tokens": args.settings.max_tokens}
    checkpoint.save(output, classifier.encoder, metadata, head=classifier.head)
    if selected:
        write_json(selected, best)
    with atomic(history) as partial_file:
        shutil.copyfile(rate_folder(work, rate) / LOG_NAME, partial_file)


def finetuned_metadata(encoder: Mapping[str, Any], splits: DatasetSplits, args: FinetuneArgs) -> dict[str, Any]:
    """Describe a fine-tuned model: the metadata of its encoder, its settings, and its examples by language."""
    languages, train = sorted(encoder["languages"]), splits.train
    settings = [to_dict(args.settings), dict(args.n_train), list(splits.test), args.precision]
    return {
        **encoder,
        "config": digests.of_value([encoder["config"], *settings]),
        "data": data_digest(encoder, train),
        "n_train": {languages[part.language_id]: len(part.records) for part in train.parts},
    }


def search_learning_rate(
    encoder: Transformer, splits: DatasetSplits, args: FinetuneArgs, work: Path, digest: str
) -> tuple[Classifier, float, dict[str, BestCheckpoint]]:
    """Fine-tune a copy of ``encoder`` with each learning rate and select the best evaluation of all.

    Args:
        work: folder of checkpoints and logs, one below it per learning rate.
        digest: of everything that the run depends on except its learning rate.

    Returns:
        The classifier, its learning rate, and the best evaluation of each language of ``splits.test``.
    """
    best, best_rate, best_error = None, math.nan, math.inf
    for rate in args.settings.learning_rates:
        torch.manual_seed(args.seed)
        classifier = Classifier(copy.deepcopy(encoder), args.n_classes, args.settings.dropout)
        error = train_classifier(classifier, splits, args, rate, rate_folder(work, rate), digest)
        if best is None or error < best_error:
            best, best_rate, best_error = classifier.cpu().eval(), rate, error
    assert best is not None, "the configuration wants a learning rate"
    metric = "mean validation accuracy" if args.metrics is None else "mean of the validation metrics"
    LOG.info("selected learning rate %g: %s %.2f %%", best_rate, metric, 100 - best_error)
    runs = [model_selection.read(rate_folder(work, rate) / SELECTED) for rate in args.settings.learning_rates]
    return best, best_rate, model_selection.merge(runs)


def rate_folder(work: Path, rate: float) -> Path:
    """Return the folder of checkpoints and log of one learning rate."""
    return work / f"{rate:g}"


def train_classifier(
    classifier: Classifier, splits: DatasetSplits, args: FinetuneArgs, rate: float, folder: Path, digest: str
) -> float:
    """Train with one learning rate, and set ``classifier`` to its best evaluation.

    Returns:
        The ``mean_error`` of that evaluation.
    """
    settings, processes = args.settings, DistributedContext()
    classifier.to(processes.device)
    updates_per_epoch = math.ceil(len(splits.train) / settings.batch_size)
    optim = linear_decay(settings, rate, settings.epochs * updates_per_epoch)
    state = TrainState(classifier, make_optimizer(classifier, optim))
    resume(folder, state, digest, processes)
    run = _Run(classifier, splits, args, rate, folder, processes.device)
    intervals = Intervals(
        eval_interval=max(1, updates_per_epoch // settings.evaluations_per_epoch),
        log_interval=max(1, updates_per_epoch // 10),
        patience=0,
        checkpoint_minutes=args.checkpoint_minutes,
    )
    train(
        state,
        run.micro_batches,
        lambda: run.validate(state.progress.update),
        TrainingRun(optim, intervals, folder, digest, processes),
        criterion=mean_error,
        average_last=1,
    )
    return state.progress.best


def linear_decay(settings: Finetuning, rate: float, n_updates: int) -> Optim:
    """Warm up, then decay linearly to zero: a constant high rate can end in one class for every input."""
    return Optim(
        learning_rate=rate,
        schedule="linear",
        warmup_updates=int(settings.warmup_ratio * n_updates),
        max_updates=n_updates,
        beta2=0.999,
        max_grad_norm=settings.max_grad_norm,
    )


def mean_error(metrics: Mapping[str, LossSum | float]) -> float:
    """Criterion of model selection: 100 minus the mean accuracy or metric of the validation sets (lower is better)."""
    values = [value.accuracy if isinstance(value, LossSum) else value for value in metrics.values()]
    return 100 - sum(values) / len(values)


@dataclass(frozen=True)
class _Run:
    """The fine-tuning of a classifier with one learning rate, whose checkpoints are in ``folder``."""

    classifier: Classifier
    splits: DatasetSplits
    args: FinetuneArgs
    rate: float
    folder: Path
    device: torch.device

    def validate(self, update: int) -> Mapping[str, LossSum | float]:
        """Evaluate the validation sets after an update, and record the best checkpoint of each language."""
        evaluations = {name: self._evaluate(dataset) for name, dataset in self.splits.valid.items()}
        if self.args.metrics is not None:
            return {
                f"{name}, {metric}": value
                for name, evaluation in evaluations.items()
                for metric, value in self.args.metrics(evaluation.dataset.labels, evaluation.predictions).items()
            }
        losses, test = {name: evaluation.loss for name, evaluation in evaluations.items()}, self.splits.test
        model_selection.update_best(
            self.folder / SELECTED, test, losses, lambda name: self._evaluate(test[name]).loss, update, self.rate
        )
        return losses

    def micro_batches(self, update: int) -> list[MicroBatch]:
        """Return the batch of an update, a pure function of its number; every example occurs once per epoch."""
        dataset, seed = self.splits.train, self.args.seed
        epoch, number = divmod(update, math.ceil(len(dataset) / self.args.settings.batch_size))
        indices = self._epoch_batches(epoch)[number]
        batch = dataset.batch(indices, self.args.settings.max_tokens).to(self.device)
        labels = torch.from_numpy(dataset.labels[indices]).to(self.device)
        loss = partial(self._loss, batch, labels)
        return [MicroBatch("classification", len(indices), int(batch.lengths.sum()), dropout_seed(seed, update), loss)]

    @cached_property
    def _epoch_batches(self) -> Callable[[int], list[np.ndarray]]:
        batch_size, seed = self.args.settings.batch_size, self.args.seed
        return lru_cache(maxsize=1)(partial(epoch_batches, self.splits.train.lengths, batch_size, seed))

    def _evaluate(self, dataset: LabelledDataset) -> Evaluation:
        return evaluate(self.classifier, dataset, self.args.settings.max_tokens, self.device)

    def _loss(self, batch: Batch, labels: Tensor) -> LossSum:
        self.classifier.train()  # an evaluation may lie before this update
        return classification_loss(self.classifier, batch, labels, resolve_dtype(self.args.precision, self.device))
