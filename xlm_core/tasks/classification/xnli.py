"""XNLI: one sentence entails another, contradicts it, or neither (paper, section 4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sklearn.metrics import confusion_matrix

from xlm_core import results
from xlm_core.io import read_json, write_json
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.classification.evaluate import FinetunedClassifier

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
        context: of the model's results; results of selected checkpoints have ``setting_selected``.
        output: JSON lines.
        confusion: JSON, column -> how often each gold class, a row, is classified as each class, a column.
        statistics: column -> whether each pair is classified right.
    """
    classifier = FinetunedClassifier(model)
    evaluations = classifier.evaluate(test)
    accuracies: list[Result] = []
    confusions: dict[str, list[list[int]]] = {}
    columns: dict[str, SampleStatistics] = {}
    for column, evaluation in evaluations.items():
        accuracy = {"accuracy": evaluation.loss.accuracy}
        warnings = classifier.warnings(column, evaluation, classes)
        accuracies += classifier.results(context, column, evaluation.dataset, accuracy, SIGNATURE, warnings)
        labels, predictions = evaluation.dataset.labels, evaluation.predictions
        confusions[column] = confusion_matrix(labels, predictions, labels=range(len(classes))).tolist()
        columns[column] = SampleStatistics("percent", (predictions == labels)[:, None])
    context = replace(context, setting=setting_selected)
    for column, selection in (read_json(selected) if selected else {}).items():
        accuracy = {"accuracy": 100 * selection["n_correct"] / selection["n"]}
        accuracies += classifier.results(context, column, evaluations[column].dataset, accuracy, SIGNATURE_SELECTED)
    results.write(accuracies, output)
    write_json(confusion, confusions)
    sample_statistics.write(statistics, columns)
