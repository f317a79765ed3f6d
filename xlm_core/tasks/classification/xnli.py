"""XNLI: whether one sentence entails another, contradicts it, or neither (paper, section 4.1)."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlm_core import results
from xlm_core.data.labelled import Examples
from xlm_core.io import read_json, write_json
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.model import checkpoint
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.classification import finetuning, metadata, training
from xlm_core.tasks.classification.finetuning import FinetuneArgs
from xlm_core.tasks.classification.selection import BestCheckpoint
from xlm_core.tasks.classification.training import Data

SIGNATURE = "selection:mean-validation-accuracy|language-ids:yes|max-tokens:{max_tokens}"
SELECTED = "selection:validation-accuracy-per-language|language-ids:yes|max-tokens:{max_tokens}"


def finetune(
    *,
    encoder: Path,
    train: Mapping[str, Path],
    valid: Mapping[str, Path],
    test: Mapping[str, Path],
    n_classes: int,
    n_train: Mapping[str, int | None],
    course: FinetuneArgs,
    output: Path,
    selected: Path,
    history: Path,
) -> None:
    """Fine-tune an encoder on the pairs of one language or of several.

    Args:
        encoder: a pretrained model.
        train: language -> store of training pairs.
        valid: language -> validation store; the best mean accuracy over them selects the model.
        test: language -> test store, of the languages whose best evaluation is selected one by one; may be empty.
        n_classes: of the pairs.
        n_train: language -> training pairs to use; None for all.
        course: how it goes.
        output: the classifier.
        selected: JSON, language -> ``xlm_core.tasks.selection.BestCheckpoint``, for the languages of ``test``.
        history: as in ``finetuning.run``.
    """
    model, about = checkpoint.load(encoder)
    examples = _some_of_each(train, n_train, about)
    data = Data(examples, metadata.all_of_each(valid, about), metadata.all_of_each(test, about))
    choices = [dict(n_train), list(test)]
    best = finetuning.run(model, about, data, n_classes, course, choices=choices, output=output, history=history)
    write_json(selected, best)


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
    kept: Path,
) -> None:
    """Write the accuracy of a classifier on test sets, and which classes it takes for which.

    Args:
        model: a fine-tuned classifier.
        selected: what ``finetune`` selected language by language; None where that does not count.
        test: column of the table -> test store.
        classes: their names, in the order of their ids.
        context: of the model's accuracies.
        setting_selected: the setting of the selected ones.
        output: JSON lines.
        confusion: JSON, column -> how often (classes, classes) each gold class, row by row, was taken for each.
        kept: the items, column by column: whether each pair was classified right.
    """
    torch.set_num_threads(n_threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    classifier, about = checkpoint.load_classifier(model)
    classifier = classifier.to(device)
    examples = metadata.all_of_each(test, about)
    result = partial(Result, metric="accuracy", **vars(context))
    found, confusions, right = [], {}, {}
    for column, some in examples.items():
        tally, predictions = training.evaluate(classifier, some, about["max_tokens"], device)
        confusions[column] = _confusion(some, predictions, len(classes))
        right[column] = SampleStatistics("percent", (predictions == some.labels(np.arange(len(some))))[:, None])
        found.append(
            result(
                column=column,
                value=tally.accuracy,
                n=tally.count,
                warnings=_warnings(column, some, predictions, classes, about["max_tokens"]),
                **_provenance(about, some, SIGNATURE),
            )
        )
    best: dict[str, BestCheckpoint] = read_json(selected) if selected else {}
    for column, one in best.items():
        value = 100 * one["correct"] / one["count"]
        origin = _provenance(about, examples[column], SELECTED)
        found.append(result(setting=setting_selected, column=column, value=value, n=one["count"], **origin))
    results.write(found, output)
    write_json(confusion, confusions)
    sample_statistics.write(kept, right)


def _warnings(
    column: str, examples: Examples, predictions: np.ndarray, classes: Sequence[str], max_tokens: int
) -> list[str]:
    """What a reader must know about an accuracy."""
    n_cut = metadata.warn_of_cuts(column, examples, max_tokens)
    warnings = [training.collapse(predictions, classes), f"{n_cut} pairs cut short" if n_cut else ""]
    return [warning for warning in warnings if warning]


def _some_of_each(stores: Mapping[str, Path], n: Mapping[str, int | None], about: Mapping[str, Any]) -> Examples:
    """``n`` examples of each language, drawn at random, as one set."""
    chosen = [
        training.choose(*metadata.opened(path, about), n[language], seed=0).parts for language, path in stores.items()
    ]
    return Examples(tuple(part for parts in chosen for part in parts))


def _provenance(about: Mapping[str, Any], examples: Examples, signature: str) -> dict[str, str]:
    """Where an accuracy comes from, in the fields of a ``Result``."""
    signature = signature.format(max_tokens=about["max_tokens"])
    return {
        "config_digest": about["config"],
        "data_digest": metadata.data(about, examples),
        "signature": signature,
    }


def _confusion(examples: Examples, predictions: np.ndarray, n_classes: int) -> list[list[int]]:
    """How often (classes, classes) each gold class, row by row, was taken for each class."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (examples.labels(np.arange(len(examples))), predictions), 1)
    return counts.tolist()
