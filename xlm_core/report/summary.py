"""Results of several seeds as one long table, summarized: the mean and spread of each cell, and differences.

What is repeated independently are pretrainings: fine-tuning seeds of a pretraining are averaged first, and n counts
pretraining seeds. Where a table has a single pretraining seed, its fine-tuning seeds are all that is left to count.
"""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from xlm_core import published
from xlm_core.config import SETTINGS
from xlm_core.errors import CorpusError
from xlm_core.metrics.intervals import paired_interval, welch_interval
from xlm_core.published import PublishedNumber, PublishedRow, RowKey
from xlm_core.report.table_specs import ColumnSpec, TableSpec
from xlm_core.results import Result

CELL = ["system", "setting", "column", "metric"]  # the fields of a result that name its cell
TIDY = ["table", *CELL, "mean", "spread", "low", "high", "n_seeds", "n_items", "published"]
DIFFERENCES = [
    "table", "system", "setting", "minus_system", "minus_setting", "column", "metric", "difference", "low", "high",
    "n_seeds", "minus_n_seeds",
]  # fmt: skip


def select(results: Sequence[Result], spec: TableSpec) -> pd.DataFrame:
    """Return the results that fill a table as a frame of their fields, checked, by column and seed.

    Further columns: ``seed``, the label of both seeds; ``repetition``, the seed that counts, see the module's
    docstring; ``row`` and ``cell``, the titles of the row and the cell.

    Raises:
        CorpusError: naming the first cell that is missing, double, unexpected, not finite or of another size.
    """
    order = {column.key: number for number, column in enumerate(spec.measured)}
    metrics = dict.fromkeys(metric for _, metric in order)
    chosen = [result for result in results if result.table == spec.name and result.metric in metrics]
    if not chosen:
        raise CorpusError(
            f"table '{spec.name}': the result files hold no {' or '.join(metrics)} for it; run the scoring first"
        )
    chosen.sort(key=lambda result: (order.get((result.column, result.metric), 0), result.seed))
    frame = pd.DataFrame([{**asdict(result), "seed": result.seed} for result in chosen])
    _check_cells(frame, spec)
    _check_sizes(frame, spec)
    frame["repetition"] = frame["pretraining_seed"]
    if frame["pretraining_seed"].nunique() == 1:
        frame["repetition"] = frame["finetuning_seed"].fillna(frame["pretraining_seed"]).astype(int)
    titles = {row.key: row.title for row in spec.rows}
    labels = {column.key: column.label for column in spec.columns}
    frame["row"] = [titles[result.system, result.setting] for result in chosen]
    frame["cell"] = frame["row"] + [f", {labels[result.column, result.metric]}" for result in chosen]
    return frame


def _check_cells(frame: pd.DataFrame, spec: TableSpec) -> None:
    """Refuse results that do not fill each cell exactly once with every seed of its setting, with a finite number."""
    keys = pd.MultiIndex.from_frame(frame[[*CELL, "seed"]])
    expected = pd.MultiIndex.from_tuples(_expected(frame, spec), names=keys.names)
    twice, unexpected, missing = keys[keys.duplicated()], keys.difference(expected), expected.difference(keys)
    if len(twice):
        raise CorpusError(f"table '{spec.name}': two results for {_named(twice[0])}; expected one, remove the other")
    if len(unexpected):
        raise CorpusError(
            f"table '{spec.name}': result for {_named(unexpected[0])}, but the table has rows "
            f"{'; '.join(' '.join(row.key) for row in spec.rows)} and columns "
            f"{', '.join(column.label for column in spec.measured)}; give only the results of this table"
        )
    if len(missing):
        raise CorpusError(
            f"table '{spec.name}': no result for {_named(missing[0])} ({len(missing)} missing of {len(expected)}, "
            f"seeds {', '.join(sorted(set(frame['seed'])))}); score it, or take the seed out for every run"
        )
    for cell, value in zip(keys, frame["value"], strict=True):
        if not np.isfinite(value):
            raise CorpusError(f"table '{spec.name}': {_named(cell)} is {value}; expected a number, rerun it")


def _expected(frame: pd.DataFrame, spec: TableSpec) -> list[tuple[str, ...]]:
    """Return the cells of a table with every seed of their settings that their rows have."""
    seeds = {name: dict(zip(of["seed"], of["pretraining_seed"], strict=True)) for name, of in frame.groupby("setting")}
    all_seeds = dict(zip(frame["seed"], frame["pretraining_seed"], strict=True))
    return [
        (*row.key, *column.key, seed)
        for row in spec.rows
        for column in spec.measured
        for seed, pretraining_seed in seeds.get(row.setting, all_seeds).items()
        if row.seeds is None or pretraining_seed in row.seeds
    ]


def _check_sizes(frame: pd.DataFrame, spec: TableSpec) -> None:
    """Refuse a column measured on different numbers of items: its rows could not be compared."""
    same_size = {column.key: column.same_size for column in spec.measured}
    firsts: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}
    for cell, n in zip(zip(*(frame[field] for field in [*CELL, "seed"]), strict=True), frame["n"], strict=True):
        _, setting, column, metric, _ = cell
        kind = same_size[column, metric]
        first, first_n = firsts.setdefault((setting * (kind == "setting"), column, metric), (cell, n))
        if kind != "nothing" and first_n != n:
            raise CorpusError(
                f"table '{spec.name}', column '{column}': {_named(first)} was measured on {first_n} items, "
                f"{_named(cell)} on {n}; score both on the same"
            )


def _named(cell: Sequence[Hashable]) -> str:
    return ", ".join(f"{name} '{value}'" for name, value in zip((*CELL, "seed"), cell, strict=True))


def by_seed(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return the values of all columns, means included: a line per system, setting and repetition, its index.

    A mean over columns is taken seed by seed, so that the spread is computed from the means.
    """
    groups = frame.groupby(["system", "setting", "repetition", "column", "metric"])
    values = groups["value"].mean().unstack(["column", "metric"])
    for column in spec.columns:
        if column.mean_of:
            values[column.key] = values[[part.key for part in column.mean_of]].mean(axis="columns")
    return values


def cells(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return mean and spread of every cell of the tidy table, from results that ``select`` has checked.

    Means and sample standard deviations over the repetitions, in the unit of the table (NaN: a single one). A column of
    differences has a 95 % interval, ``low`` to ``high``, instead of a spread.

    Returns:
        One line per cell, with the number of its row in the ``spec`` as its index. Its columns are ``TIDY``, in which
        rows and columns have their display names, whether the published number is ``confirmed``, and whether the column
        ``is_shown``.
    """
    values = by_seed(frame, spec)
    lines = []
    for row in spec.rows:
        n_items, of_row = _sizes(frame, row.key, spec), values.loc[row.key, :]
        for column in spec.tidy:
            measured = _measured(of_row, column)
            number = published_number(row.published, column, spec) or (None, None)
            names = (spec.name, *row.labels, column.shown_title, column.metric)
            lines.append((*names, *measured, len(of_row), n_items[column.key], *number, column.is_shown))
    index = [number for number, _ in enumerate(spec.rows) for _ in spec.tidy]
    return pd.DataFrame(lines, index, pd.Index([*TIDY, "confirmed", "is_shown"]))


def _measured(of_row: pd.DataFrame, column: ColumnSpec) -> tuple[float, float, float, float]:
    """Return mean, spread, low and high of a cell, from the values of its row, a line per repetition."""
    if column.difference_of:
        first, second = (of_row[part.key].to_numpy() for part in column.difference_of)
        is_itself = np.array_equal(first, second)  # the full system of an ablation
        interval = (paired_interval if is_itself else welch_interval)(first, second)
        return interval.difference, np.nan, interval.low, interval.high
    return float(of_row[column.key].mean()), float(of_row[column.key].std(ddof=1)), np.nan, np.nan


def _sizes(frame: pd.DataFrame, row: RowKey, spec: TableSpec) -> dict[published.ColumnKey, int]:
    """Return the items of each column of a row; a mean has the items of its columns, once for all of their metrics."""
    of_row = frame[(frame["system"] == row[0]) & (frame["setting"] == row[1])]
    sizes = dict(zip(zip(of_row["column"], of_row["metric"], strict=True), of_row["n"], strict=True))
    for column in spec.columns:
        if column.mean_of:
            sizes[column.key] = sum({part.name: sizes[part.key] for part in column.mean_of}.values())
        elif column.difference_of:
            sizes[column.key] = sizes[column.difference_of[0].key]
    return sizes


def published_number(row: Sequence[str] | None, column: ColumnSpec, spec: TableSpec) -> PublishedNumber | None:
    """Return the number of a published row, given by key and setting, for a column.

    The number of a mean without a published column is the mean over the same columns.
    """
    table = published.tables().get(spec.name)
    if table is None or row is None or tuple(row) not in table.rows:
        return None
    key, setting = row
    number = table.rows[key, setting].numbers.get((column.published, column.metric)) if column.published else None
    if number is None and column.mean_of:
        return published.mean([published_number(row, part, spec) for part in column.mean_of])
    return number


def other_published_rows(spec: TableSpec) -> list[tuple[PublishedRow, list[PublishedNumber | None]]]:
    """Return the published rows, with a number in one of the printed columns, that are compared with no row of ours."""
    table = published.tables().get(spec.name)
    ours = {tuple(row.published) for row in spec.rows if row.published}
    rows = [(key, row) for key, row in table.rows.items() if key not in ours] if table else []
    numbers = [[published_number(key, column, spec) for column in spec.shown] for key, _ in rows]
    return [(row, of_row) for (_, row), of_row in zip(rows, numbers, strict=True) if any(of_row)]


def differences(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return the differences that a table shows, from results that ``select`` has checked.

    Differences of means, in points, each with a 95 % interval over the repetitions (NaN: a single one). Two systems are
    independent, whatever the numbers of their seeds; one system in two settings is the same pretraining in both, so
    its seeds are pairs, and only those that both settings have count.

    Returns:
        One line per difference of a cell, columns ``DIFFERENCES``, with the number of the difference in the ``spec`` as
        its index.
    """
    values = by_seed(frame, spec)
    lines = []
    for row, minus in spec.differences:
        of_row, of_minus = values.loc[row.key, :], values.loc[minus.key, :]
        is_paired = row.system == minus.system
        if is_paired:
            of_row, of_minus = of_row.align(of_minus, join="inner", axis="index")
        for column in spec.shown:
            interval_of = paired_interval if is_paired else welch_interval
            interval = interval_of(of_row[column.key].to_numpy(), of_minus[column.key].to_numpy())
            names = (spec.name, *row.labels, *minus.labels, column.shown_title, column.metric)
            lines.append((*names, *interval, len(of_row), len(of_minus)))
    index = [number for number, _ in enumerate(spec.differences) for _ in spec.shown]
    return pd.DataFrame(lines, index, pd.Index(DIFFERENCES))


def ablation_results(results: Sequence[Result], full: str, train: str) -> list[Result]:
    """Return the results of the ablation, for each system and seed: accuracy, transfer, transfer of the full system.

    Transfer is the mean zero-shot accuracy over the system's languages but ``train``; that of the ``full`` system is
    the mean over the same ones.

    Raises:
        CorpusError: a seed or a language of a system is one that the full system has no result for.
    """
    by_run: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        if (result.table, result.setting) == ("xnli", SETTINGS["zero_shot"]):
            by_run.setdefault((result.system, result.seed), {})[result.column] = result
    computed = []
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
        computed += [
            replace(languages[train], table="ablation", warnings=[]),
            replace(first, column="transfer", value=transfer, warnings=warnings),
            replace(first, column="full system", value=of_full),
        ]
    return computed
