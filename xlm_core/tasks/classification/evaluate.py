"""Scores of fine-tuned classifiers on XNLI and GLUE (paper, section 4.1): metrics, warnings, provenance, predictions.

In XNLI, one sentence entails another, contradicts it, or neither. GLUE has nine tasks of English sentences, with one
fine-tuned model for each; its metrics are the leaderboard's.

Shapes: N examples of a dataset.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.metrics import confusion_matrix, f1_score, matthews_corrcoef

from xlm_core import results, tsv
from xlm_core.config.classification import ACCURACY, METRICS
from xlm_core.data.labelled import LabelledDataset
from xlm_core.interop import encoders
from xlm_core.io import read_json, write_json
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import MetricName, SampleStatistics
from xlm_core.model.device import select_device
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.classification.finetune import Evaluation, data_digest, evaluate, open_datasets, warn_of_truncation
from xlm_core.text.formats.glue import GLUE_TASKS

COLLAPSED = 0.99  # share of one class among the predictions from which on a classifier counts as collapsed
XNLI_SIGNATURE = "selection:mean-validation-accuracy|language-ids:{language_ids}|max-tokens:{max_tokens}"
XNLI_SELECTED_SIGNATURE = (
    "selection:validation-accuracy-per-language|language-ids:{language_ids}|max-tokens:{max_tokens}"
)
GLUE_SIGNATURE = "set:validation|selection:validation-metrics|language-ids:{language_ids}|max-tokens:{max_tokens}"
PREDICTION_COLUMNS = ("set", "split", "index", "label", "prediction")


class FinetunedClassifier:
    """A saved classifier, on the device that it computes on, and the metadata of its file."""

    def __init__(self, path: Path) -> None:
        classifier, self.metadata = encoders.load_classifier(path)
        self.classifier = classifier.to(select_device())
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
        """Return a result for each of the ``metrics`` of a dataset; ``signature`` names metadata: ``{max_tokens}``."""
        return [
            Result(
                **vars(context), column=column, metric=metric, value=value, n=len(dataset),
                config_digest=self.metadata["config"], data_digest=data_digest(self.metadata, dataset),
                signature=signature.format(**self.metadata), warnings=list(warnings),
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


@dataclass(frozen=True)
class XnliTest:
    """One protocol of XNLI.

    setting   what it is called in results
    model     a fine-tuned classifier
    selected  the checkpoints that ``finetune`` selected language by language; None where they do not count
    stores    column of the table -> test store
    """

    setting: str
    model: Path
    selected: Path | None
    stores: Mapping[str, Path]


def score_xnli(
    *,
    tests: Sequence[XnliTest],
    classes: Sequence[str],
    context: ResultContext,
    setting_selected: str,
    output: Path,
    confusion: Path,
    statistics: Path,
) -> None:
    """Write the accuracy of classifiers on test sets of XNLI, and confusions and sample statistics of the first one.

    Args:
        tests: protocols, zero-shot first.
        classes: their names, in the order of their ids.
        context: of the results, whose settings are filled in.
        setting_selected: setting of the results of selected checkpoints.
        output: JSON lines.
        confusion: JSON, column -> how often each gold class, a row, is classified as each class, a column.
        statistics: column -> whether each pair is classified right.
    """
    measured: list[Result] = []
    for number, test in enumerate(tests):
        classifier = FinetunedClassifier(test.model)
        evaluations = classifier.evaluate(test.stores)
        measured += _xnli_results(classifier, evaluations, classes, replace(context, setting=test.setting))
        selected = replace(context, setting=setting_selected)
        for column, selection in (read_json(test.selected) if test.selected else {}).items():
            accuracy = {"accuracy": 100 * selection["n_correct"] / selection["n"]}
            dataset = evaluations[column].dataset
            measured += classifier.results(selected, column, dataset, accuracy, XNLI_SELECTED_SIGNATURE)
        if number == 0:
            _write_predictions(evaluations, len(classes), confusion, statistics)
    results.write(measured, output)


def _xnli_results(
    classifier: FinetunedClassifier,
    evaluations: Mapping[str, Evaluation],
    classes: Sequence[str],
    context: ResultContext,
) -> list[Result]:
    """Return the accuracies of a classifier."""
    measured = []
    for column, evaluation in evaluations.items():
        accuracy, warnings = {"accuracy": evaluation.loss.accuracy}, classifier.warnings(column, evaluation, classes)
        measured += classifier.results(context, column, evaluation.dataset, accuracy, XNLI_SIGNATURE, warnings)
    return measured


def _write_predictions(
    evaluations: Mapping[str, Evaluation], n_classes: int, confusion: Path, statistics: Path
) -> None:
    """Write the confusions and the sample statistics of a classifier, by column."""
    predicted = {column: (of.dataset.labels, of.predictions) for column, of in evaluations.items()}
    labels = range(n_classes)
    write_json(confusion, {name: confusion_matrix(*both, labels=labels).tolist() for name, both in predicted.items()})
    right = {name: (gold == guessed)[:, None] for name, (gold, guessed) in predicted.items()}
    sample_statistics.write(statistics, {name: SampleStatistics("percent", each) for name, each in right.items()})


def glue_metrics(task: str, labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """Compute the official metrics of a task of GLUE by their names, in percent.

    Args:
        task: one of ``xlm_core.config.classification.TASKS``.
        labels, predictions: (N,) ids of classes, or scores. F1 is of class 1.
    """
    return {name: 100 * GLUE_METRICS[name](labels, predictions) for name in METRICS[task]}


def _correlation(correlate: Callable[..., Any], labels: np.ndarray, predictions: np.ndarray) -> float:
    """Correlate; 0 where all predictions are the same and the correlation is not defined."""
    return 0.0 if np.ptp(predictions) == 0 else float(correlate(labels, predictions).statistic)


GLUE_METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    ACCURACY: lambda labels, predictions: float(np.mean(labels == predictions)),
    "F1": lambda labels, predictions: float(f1_score(labels, predictions, zero_division=0.0)),
    "Matthews": lambda labels, predictions: float(matthews_corrcoef(labels, predictions)),
    "Pearson": partial(_correlation, stats.pearsonr),
    "Spearman": partial(_correlation, stats.spearmanr),
}


def score_glue(
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
        task: of GLUE, which the classifier was fine-tuned on.
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
        values = glue_metrics(task, dataset.labels, predicted)
        warnings = classifier.warnings(column, evaluation, classes)
        scores += classifier.results(context, column, dataset, values, GLUE_SIGNATURE, warnings)
        rows += _rows(column, "valid", predicted, classes, dataset.labels)
        columns[column] = metric_statistics(METRICS[task][0], dataset.labels, predicted)
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
