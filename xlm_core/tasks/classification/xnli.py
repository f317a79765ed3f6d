"""XNLI: one sentence entails another, contradicts it, or neither (paper, section 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from xlm_core import results
from xlm_core.io import read_json, write_json
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.results import ResultContext
from xlm_core.tasks.classification.evaluate import Evaluation, FinetunedClassifier
from xlm_core.tasks.classification.model_selection import BestCheckpoint

SIGNATURE = "selection:mean-validation-accuracy|language-ids:yes|max-tokens:{max_tokens}"
SIGNATURE_SELECTED = "selection:validation-accuracy-per-language|language-ids:yes|max-tokens:{max_tokens}"


def score(
    *,
    model: Path,
    selected: Path | None,
    test: Mapping[str, Path],
    classes: Sequence[str],
    context: ResultContext,
    setting_selected: str,
    n_threads: int,
    output: Path,
    confusion: Path,
    statistics: Path,
) -> None:
    """Write the accuracy of a classifier on test sets, and its confusions.

    Args:
        model: a fine-tuned classifier.
        selected: the checkpoints that ``finetune`` selected language by language; None where they do not count.
        test: column of the table -> test store.
        classes: their names, in the order of their ids.
        context: of the model's results; those of the selected checkpoints have ``setting_selected``.
        output: JSON lines.
        confusion: JSON, column -> ``confusion_matrix``.
        statistics: column -> whether each pair is classified right.
    """
    classifier = FinetunedClassifier(model, n_threads)
    evaluations = classifier.evaluate(test)
    accuracies = []
    for column, evaluation in evaluations.items():
        accuracy = {"accuracy": evaluation.loss.accuracy}
        warnings = classifier.warnings(column, evaluation, classes)
        accuracies += classifier.results(context, column, evaluation.dataset, accuracy, SIGNATURE, warnings)
    best: dict[str, BestCheckpoint] = read_json(selected) if selected else {}
    context = replace(context, setting=setting_selected)
    for column, selection in best.items():
        accuracy = {"accuracy": 100 * selection["n_correct"] / selection["n"]}
        accuracies += classifier.results(context, column, evaluations[column].dataset, accuracy, SIGNATURE_SELECTED)
    results.write(accuracies, output)
    write_json(confusion, {column: confusion_matrix(each, len(classes)) for column, each in evaluations.items()})
    right = {column: each.predictions == each.dataset.labels for column, each in evaluations.items()}
    sample_statistics.write(statistics, {name: SampleStatistics("percent", x[:, None]) for name, x in right.items()})


def confusion_matrix(evaluation: Evaluation, n_classes: int) -> list[list[int]]:
    """Count how often each gold class, a row, is classified as each class, a column."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (evaluation.dataset.labels, evaluation.predictions), 1)
    matrix: list[list[int]] = counts.tolist()
    return matrix
