"""Differences between two rows of a table, seed by seed.

Two rows that share their seeds share much of their noise: a seed that is unlucky for one is often unlucky for the
other, too. So the differences of equal seeds spread less than the rows do, and say more.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlm_core.report.summary import Row, Shape, by_seed
from xlm_core.results import Result

TIDY = [
    "table", "row", "setting", "minus_row", "minus_setting", "column", "metric", "mean", "spread", "n_seeds",
    "n_agreeing",
]  # fmt: skip


class Contrast(NamedTuple):
    """A column of one row less the same column of another."""

    row: Row
    minus: Row
    column: str


class Difference(NamedTuple):
    """Mean of the differences of equal seeds and their sample standard deviation, in points (NaN for a single seed).

    ``n_agreeing`` of the ``n_seeds`` differences have the sign of the mean.
    """

    mean: float
    spread: float
    n_seeds: int
    n_agreeing: int


def differences(results: Sequence[Result], shape: Shape) -> dict[Contrast, Difference]:
    """The differences that a table shows, from results that ``summary.select`` let through."""
    values = by_seed(results, shape)
    found = {}
    for row, minus in shape.contrasts:
        points = values.loc[tuple(row)] - values.loc[tuple(minus)]  # (seed, column)
        for column in shape.shown:
            found[Contrast(row, minus, column)] = _difference(points[column].dropna())  # of seeds that both have
    return found


def tidy(found: Mapping[Contrast, Difference], shape: Shape) -> pd.DataFrame:
    """One line per difference, numbers in full: columns ``TIDY``."""
    lines = [
        (
            shape.name,
            shape.labels[at.row.run],
            at.row.setting,
            shape.labels[at.minus.run],
            at.minus.setting,
            *shape.taken_apart(at.column),
            *difference,
        )
        for at, difference in found.items()
    ]
    return pd.DataFrame(lines, columns=pd.Index(TIDY))


def _difference(points: pd.Series) -> Difference:
    mean = float(points.mean())
    agreeing = int((np.sign(points) == np.sign(mean)).sum())
    return Difference(mean, float(points.std(ddof=1)), len(points), agreeing)
