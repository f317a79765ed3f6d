"""Files for GLUE's leaderboard: a zip of one table per set, with the predictions of one model of each task."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

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
    tables: dict[str, str] = {}
    for path in predictions:
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        for name, rows in frame[frame["split"] == "test"].groupby("set", sort=False):
            if f"{name}.tsv" in tables:
                raise CorpusError(f"{path}: a second table with predictions of {name}; expected one of each task")
            for expected, (number, index) in enumerate(rows["index"].items()):
                if index != str(expected):
                    raise CorpusError(
                        f"{path}, line {int(str(number)) + 2}: index {index}, expected {expected}; "
                        "remove the file and rerun"
                    )
            if name == SCORED:
                scores = rows["prediction"].astype(float).clip(*SCORES)
                rows = rows.assign(prediction=scores.map("{:.3f}".format))
            tables[f"{name}.tsv"] = rows[["index", "prediction"]].to_csv(sep="\t", index=False)
    write_zip(output, tables)
