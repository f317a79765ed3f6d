"""Selection of checkpoints per language: the published numbers take the best one of each language (paper, section 5.1).

The saved model is one for all languages. For the published protocol every language is tested at its own best
validation accuracy: whenever that rises during fine-tuning, the test set of the language is scored, and the last such
score counts.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypedDict

from xlm_core.io import read_json, write_json
from xlm_core.metrics.loss import LossSum


class BestCheckpoint(TypedDict):
    """The best evaluation of one language.

    valid_accuracy  in percent
    update          number of the update
    learning_rate   of the fine-tuning
    n_correct, n    test examples predicted right, and all
    """

    valid_accuracy: float
    update: int
    learning_rate: float
    n_correct: int
    n: int


def update_best(
    path: Path,
    languages: Iterable[str],
    valid: Mapping[str, LossSum],
    test: Callable[[str], LossSum],
    update: int,
    learning_rate: float,
) -> None:
    """Test the languages whose validation accuracy is the best so far, and record them in the JSON file ``path``.

    Recording an evaluation again, as a training does that was killed and resumed, changes nothing.

    Args:
        languages: those that are selected one by one.
        valid: language -> its evaluation.
        test: scores the model as it is now on a language's test set.
    """
    best = read(path)
    before = {language: checkpoint["valid_accuracy"] for language, checkpoint in best.items()}
    improved = [language for language in languages if valid[language].accuracy > before.get(language, -math.inf)]
    for language in improved:
        loss = test(language)
        best[language] = BestCheckpoint(
            valid_accuracy=valid[language].accuracy,
            update=update,
            learning_rate=learning_rate,
            n_correct=int(loss.n_correct),
            n=loss.count,
        )
    if improved:
        write_json(path, best)


def read(path: Path) -> dict[str, BestCheckpoint]:
    """Read language -> best evaluation so far; empty where no file exists yet."""
    best: dict[str, BestCheckpoint] = read_json(path) if path.exists() else {}
    return best


def merge(runs: Iterable[Mapping[str, BestCheckpoint]]) -> dict[str, BestCheckpoint]:
    """Take the best evaluation of each language over several fine-tunings; the first of equal ones."""
    best: dict[str, BestCheckpoint] = {}
    for run in runs:
        for language, checkpoint in run.items():
            if language not in best or checkpoint["valid_accuracy"] > best[language]["valid_accuracy"]:
                best[language] = checkpoint
    return best
