"""Evaluation of fine-tuned classifiers, shared by XNLI and GLUE: predictions, accuracy, warnings, provenance.

Shapes: B rows of a batch, N examples of a dataset.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlm_core import digests
from xlm_core.data.labelled import LabelledDataset
from xlm_core.metrics.loss import LossSum
from xlm_core.model import checkpoint
from xlm_core.model.heads import Classifier
from xlm_core.results import Result, ResultContext
from xlm_core.train.losses import head_loss

LOG = logging.getLogger(__name__)
BATCH_SIZE = 128
COLLAPSED = 0.99  # share of one class among the predictions from which on a classifier counts as collapsed


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
    """Classify all examples, those of similar length together, which pads little."""
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


class FinetunedClassifier:
    """A saved classifier, on the device that it computes on, and the metadata of its file."""

    def __init__(self, path: Path) -> None:
        classifier, self.metadata = checkpoint.load_classifier(path)
        self.classifier = classifier.to("cuda" if torch.cuda.is_available() else "cpu")
        self.max_tokens: int = self.metadata["max_tokens"]

    def evaluate(self, stores: Mapping[str, Path]) -> dict[str, Evaluation]:
        """Classify the examples of each store."""
        datasets = open_datasets(stores, self.metadata)
        return {name: evaluate(self.classifier, data, self.max_tokens) for name, data in datasets.items()}

    def results(
        self,
        context: ResultContext,
        column: str,
        dataset: LabelledDataset,
        metrics: Mapping[str, float],
        signature: str,
        warnings: Sequence[str] = (),
    ) -> list[Result]:
        """Return a result for each of the ``metrics`` of a dataset; ``signature`` may name ``{max_tokens}``."""
        return [
            Result(
                **vars(context), column=column, metric=metric, value=value, n=len(dataset),
                config_digest=self.metadata["config"], data_digest=data_digest(self.metadata, dataset),
                signature=signature.format(max_tokens=self.max_tokens), warnings=list(warnings),
            )
            for metric, value in metrics.items()
        ]  # fmt: skip

    def warnings(self, name: str, evaluation: Evaluation, classes: Sequence[str] | None) -> list[str]:
        """List what a reader must know about the results of a dataset; ``classes`` is None where they are scores."""
        n_truncated = warn_of_truncation(name, evaluation.dataset, self.max_tokens)
        truncated = [f"{n_truncated} examples cut short"] if n_truncated else []
        return [*collapse_warnings(evaluation.predictions, classes), *truncated]


def collapse_warnings(predictions: np.ndarray, classes: Sequence[str] | None) -> list[str]:
    """Warn where nearly all predictions (N,) are one class, or all are the same score."""
    if classes is None:
        return ["the same score for all"] if np.ptp(predictions) == 0 else []
    counts = np.bincount(predictions, minlength=len(classes))
    share = counts.max() / max(1, counts.sum())
    return [f"collapsed to '{classes[int(counts.argmax())]}' ({100 * share:.1f} %)"] if share >= COLLAPSED else []


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
    languages, vocabulary, sizes = metadata["languages"], metadata["vocabulary"], n or {}
    return {name: LabelledDataset.open(path, vocabulary, languages, sizes.get(name)) for name, path in stores.items()}


def data_digest(metadata: Mapping[str, Any], dataset: LabelledDataset) -> str:
    """Digest all data behind a number: what the model was trained on, and the dataset."""
    return digests.of_value([metadata["data"], *(part.store.digest for part in dataset.parts)])
