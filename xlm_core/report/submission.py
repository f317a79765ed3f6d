"""What GLUE's leaderboard takes: a zip of one table per set, with the predictions of one model of each task."""

import csv
from collections.abc import Sequence
from pathlib import Path

from xlm_core.errors import CorpusError
from xlm_core.io import write_zip

SCORED = "STS-B"
SCORES = (0.0, 5.0)  # the least and the highest score that the leaderboard takes


def write(predictions: Sequence[Path], output: Path) -> None:
    """Write the predictions of test sets as ``index`` and ``prediction``, in a file ``<set>.tsv`` for each set.

    Args:
        predictions: of each task the table that its scoring has kept (``xlm_core.tasks.classification.glue``).
        output: the zip.

    Raises:
        CorpusError: the predictions of a set stand in two tables, or not in order.
    """
    tables: dict[str, list[tuple[str, str]]] = {}
    for path in predictions:
        test_sets = _test_sets(path)
        if twice := sorted(set(test_sets) & set(tables)):
            raise CorpusError(
                f"{path}: a second table with predictions of {', '.join(twice)}; expected one of each task"
            )
        tables |= test_sets
    write_zip(output, {f"{name}.tsv": _table(lines) for name, lines in tables.items()})


def _test_sets(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Index and prediction of each line, by set."""
    sets: dict[str, list[tuple[str, str]]] = {}
    with open(path, encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), 2):
            if row["split"] != "test":
                continue
            lines = sets.setdefault(row["set"], [])
            if row["index"] != str(len(lines)):
                raise CorpusError(
                    f"{path}, line {number}: index {row['index']}, expected {len(lines)}; remove the file and rerun"
                )
            lines.append((row["index"], _within(row["prediction"]) if row["set"] == SCORED else row["prediction"]))
    return sets


def _within(score: str) -> str:
    """A score that the leaderboard takes."""
    least, highest = SCORES
    return f"{min(highest, max(least, float(score))):.3f}"


def _table(lines: Sequence[tuple[str, str]]) -> str:
    """A file of the leaderboard."""
    return "".join(f"{index}\t{prediction}\n" for index, prediction in [("index", "prediction"), *lines])
