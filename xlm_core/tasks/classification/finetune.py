"""Fine-tuning of a pretrained encoder on labelled sentences or pairs, shared by XNLI and GLUE (paper, section 5.1).

A head with one output learns scores by squared errors (regression), one with several learns classes.

The saved model is one for all languages. The published numbers take the best checkpoint of each language: whenever the
validation accuracy of a language rises during fine-tuning, its test set is scored, and the last such score counts.

Shapes: B rows of a batch, N examples of a dataset.
"""

import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlm_core import digests
from xlm_core.config import Compute, Finetuning, Optim, to_dict
from xlm_core.data.labelled import LabelledDataset, epoch_batches
from xlm_core.history import Metrics, ObjectiveKey
from xlm_core.interop import encoders
from xlm_core.io import copy_file, read_json, write_json
from xlm_core.metrics.loss import LossSum
from xlm_core.model import checkpoint
from xlm_core.model.device import compile_layers, resolve_dtype
from xlm_core.model.encoder import Encoder
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import LOG_NAME
from xlm_core.train.loop import MicroBatch, TrainingRun, dropout_seed, prefetch, train
from xlm_core.train.losses import classification_loss, freeze_unused_layers, head_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

LOG = logging.getLogger(__name__)
BATCH_SIZE = 128  # examples that are evaluated at once
SELECTED = "selected.json"  # beside the folders of the learning rates


@dataclass(frozen=True)
class FinetuneArgs:
    """How an encoder is fine-tuned.

    settings            section ``finetuning`` of the task
    labels              names of the classes, one output each; none for a score, which is a single output
    compute             section ``compute`` of the configuration, of which the precision counts for the result
    seed                of the head's first weights, the order of the examples and dropout
    code_digest         digest of the code
    checkpoint_minutes  between checkpoints
    work                folder of checkpoints and logs, which survive a killed job
    n_train             language -> training examples to use, drawn at random; None, or left out, for all
    metrics             what selects the model: labels (N,) and predictions (N,) -> metrics in percent, whose mean over
                        all validation sets counts; None for accuracy
    """

    settings: Finetuning
    labels: Sequence[str]
    compute: Compute
    seed: int
    code_digest: str
    checkpoint_minutes: float
    work: Path
    n_train: Mapping[str, int | None] = field(default_factory=dict)
    metrics: Callable[[np.ndarray, np.ndarray], Mapping[str, float]] | None = None


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
        selected: JSON, language of ``test`` -> its best evaluation: "valid_accuracy" in percent, "update",
            "learning_rate", and the test examples, "n_correct" of "n"; None where no checkpoint is selected so.
        history: JSON lines of losses and validation metrics, with the learning rate that was selected.
    """
    model, pretrained = encoders.load(encoder)
    if args.settings.average_language_embeddings:
        model.average_language_embeddings()
    by_language = open_datasets(train, pretrained, args.n_train)
    examples = LabelledDataset(tuple(part for dataset in by_language.values() for part in dataset.parts))
    splits = DatasetSplits(examples, open_datasets(valid, pretrained), open_datasets(test, pretrained))
    warn_of_truncation("training", splits.train, args.settings.max_tokens)
    metadata = finetuned_metadata(pretrained, splits, args)
    digest = digests.of_value([metadata["config"], metadata["data"], args.code_digest, metadata["seed"], args.seed])
    best = search_learning_rate(model, splits, args, digest)
    language_ids = "averaged" if args.settings.average_language_embeddings else "yes"
    metadata |= {"learning_rate": best.rate, "max_tokens": args.settings.max_tokens, "language_ids": language_ids}
    checkpoint.save(output, best.classifier.encoder, metadata, head=best.classifier.head)
    if selected:
        copy_file(best.folder.parent / SELECTED, selected)
    copy_file(best.folder / LOG_NAME, history)


def finetuned_metadata(encoder: Mapping[str, Any], splits: DatasetSplits, args: FinetuneArgs) -> dict[str, Any]:
    """Describe a fine-tuned model: the metadata of its encoder, its settings, and its examples by language."""
    languages, train = sorted(encoder["languages"]), splits.train
    settings = [to_dict(args.settings), dict(args.n_train), list(splits.test), args.compute.precision]
    return {
        **encoder,
        "labels": list(args.labels),
        "config": digests.of_value([encoder["config"], *settings]),
        "data": data_digest(encoder, train),
        "n_train": {languages[part.language_id]: len(part.records) for part in train.parts},
    }


def search_learning_rate(encoder: Encoder, splits: DatasetSplits, args: FinetuneArgs, digest: str) -> "FinetuningRun":
    """Fine-tune a copy of ``encoder`` with each learning rate and return the run of the best evaluation of all.

    Args:
        digest: of everything that the run depends on except its learning rate.
    """
    rates = args.settings.learning_rates
    error, run = min((train_classifier(encoder, splits, args, rate, digest) for rate in rates), key=itemgetter(0))
    metric = "mean validation accuracy" if args.metrics is None else "mean of the validation metrics"
    LOG.info("selected learning rate %g: %s %.2f %%", run.rate, metric, 100 - error)
    return run


def train_classifier(
    encoder: Encoder, splits: DatasetSplits, args: FinetuneArgs, rate: float, digest: str
) -> tuple[float, "FinetuningRun"]:
    """Fine-tune a copy of ``encoder`` with one learning rate, which decays linearly to zero after a warmup.

    A constant high rate can end in one class for every input.

    Returns:
        The mean error of the best evaluation, and the run, with the classifier of that evaluation on the CPU.
    """
    settings, processes = args.settings, DistributedContext()
    torch.manual_seed(args.seed)
    classifier = make_classifier(encoder, len(args.labels) or 1, settings).to(processes.device)
    if isinstance(classifier.encoder, Transformer):  # layers of transformers are not compiled
        compile_layers(classifier.encoder.layers, args.compute.compile, processes.device)
    run = FinetuningRun(classifier, splits, args, rate, args.work / digest / f"{rate:g}", processes.device)
    n_updates = settings.epochs * run.updates_per_epoch
    optim = Optim(
        learning_rate=rate,
        schedule="linear",
        warmup_updates=int(settings.warmup_ratio * n_updates),
        max_updates=n_updates,
        beta2=0.999,
        max_grad_norm=settings.max_grad_norm,
    )
    state = TrainState(classifier, make_optimizer(classifier, optim))
    training = TrainingRun(
        optim,
        run.folder,
        digest,
        processes,
        eval_interval=max(1, run.updates_per_epoch // settings.evaluations_per_epoch),
        log_interval=max(1, run.updates_per_epoch // 10),
        patience=0,
        checkpoint_minutes=args.checkpoint_minutes,
    )
    with prefetch(run.micro_batches, n_updates) as prefetched:
        train(state, prefetched, partial(run.validate, state), training, criterion=run.mean_error)
    classifier.cpu().eval()
    return state.progress.best, run


def make_classifier(encoder: Encoder, n_classes: int, settings: Finetuning) -> Classifier:
    """Put a random head of ``n_classes`` outputs on a copy of ``encoder``; what is not to be trained is frozen."""
    classifier = Classifier(copy.deepcopy(encoder), n_classes, settings.dropout)
    if isinstance(classifier.encoder, Transformer):
        freeze_unused_layers(classifier.encoder, pools=True)
    if settings.n_frozen_layers is not None:
        classifier.encoder.freeze(settings.n_frozen_layers)
    return classifier


@dataclass(frozen=True)
class Evaluation:
    """The predictions of a classifier on a dataset.

    loss         summed over all examples, with the number of right predictions
    predictions  (N,) int64 classes or float64 scores, in the order of the examples
    """

    dataset: LabelledDataset
    loss: LossSum
    predictions: np.ndarray


@torch.inference_mode()
def evaluate(classifier: Classifier, dataset: LabelledDataset, max_tokens: int) -> Evaluation:
    """Classify all examples; examples of similar length share a batch, which pads little."""
    classifier.eval()
    device = classifier.head.classes.weight.device
    is_regression = classifier.head.classes.out_features == 1
    order = np.argsort(dataset.lengths, kind="stable")
    loss, predictions = LossSum.zero(device), np.empty(len(order), dtype=np.float64 if is_regression else np.int64)
    for start in range(0, len(order), BATCH_SIZE):
        indices = order[start : start + BATCH_SIZE]
        labels = torch.from_numpy(dataset.labels[indices]).to(device)
        scores = classifier(dataset.batch(indices, max_tokens).to(device)).float()  # (B, n_classes)
        loss = loss + head_loss(scores, labels)
        predictions[indices] = (scores[:, 0] if is_regression else scores.argmax(dim=-1)).cpu().numpy()
    return Evaluation(dataset, loss, predictions)


@dataclass(frozen=True)
class FinetuningRun:
    """The fine-tuning of a classifier with one learning rate, whose checkpoints are in ``folder``."""

    classifier: Classifier
    splits: DatasetSplits
    args: FinetuneArgs
    rate: float
    folder: Path
    device: torch.device

    @property
    def updates_per_epoch(self) -> int:
        """Batches of the training examples."""
        return math.ceil(len(self.splits.train) / self.args.settings.batch_size)

    def mean_error(self, metrics: Metrics) -> float:
        """Compute the criterion of model selection: 100 minus the mean accuracy or metric of the validation sets."""
        all_count = self.args.metrics is not None
        values = [value for each in metrics.values() for name, value in each.items() if all_count or name == "accuracy"]
        return 100 - sum(values) / len(values)

    def validate(self, state: TrainState) -> Metrics:
        """Evaluate the validation sets after an update, and record the best checkpoint of each language."""
        evaluations = {name: self._evaluate(dataset) for name, dataset in self.splits.valid.items()}
        if self.args.metrics is not None:
            return {
                ObjectiveKey(name): self.args.metrics(evaluation.dataset.labels, evaluation.predictions)
                for name, evaluation in evaluations.items()
            }
        self._update_best(evaluations, state.progress.update)
        return {ObjectiveKey("classification", (name,)): each.loss.metrics for name, each in evaluations.items()}

    def micro_batches(self, update: int) -> list[MicroBatch]:
        """Return the batch of an update, a pure function of its number; every example occurs once per epoch."""
        dataset, seed = self.splits.train, self.args.seed
        epoch, number = divmod(update, self.updates_per_epoch)
        indices = self._epoch_batches(epoch)[number]
        batch, labels = dataset.batch(indices, self.args.settings.max_tokens), torch.from_numpy(dataset.labels[indices])
        if self.device.type == "cuda":
            batch, labels = batch.pinned(), labels.pin_memory()

        def loss() -> LossSum:
            self.classifier.train()  # an evaluation may lie before this update
            dtype = resolve_dtype(self.args.compute.precision, self.device)
            on_device = labels.to(self.device, non_blocking=True)
            return classification_loss(self.classifier, batch.to(self.device), on_device, dtype)

        key, n_tokens = ObjectiveKey("classification"), int(batch.lengths.sum())
        return [MicroBatch(key, len(indices), n_tokens, dropout_seed(seed, update), loss)]

    @cached_property
    def _epoch_batches(self) -> Callable[[int], list[np.ndarray]]:
        batch_size, seed = self.args.settings.batch_size, self.args.seed
        return lru_cache(maxsize=1)(partial(epoch_batches, self.splits.train.lengths, batch_size, seed))

    def _update_best(self, valid: Mapping[str, Evaluation], update: int) -> None:
        """Test the languages whose validation accuracy is the best so far, of all learning rates, and record them.

        Recording an evaluation again, as a training does that was killed and resumed, changes nothing.
        """
        path = self.folder.parent / SELECTED
        best = read_json(path) if path.exists() else {}
        for language, test in self.splits.test.items():
            accuracy = valid[language].loss.accuracy
            if language not in best or accuracy > best[language]["valid_accuracy"]:
                loss = self._evaluate(test).loss
                best[language] = {
                    "valid_accuracy": accuracy,
                    "update": update,
                    "learning_rate": self.rate,
                    "n_correct": int(loss.n_correct),
                    "n": loss.count,
                }
        write_json(path, best)

    def _evaluate(self, dataset: LabelledDataset) -> Evaluation:
        return evaluate(self.classifier, dataset, self.args.settings.max_tokens)


def warn_of_truncation(name: str, dataset: LabelledDataset, max_tokens: int) -> int:
    """Count the examples that are truncated, and log their number where there are any."""
    if n_truncated := dataset.n_truncated(max_tokens):
        LOG.warning(
            "%s: %d of %d examples have more than %d tokens and are cut", name, n_truncated, len(dataset), max_tokens
        )
    return n_truncated


def open_datasets(
    stores: Mapping[str, Path], metadata: Mapping[str, Any], n: Mapping[str, int | None] | None = None
) -> dict[str, LabelledDataset]:
    """Open each store for the model that ``metadata`` describes.

    Args:
        n: name of a store -> examples of it to draw at random; None, or left out, for all.
    """
    sizes = n or {}
    return {name: LabelledDataset.open(path, metadata, sizes.get(name)) for name, path in stores.items()}


def data_digest(metadata: Mapping[str, Any], dataset: LabelledDataset) -> str:
    """Digest all data behind a number: what the model was trained on, and the dataset."""
    return digests.of_value([metadata["data"], *(part.store.digest for part in dataset.parts)])
