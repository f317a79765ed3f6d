"""Results of several seeds as one long table, summarized: the mean and spread of each cell, and paired differences."""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from xlm_core import published
from xlm_core.config import SETTINGS
from xlm_core.errors import CorpusError
from xlm_core.published import PublishedNumber, PublishedRow, RowKey
from xlm_core.report.table_specs import ColumnSpec, TableSpec
from xlm_core.results import Result

CELL = ["system", "setting", "column", "metric"]  # the fields of a result that name its cell
TIDY = ["table", *CELL, "mean", "spread", "n_seeds", "n_items", "published"]
DIFFERENCES = [
    "table", "system", "setting", "minus_system", "minus_setting", "column", "metric", "mean", "spread", "n_seeds",
    "n_agreeing",
]  # fmt: skip


def select(results: Sequence[Result], spec: TableSpec) -> pd.DataFrame:
    """Return the results that fill a table as a frame of their fields, checked, by column and seed.

    Further columns: ``seed``, the label of both seeds; ``row`` and ``cell``, the titles of the row and the cell.

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
    """Return the values of all columns, means included: a line per system, setting and seed, which are its index.

    A mean is taken seed by seed, so that its spread is that of the mean.
    """
    values = frame.pivot(index=["system", "setting", "seed"], columns=["column", "metric"], values="value")
    for column in spec.columns:
        if column.mean_of:
            values[column.key] = values[[part.key for part in column.mean_of]].mean(axis="columns")
    return values


def cells(frame: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return mean and spread of every cell of the tidy table, from results that ``select`` has checked.

    Means and sample standard deviations over the seeds, in the unit of the table (NaN: a single seed).

    Returns:
        One line per cell, with the number of its row in the ``spec`` as its index. Its columns are ``TIDY``, in which
        rows and columns have their display names, whether the published number is ``confirmed``, and whether the column
        ``is_shown``.
    """
    groups = by_seed(frame, spec).groupby(level=["system", "setting"])
    mean, spread = groups.mean().to_dict("index"), groups.std(ddof=1).to_dict("index")
    n_seeds = groups.size().to_dict()
    lines = []
    for row in spec.rows:
        n_items = _sizes(frame, row.key, spec)
        for column in spec.tidy:
            number = published_number(row.published, column, spec) or (None, None)
            numbers = (mean[row.key][column.key], spread[row.key][column.key], n_seeds[row.key], n_items[column.key])
            names = (spec.name, *row.labels, column.shown_title, column.metric)
            lines.append((*names, *numbers, *number, column.is_shown))
    index = [number for number, _ in enumerate(spec.rows) for _ in spec.tidy]
    return pd.DataFrame(lines, index, pd.Index([*TIDY, "confirmed", "is_shown"]))


def _sizes(frame: pd.DataFrame, row: RowKey, spec: TableSpec) -> dict[published.ColumnKey, int]:
    """Return the items of each column of a row; a mean has those of its columns, once for all of their metrics."""
    of_row = frame[(frame["system"] == row[0]) & (frame["setting"] == row[1])]
    sizes = dict(zip(zip(of_row["column"], of_row["metric"], strict=True), of_row["n"], strict=True))
    for column in spec.columns:
        if column.mean_of:
            sizes[column.key] = sum({part.name: sizes[part.key] for part in column.mean_of}.values())
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

    Means and sample standard deviations of the differences of equal seeds, in points (NaN: a single seed). Rows with
    the same seeds share much of their noise, so these differences spread less than the rows do. ``n_agreeing`` of the
    ``n_seeds`` differences have the sign of the mean.

    Returns:
        One line per difference of a cell, columns ``DIFFERENCES``, with the number of the difference in the ``spec`` as
        its index.
    """
    values = by_seed(frame, spec)
    lines = []
    for row, minus in spec.differences:
        points = values.loc[row.key, :] - values.loc[minus.key, :]  # (seed, column)
        for column in spec.shown:
            of_both = points[column.key].dropna()  # of seeds that both have
            mean = float(of_both.mean())
            n_agreeing = int((np.sign(of_both) == np.sign(mean)).sum())
            names = (spec.name, *row.labels, *minus.labels, column.shown_title, column.metric)
            lines.append((*names, mean, float(of_both.std(ddof=1)), len(of_both), n_agreeing))
    index = [number for number, _ in enumerate(spec.differences) for _ in spec.shown]
    return pd.DataFrame(lines, index, pd.Index(DIFFERENCES))


def ablation_results(results: Sequence[Result], full: str, train: str) -> list[Result]:
    """Return the results of the ablation, for each system and seed: accuracy, transfer, full system, difference.

    Transfer is the mean zero-shot accuracy over the system's languages but ``train``; that of the ``full`` system is
    the mean over the same ones. So the difference is one between equal seeds and equal test sets.

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
            replace(first, column="difference", value=transfer - of_full),
        ]
    return computed
