"""GLUE: nine tasks of English sentences, each learned by a model of its own, and the metrics of its leaderboard.

Letters: N examples.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from sklearn import metrics as sklearn

from xlm_core import results
from xlm_core.data.labelled import Examples
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.model import checkpoint
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.classification import finetuning, metadata, training
from xlm_core.tasks.classification.finetuning import FinetuneArgs
from xlm_core.tasks.classification.training import Data
from xlm_core.text.formats.glue import ACCURACY, GLUE_TASKS, GlueTask

SIGNATURE = "set:validation|selection:validation-metrics|language-ids:yes|max-tokens:{max_tokens}"
PREDICTIONS = ("set", "split", "index", "label", "prediction")  # columns of the kept predictions


def metrics(task: str, labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """The official metrics of a task by their names, in percent.

    Args:
        task: one of ``xlm_core.text.formats.glue.GLUE_TASKS``.
        labels, predictions: (N,) ids of classes, or scores. F1 is that of class 1.
    """
    return {name: 100 * MEASURES[name](labels, predictions) for name in GLUE_TASKS[task].metrics}


def _f1(labels: np.ndarray, predictions: np.ndarray) -> float:
    return float(sklearn.f1_score(labels, predictions, zero_division=0.0))


def _matthews(labels: np.ndarray, predictions: np.ndarray) -> float:
    return float(sklearn.matthews_corrcoef(labels, predictions))


def _correlation(of: Callable[[np.ndarray, np.ndarray], Any], labels: np.ndarray, predictions: np.ndarray) -> float:
    """A correlation; none where all predictions are the same, of which it is not defined."""
    return 0.0 if np.ptp(predictions) == 0 else float(of(labels, predictions).statistic)


MEASURES: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    ACCURACY: lambda labels, predictions: float(np.mean(labels == predictions)),
    "F1": _f1,
    "Matthews": _matthews,
    "Pearson": partial(_correlation, stats.pearsonr),
    "Spearman": partial(_correlation, stats.spearmanr),
}


def finetune(
    *,
    task: str,
    encoder: Path,
    train: Path,
    valid: Mapping[str, Path],
    course: FinetuneArgs,
    output: Path,
    history: Path,
) -> None:
    """Fine-tune an encoder on one task; the best mean of the task's metrics on its validation sets selects the model.

    Args:
        task: one of ``xlm_core.text.formats.glue.GLUE_TASKS``.
        encoder: a pretrained model.
        train: store of training examples.
        valid: column of the table -> validation store.
        course: how it goes.
        output: the classifier; that of a task with scores has one output.
        history: as in ``finetuning.run``.
    """
    classes = GLUE_TASKS[task].classes
    model, about = checkpoint.load(encoder)
    examples = training.choose(*metadata.opened(train, about), None, seed=0)
    data = Data(examples, metadata.all_of_each(valid, about), {}, partial(metrics, task))
    n_classes = 1 if classes is None else len(classes)
    finetuning.run(model, about, data, n_classes, course, output=output, history=history)


def score(
    *,
    task: str,
    model: Path,
    valid: Mapping[str, Path],
    test: Mapping[str, Path],
    context: ResultContext,
    n_threads: int,
    output: Path,
    predictions: Path,
    kept: Path,
) -> None:
    """Write the metrics of a classifier on validation sets, and all that it says of these and of the test sets.

    Args:
        task: that the classifier has learned.
        model: a fine-tuned classifier.
        valid: column of the table -> validation store.
        test: set of the leaderboard -> its store, without labels.
        context: of the results.
        output: JSON lines.
        predictions: a table with the columns ``PREDICTIONS``, tabs between them: classes as the official files spell
            them, scores in full; the labels of test sets are empty.
        kept: the items of each column's first metric.
    """
    torch.set_num_threads(n_threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    classifier, about = checkpoint.load_classifier(model)
    classifier, form, max_tokens = classifier.to(device), GLUE_TASKS[task], about["max_tokens"]
    found, lines, of_columns = [], [], {}
    for column, examples in metadata.all_of_each(valid, about).items():
        _, said = training.evaluate(classifier, examples, max_tokens, device)
        labels = examples.labels(np.arange(len(examples)))
        lines += _lines(column, "valid", said, form, labels)
        of_columns[column] = _items(form.metrics[0], labels, said)
        result = partial(
            Result,
            **vars(context),
            column=column,
            n=len(examples),
            config_digest=about["config"],
            data_digest=metadata.data(about, examples),
            signature=SIGNATURE.format(max_tokens=max_tokens),
            warnings=_warnings(column, examples, said, form, max_tokens),
        )
        found += [result(metric=name, value=value) for name, value in metrics(task, labels, said).items()]
    for name, examples in metadata.all_of_each(test, about).items():
        metadata.warn_of_cuts(f"{name}, test", examples, max_tokens)
        _, said = training.evaluate(classifier, examples, max_tokens, device)
        lines += _lines(name, "test", said, form)
    results.write(found, output)
    sample_statistics.write(kept, of_columns)
    _write_predictions(predictions, lines)


def _write_predictions(path: Path, lines: Iterable[tuple[str, str, int, str, str]]) -> None:
    with atomic(path) as partial_file, open(partial_file, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([PREDICTIONS, *lines])


def _items(metric: str, labels: np.ndarray, predictions: np.ndarray) -> SampleStatistics:
    """The items of a metric; of Spearman's correlation there are none."""
    if metric == ACCURACY:
        return SampleStatistics("percent", (labels == predictions)[:, None])
    if metric == "Pearson":
        return SampleStatistics("pearson", sample_statistics.correlated(labels, predictions))
    return SampleStatistics({"Matthews": "matthews", "F1": "f1"}[metric], sample_statistics.judged(labels, predictions))


def _lines(
    name: str, split: str, predictions: np.ndarray, form: GlueTask, labels: np.ndarray | None = None
) -> Iterator[tuple[str, str, int, str, str]]:
    """What was said of a set, line by line."""

    def word(value: float) -> str:
        return repr(float(value)) if form.classes is None else form.classes[int(value)]

    for index, prediction in enumerate(predictions):
        yield name, split, index, "" if labels is None else word(labels[index]), word(prediction)


def _warnings(column: str, examples: Examples, predictions: np.ndarray, form: GlueTask, max_tokens: int) -> list[str]:
    """What a reader must know about a number."""
    n_cut = metadata.warn_of_cuts(column, examples, max_tokens)
    if form.classes is not None:
        collapsed = training.collapse(predictions, form.classes)
    else:
        collapsed = "the same score for all" if np.ptp(predictions) == 0 else ""
    return [warning for warning in (collapsed, f"{n_cut} cut short" if n_cut else "") if warning]
