"""Summary: results of many seeds become one cell each, its mean, its spread, and the published number beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlm_core.errors import CorpusError
from xlm_core.report import published
from xlm_core.report.published import Published
from xlm_core.results import Result

TIDY = ["table", "row", "setting", "column", "metric", "mean", "spread", "n_seeds", "n_items", "published"]


class Row(NamedTuple):
    """A row of a table: a run in one setting."""

    run: str
    setting: str


class Place(NamedTuple):
    """Where a cell stands: its run, its setting and its column."""

    run: str
    setting: str
    column: str

    @property
    def row(self) -> Row:
        """The row it stands in."""
        return Row(self.run, self.setting)


@dataclass(frozen=True)
class Shape:
    """What a table consists of.

    name      the ``table`` of its results
    labels    run -> what it is called
    rows      in the order they are shown
    measured  columns every row must fill
    means     column -> the columns it is the mean of, seed by seed: measured ones, or means named before it
    shown     columns of the printed table, measured ones and means; the tidy table holds all of them
    compared  setting -> the setting of the published table it is compared with; none where it has no such setting
    by_column settings whose rows have a model of its own for each column
    contrasts rows of which the second is subtracted from the first, seed by seed
    fewer_seeds  run -> its pretraining seeds, for runs that have fewer than the others
    metrics   metric -> what it adds to the name of a column, so that a table can show several of the same things
    unit      what the numbers are
    label_header  what stands above run and setting
    uneven    columns whose rows are measured on different items, as the notes must say
    is_by_setting whether the best of a column is that among the rows of its setting, not of the table
    decimals  metric -> digits that are printed after the point, where they are not 1
    falling   metrics of which less is better
    own_items whether each setting is measured on items of its own
    signed    columns of differences
    beside    columns that stand there to be compared with others, in which no row is better than another
    """

    name: str
    labels: Mapping[str, str]
    rows: tuple[Row, ...]
    measured: tuple[str, ...]
    means: Mapping[str, tuple[str, ...]]
    shown: tuple[str, ...]
    compared: Mapping[str, str] = field(default_factory=dict)
    by_column: tuple[str, ...] = ()
    contrasts: tuple[tuple[Row, Row], ...] = ()
    fewer_seeds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=lambda: {"accuracy": ""})
    unit: str = "Accuracy in percent"
    label_header: tuple[str, str] = ("system", "setting")
    uneven: tuple[str, ...] = ()
    is_by_setting: bool = True
    decimals: Mapping[str, int] = field(default_factory=dict)
    falling: tuple[str, ...] = ()
    own_items: bool = False
    signed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, those of the printed table first."""
        return (*self.shown, *(column for column in self.measured if column not in self.shown))

    def taken_apart(self, column: str) -> tuple[str, str]:
        """What a column measures on, and its metric; a mean may be called by the name of its metric alone."""
        if column in self.means and column in self.metrics:
            return "avg", column
        of = {metric: adds for metric, adds in self.metrics.items() if column.endswith(adds)}
        metric = max(of, key=lambda one: len(of[one]))
        return column.removesuffix(of[metric]), metric

    def title(self, row: Row) -> str:
        """What a row is called in a sentence."""
        return f"{self.labels[row.run]}, {row.setting}"


class Cell(NamedTuple):
    """One cell: mean over seeds and their sample standard deviation, in percent (NaN for a single seed)."""

    mean: float
    spread: float
    n_seeds: int
    n_items: int
    published: Published | None


def select(results: Sequence[Result], shape: Shape) -> list[Result]:
    """The results that fill a table, checked: every cell once for every seed of its setting, nothing else.

    Where a table shows several metrics their names are in those of the columns.

    Raises:
        CorpusError: naming the first cell that is missing, double, unexpected, not finite or of another size.
    """
    of_table = (result for result in results if result.table == shape.name and result.metric in shape.metrics)
    chosen = [replace(result, column=result.column + shape.metrics[result.metric]) for result in of_table]
    found: dict[tuple[Place, str], Result] = {}
    for result in chosen:
        key = (place(result), result.seed)
        if key in found:
            raise CorpusError(
                f"table '{shape.name}': two results for {_cell_name(*key)}; expected one, remove the other"
            )
        found[key] = result
    _check_grid(list(found), shape)
    for key, result in found.items():
        if not np.isfinite(result.value):
            raise CorpusError(
                f"table '{shape.name}': {_cell_name(*key)} is {result.value}; expected a number, rerun it"
            )
    _check_sizes(chosen, shape)
    return chosen


def place(result: Result) -> Place:
    """The place of a result in its table."""
    return Place(result.system, result.setting, result.column)


def by_seed(results: Sequence[Result], shape: Shape) -> pd.DataFrame:
    """The values of every column, means included: one line per run, setting and seed, which are its index.

    A mean is taken seed by seed, so that its spread is that of the mean.
    """
    frame = pd.DataFrame([(*place(result), result.seed, result.value) for result in results])
    frame.columns = pd.Index([*Place._fields, "seed", "value"])
    values = frame.pivot(index=["run", "setting", "seed"], columns="column", values="value")
    for column, parts in shape.means.items():
        values[column] = values[list(parts)].mean(axis="columns")
    return values[list(shape.columns)]


def cells(results: Sequence[Result], shape: Shape) -> dict[Place, Cell]:
    """Mean and spread of every cell, from results that ``select`` let through."""
    n_items = {(result.setting, result.column): result.n for result in results}
    for setting in {row.setting for row in shape.rows}:
        for column, parts in shape.means.items():
            several = {shape.taken_apart(part)[0]: n_items[setting, part] for part in parts}
            n_items[setting, column] = sum(several.values())
    groups = by_seed(results, shape).groupby(level=["run", "setting"])
    mean, spread, n_seeds = groups.mean(), groups.std(ddof=1), groups.size()
    return {
        at: Cell(
            mean=float(mean.loc[at.row, at.column]),
            spread=float(spread.loc[at.row, at.column]),
            n_seeds=int(n_seeds.loc[at.row]),
            n_items=n_items[at.setting, at.column],
            published=_published(at, shape),
        )
        for at in places(shape, shape.columns)
    }


def places(shape: Shape, columns: Sequence[str]) -> list[Place]:
    """All places of a table in reading order."""
    return [Place(*row, column) for row in shape.rows for column in columns]


def tidy(summary: Mapping[Place, Cell], shape: Shape) -> pd.DataFrame:
    """One line per cell, numbers in full: columns ``TIDY``; spread and published are empty where there is none."""
    lines = [
        (
            shape.name,
            shape.labels[at.run],
            at.setting,
            *shape.taken_apart(at.column),
            *cell[:4],
            cell.published and cell.published.value,
        )
        for at, cell in summary.items()
    ]
    return pd.DataFrame(lines, columns=pd.Index(TIDY))


def published_at(label: str, setting: str, column: str, shape: Shape) -> Published | None:
    """The number of a published row for one of our columns; for a mean without one, an average over what is ours."""
    found = published.value(shape.name, label, setting, column)
    if found is None and column in shape.means:
        return published.mean([published_at(label, setting, part, shape) for part in shape.means[column]])
    return found


def _published(at: Place, shape: Shape) -> Published | None:
    """The published number for a place; an average over the same columns as ours."""
    setting = shape.compared.get(at.setting)
    return published_at(shape.labels[at.run], setting, at.column, shape) if setting else None


def _check_grid(found: Sequence[tuple[Place, str]], shape: Shape) -> None:
    """Refuse results that leave a cell of any seed empty, or that belong to no cell."""
    if not found:
        raise CorpusError(
            f"table '{shape.name}': the result files hold no {' or '.join(shape.metrics)} for it; run the scoring first"
        )
    seeds = sorted({seed for _, seed in found})
    of_setting = {at.setting: sorted({seed for other, seed in found if other.setting == at.setting}) for at, _ in found}
    expected = [
        (at, seed)
        for at in places(shape, shape.measured)
        for seed in of_setting.get(at.setting, seeds)
        if _is_seed_of(at.run, seed, shape)
    ]
    missing, unexpected = set(expected) - set(found), set(found) - set(expected)
    if unexpected:
        raise CorpusError(
            f"table '{shape.name}': result for {_cell_name(*min(unexpected))}, but the table has rows "
            f"{'; '.join(' '.join(row) for row in shape.rows)} and columns {', '.join(shape.measured)}; "
            "give only the results of this table"
        )
    if missing:
        raise CorpusError(
            f"table '{shape.name}': no result for {_cell_name(*min(missing))} ({len(missing)} missing of "
            f"{len(expected)}, seeds {', '.join(seeds)}); score it, or take the seed out for every run"
        )


def _is_seed_of(run: str, seed: str, shape: Shape) -> bool:
    """Whether a run has a seed: "1", or "1.0" with that of the fine-tuning."""
    return int(seed.split(".")[0]) in shape.fewer_seeds[run] if run in shape.fewer_seeds else True


def _check_sizes(results: Sequence[Result], shape: Shape) -> None:
    """Refuse a column measured on different numbers of items: its rows could not be compared."""
    sizes: dict[tuple[str, str], Result] = {}
    for result in results:
        if result.column in shape.uneven:
            continue
        first = sizes.setdefault((result.setting if shape.own_items else "", result.column), result)
        if first.n != result.n:
            raise CorpusError(
                f"table '{shape.name}', column '{result.column}': {_cell_name(place(first), first.seed)} was measured "
                f"on {first.n} items, {_cell_name(place(result), result.seed)} on {result.n}; score both on the same"
            )


def _cell_name(at: Place, seed: str) -> str:
    return f"run '{at.run}', setting '{at.setting}', column '{at.column}', seed '{seed}'"
