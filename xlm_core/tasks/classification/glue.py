"""GLUE: nine tasks of English sentences, one fine-tuned model for each, and the metrics of the leaderboard.

Shapes: N examples of a dataset.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from xlm_core import results, tsv
from xlm_core.config.classification import ACCURACY
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import MetricName, SampleStatistics
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.classification.evaluate import FinetunedClassifier, warn_of_truncation
from xlm_core.text.formats.glue import GLUE_TASKS

SIGNATURE = "set:validation|selection:validation-metrics|language-ids:yes|max-tokens:{max_tokens}"
PREDICTION_COLUMNS = ("set", "split", "index", "label", "prediction")
Metric = Callable[[np.ndarray, np.ndarray], float]


def metrics(task: str, labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """Compute the official metrics of a task by their names, in percent.

    Args:
        task: one of ``xlm_core.text.formats.glue.GLUE_TASKS``.
        labels, predictions: (N,) ids of classes, or scores. F1 is of class 1.
    """
    return {name: 100 * METRICS[name](labels, predictions) for name in GLUE_TASKS[task].metrics}


def _correlation(
    correlate: Callable[[np.ndarray, np.ndarray], Any], labels: np.ndarray, predictions: np.ndarray
) -> float:
    """Correlate; 0 where all predictions are the same and the correlation is not defined."""
    return 0.0 if np.ptp(predictions) == 0 else float(correlate(labels, predictions).statistic)


METRICS: Mapping[str, Metric] = {
    ACCURACY: lambda labels, predictions: float(np.mean(labels == predictions)),
    "F1": lambda labels, predictions: float(f1_score(labels, predictions, zero_division=0.0)),
    "Matthews": lambda labels, predictions: float(matthews_corrcoef(labels, predictions)),
    "Pearson": partial(_correlation, stats.pearsonr),
    "Spearman": partial(_correlation, stats.spearmanr),
}


def n_outputs(task: str) -> int:
    """Return the outputs of a task's head: one for each class, or a single one where the labels are scores."""
    return len(GLUE_TASKS[task].classes or ("score",))


def score(
    *,
    task: str,
    model: Path,
    valid: Mapping[str, Path],
    test: Mapping[str, Path],
    context: ResultContext,
    output: Path,
    predictions: Path,
    statistics: Path,
) -> None:
    """Write the metrics of a classifier on validation sets, and its predictions of these and of the test sets.

    Args:
        task: of the classifier.
        model: a fine-tuned classifier.
        valid: column of the table -> validation store.
        test: set of the leaderboard -> its store, without labels.
        context: of the results.
        output: JSON lines.
        predictions: tab-separated ``PREDICTION_COLUMNS``: classes as the official files spell them, scores in full;
            the labels of test sets are empty.
        statistics: sample statistics of each column's first metric.
    """
    classifier, classes = FinetunedClassifier(model), GLUE_TASKS[task].classes
    scores: list[Result] = []
    rows: list[tuple[str, ...]] = [PREDICTION_COLUMNS]
    columns: dict[str, SampleStatistics] = {}
    for column, evaluation in classifier.evaluate(valid).items():
        dataset, predicted = evaluation.dataset, evaluation.predictions
        values = metrics(task, dataset.labels, predicted)
        warnings = classifier.warnings(column, evaluation, classes)
        scores += classifier.results(context, column, dataset, values, SIGNATURE, warnings)
        rows += _rows(column, "valid", predicted, classes, dataset.labels)
        columns[column] = metric_statistics(GLUE_TASKS[task].metrics[0], dataset.labels, predicted)
    for name, evaluation in classifier.evaluate(test).items():
        warn_of_truncation(f"{name}, test", evaluation.dataset, classifier.max_tokens)
        rows += _rows(name, "test", evaluation.predictions, classes)
    results.write(scores, output)
    sample_statistics.write(statistics, columns)
    tsv.write(rows, [predictions])


def metric_statistics(metric: str, labels: np.ndarray, predictions: np.ndarray) -> SampleStatistics:
    """Return the sample statistics of a metric, of which Spearman's correlation has none."""
    if metric == ACCURACY:
        return SampleStatistics("percent", (labels == predictions)[:, None])
    if metric == "Pearson":
        return SampleStatistics("pearson", sample_statistics.moment_sums(labels, predictions))
    names: dict[str, MetricName] = {"Matthews": "matthews", "F1": "f1"}
    return SampleStatistics(names[metric], sample_statistics.confusion_counts(labels, predictions))


def _rows(
    name: str, split: str, predictions: np.ndarray, classes: Sequence[str] | None, labels: np.ndarray | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the predictions of a set in the columns ``PREDICTION_COLUMNS``."""

    def spell(value: float) -> str:
        return repr(float(value)) if classes is None else classes[int(value)]

    for index, prediction in enumerate(predictions):
        yield name, split, str(index), "" if labels is None else spell(labels[index]), spell(prediction)
