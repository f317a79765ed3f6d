"""Results of several seeds as one long table, summarized: the mean and spread of each cell, and paired differences."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from xlm_core import published
from xlm_core.errors import CorpusError
from xlm_core.published import PublishedNumber
from xlm_core.report.table_spec import ColumnKey, ColumnSpec, RowKey, TableSpec
from xlm_core.results import Result

CELL = ["system", "setting", "column", "metric"]  # the fields of a result that name its cell
TIDY = ["table", *CELL, "mean", "spread", "n_seeds", "n_items", "published"]
DIFFERENCES = [
    "table", "system", "setting", "minus_system", "minus_setting", "column", "metric", "mean", "spread", "n_seeds",
    "n_agreeing",
]  # fmt: skip
ZERO_SHOT = "zero-shot"


class CellSummary(NamedTuple):
    """One cell: mean over seeds and their sample standard deviation, in percent (NaN for a single seed)."""

    mean: float
    spread: float
    n_seeds: int
    n_items: int
    published: PublishedNumber | None


class SeedDifference(NamedTuple):
    """Mean and sample standard deviation of the differences of equal seeds, in points (NaN for a single seed).

    Two rows that share their seeds share much of their noise, so that these differences spread less than the rows do.
    ``n_agreeing`` of the ``n_seeds`` differences have the sign of the mean.
    """

    mean: float
    spread: float
    n_seeds: int
    n_agreeing: int


CellKey = tuple[RowKey, ColumnKey]
Cells = dict[CellKey, CellSummary]
Differences = dict[tuple[RowKey, RowKey, ColumnKey], SeedDifference]


def select(results: Sequence[Result], spec: TableSpec) -> pd.DataFrame:
    """The results that fill a table as a frame of their fields, with what they are called in it; checked.

    Further columns: ``seed``, what both seeds are called; ``row``, the title of the row; ``cell``, that of the cell.

    Raises:
        CorpusError: naming the first cell that is missing, double, unexpected, not finite or of another size.
    """
    metrics = dict.fromkeys(column.metric for column in spec.measured)
    chosen = [result for result in results if result.table == spec.name and result.metric in metrics]
    if not chosen:
        raise CorpusError(
            f"table '{spec.name}': the result files hold no {' or '.join(metrics)} for it; run the scoring first"
        )
    _check(chosen, spec)
    titles = {row.key: row.title for row in spec.rows}
    labels = {column.key: column.label for column in spec.columns}
    lines = []
    for result in sorted(chosen, key=lambda result: result.seed):
        title = titles[result.system, result.setting]
        cell = f"{title}, {labels[result.column, result.metric]}"
        lines.append({**asdict(result), "seed": result.seed, "row": title, "cell": cell})
    return pd.DataFrame(lines)


def _check(results: Sequence[Result], spec: TableSpec) -> None:
    """Refuse results that do not fill each cell exactly once with every seed of its setting."""
    found: dict[tuple[str, ...], Result] = {}
    for result in results:
        cell = _cell(result)
        if cell in found:
            raise CorpusError(f"table '{spec.name}': two results for {_named(cell)}; expected one, remove the other")
        found[cell] = result
    expected = _expected(results, spec)
    if unexpected := set(found) - set(expected):
        raise CorpusError(
            f"table '{spec.name}': result for {_named(min(unexpected))}, but the table has rows "
            f"{'; '.join(' '.join(row.key) for row in spec.rows)} and columns "
            f"{', '.join(column.label for column in spec.measured)}; give only the results of this table"
        )
    if missing := set(expected) - set(found):
        seeds = sorted({result.seed for result in results})
        raise CorpusError(
            f"table '{spec.name}': no result for {_named(min(missing))} ({len(missing)} missing of {len(expected)}, "
            f"seeds {', '.join(seeds)}); score it, or take the seed out for every run"
        )
    for cell, result in found.items():
        if not np.isfinite(result.value):
            raise CorpusError(f"table '{spec.name}': {_named(cell)} is {result.value}; expected a number, rerun it")
    _check_sizes(results, spec)


def _expected(results: Sequence[Result], spec: TableSpec) -> list[tuple[str, ...]]:
    """The cells of a table with every seed of their settings that their rows have."""
    seeds: dict[str, dict[str, int]] = {}  # setting -> seed -> pretraining seed
    for result in results:
        seeds.setdefault(result.setting, {})[result.seed] = result.pretraining_seed
    every = {seed: number for several in seeds.values() for seed, number in several.items()}
    return [
        (*row.key, *column.key, seed)
        for row in spec.rows
        for column in spec.measured
        for seed, number in seeds.get(row.setting, every).items()
        if row.seeds is None or number in row.seeds
    ]


def _check_sizes(results: Sequence[Result], spec: TableSpec) -> None:
    """Refuse a column measured on different numbers of items: its rows could not be compared."""
    same_size = {column.key: column.same_size for column in spec.measured}
    firsts: dict[tuple[str, ...], Result] = {}
    for result in results:
        kind = same_size[result.column, result.metric]
        if kind == "nothing":
            continue
        first = firsts.setdefault((result.setting * (kind == "setting"), result.column, result.metric), result)
        if first.n != result.n:
            raise CorpusError(
                f"table '{spec.name}', column '{result.column}': {_named(_cell(first))} was measured on {first.n} "
                f"items, {_named(_cell(result))} on {result.n}; score both on the same"
            )


def _cell(result: Result) -> tuple[str, ...]:
    return (result.system, result.setting, result.column, result.metric, result.seed)


def _named(cell: tuple[str, ...]) -> str:
    return ", ".join(f"{name} '{value}'" for name, value in zip((*CELL, "seed"), cell, strict=True))


def by_seed(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """The values of all columns, means included: a line per system, setting and seed, which are its index.

    A mean is taken seed by seed, so that its spread is that of the mean.
    """
    values = frame.pivot(index=["system", "setting", "seed"], columns=["column", "metric"], values="value")
    for column in spec.columns:
        if column.mean_of:
            values[column.key] = values[list(column.mean_of)].mean(axis="columns")
    return values


def cells(frame: pd.DataFrame, spec: TableSpec) -> Cells:
    """Mean and spread of every cell of the tidy table, from results that ``select`` let through."""
    groups = by_seed(frame, spec).groupby(level=["system", "setting"])
    mean, spread = groups.mean().to_dict("index"), groups.std(ddof=1).to_dict("index")
    n_seeds = groups.size().to_dict()
    sizes = _sizes(frame, spec)
    return {
        (row.key, column.key): CellSummary(
            mean=float(mean[row.key][column.key]),
            spread=float(spread[row.key][column.key]),
            n_seeds=int(n_seeds[row.key]),
            n_items=sizes[row.setting, *column.key],
            published=published_number(row.published, column, spec),
        )
        for row in spec.rows
        for column in spec.tidy
    }


def _sizes(frame: pd.DataFrame, spec: TableSpec) -> dict[tuple[str, ...], int]:
    """Setting, column and metric -> items; a mean has those of its columns, of each of them once for all metrics."""
    keys = zip(frame["setting"], frame["column"], frame["metric"], strict=True)
    sizes: dict[tuple[str, ...], int] = dict(zip(keys, map(int, frame["n"]), strict=True))
    for setting in {row.setting for row in spec.rows}:
        for column in spec.columns:
            if column.mean_of:
                of_name = {name: sizes[setting, name, metric] for name, metric in column.mean_of}
                sizes[setting, *column.key] = sum(of_name.values())
    return sizes


def published_number(row: Sequence[str] | None, column: ColumnSpec, spec: TableSpec) -> PublishedNumber | None:
    """The number of a published row, given by key and setting, for a column; of a mean that over the same columns."""
    table = published.tables().get(spec.name)
    found = table.row(*row) if table and row else None
    if found is None:
        return None
    number = found.numbers.get((column.published, column.metric)) if column.published else None
    if number is None and column.mean_of:
        parts = [part for part in spec.columns if part.key in column.mean_of]
        return published.mean([published_number(row, part, spec) for part in parts])
    return number


def differences(frame: pd.DataFrame, spec: TableSpec) -> Differences:
    """The differences that a table shows, from results that ``select`` let through."""
    values = by_seed(frame, spec)
    found = {}
    for row, minus in spec.differences:
        points = of_row(values, row.key) - of_row(values, minus.key)  # (seed, column)
        for column in spec.shown:
            found[row.key, minus.key, column.key] = _difference(points[column.key].dropna())  # of seeds that both have
    return found


def of_row(values: pd.DataFrame, row: RowKey) -> pd.DataFrame:
    """The values of a row from ``by_seed``: a line per seed."""
    return cast(pd.DataFrame, values.loc[row])


def _difference(points: "pd.Series[float]") -> SeedDifference:
    mean = float(points.mean())
    n_agreeing = int((np.sign(points) == np.sign(mean)).sum())
    return SeedDifference(mean, float(points.std(ddof=1)), len(points), n_agreeing)


def tidy_cells(found: Cells, spec: TableSpec) -> pd.DataFrame:
    """One line per cell, numbers in full: columns ``TIDY``; spread and published are empty where there is none."""
    lines = [
        (spec.name, *row.labels, column.shown_title, column.metric, *cell[:4], cell.published and cell.published.value)
        for row in spec.rows
        for column in spec.tidy
        for cell in [found[row.key, column.key]]
    ]
    return pd.DataFrame(lines, columns=pd.Index(TIDY))


def tidy_differences(found: Differences, spec: TableSpec) -> pd.DataFrame:
    """One line per difference, numbers in full: columns ``DIFFERENCES``."""
    lines = [
        (
            spec.name,
            *row.labels,
            *minus.labels,
            column.shown_title,
            column.metric,
            *found[row.key, minus.key, column.key],
        )
        for row, minus in spec.differences
        for column in spec.shown
    ]
    return pd.DataFrame(lines, columns=pd.Index(DIFFERENCES))


def ablation_results(results: Sequence[Result], full: str, train: str) -> list[Result]:
    """The results of the ablation: of each system and seed accuracy, transfer, that of the full system, difference.

    Transfer is the mean zero-shot accuracy over the system's languages but ``train``; that of the ``full`` system is
    the mean over the same ones. So the difference is one between equal seeds and equal test sets.

    Raises:
        CorpusError: a seed or a language of a system is one that the full system has no result for.
    """
    by_run: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        if (result.table, result.setting) == ("xnli", ZERO_SHOT):
            by_run.setdefault((result.system, result.seed), {})[result.column] = result
    found = []
    for (system, seed), languages in by_run.items():
        base = by_run.get((full, seed), {})
        if missing := [language for language in languages if language not in base]:
            raise CorpusError(
                f"table 'ablation': system '{system}', seed {seed}, has results in {', '.join(missing)}, but the full "
                f"system '{full}' has none; score it, too"
            )
        others = [language for language in languages if language != train]
        transfer, of_full = (sum(of[language].value for language in others) / len(others) for of in (languages, base))
        warnings = list(dict.fromkeys(warning for result in languages.values() for warning in result.warnings))
        n = sum(languages[language].n for language in others)
        first = replace(languages[others[0]], table="ablation", n=n, warnings=[])
        found += [
            replace(languages[train], table="ablation", warnings=[]),
            replace(first, column="transfer", value=transfer, warnings=warnings),
            replace(first, column="full system", value=of_full),
            replace(first, column="difference", value=transfer - of_full),
        ]
    return found
