"""Selection per language: each language is tested at its own best validation accuracy, as the paper does (section 5.1).

The model that is kept is one for all languages. The published numbers are not of one model: for each language the
fine-tuning that is best on its validation set counts. So whenever a language's validation accuracy rises, its test
set is scored, too, and the last such score stands.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypedDict

from xlm_core.io import read_json, write_json
from xlm_core.metrics.loss import LossSum


class BestCheckpoint(TypedDict):
    """The best evaluation of one language.

    valid          validation accuracy, in percent
    update         when that was
    learning_rate  of the fine-tuning
    correct, count of the test pairs, at that moment
    """

    valid: float
    update: int
    learning_rate: float
    correct: int
    count: int


def note(
    path: Path,
    languages: Iterable[str],
    valid: Mapping[str, LossSum],
    score: Callable[[str], LossSum],
    update: int,
    learning_rate: float,
) -> None:
    """Test those of ``languages`` whose ``valid`` accuracy is the best so far, and write that down at ``path``.

    To note an evaluation again, as a training does that was killed and goes on, changes nothing.

    Args:
        score: what tests the model as it is now on a language.
    """
    found = read(path)
    better = [name for name in languages if valid[name].accuracy > found.get(name, {"valid": -math.inf})["valid"]]
    for name in better:
        test = score(name)
        found[name] = BestCheckpoint(
            valid=valid[name].accuracy,
            update=update,
            learning_rate=learning_rate,
            correct=int(test.correct),
            count=test.count,
        )
    if better:
        write_json(path, found)


def read(path: Path) -> dict[str, BestCheckpoint]:
    """The best evaluation of each language so far; empty before the first."""
    return read_json(path) if path.exists() else {}


def best_of(several: Iterable[Mapping[str, BestCheckpoint]]) -> dict[str, BestCheckpoint]:
    """The best evaluation of each language in several fine-tunings; the first of equals."""
    found: dict[str, BestCheckpoint] = {}
    for some in several:
        for language, best in some.items():
            if language not in found or best["valid"] > found[language]["valid"]:
                found[language] = best
    return found
