"""Notes under a table: how its numbers came about, and what a reader must know before trusting them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from xlm_core import published
from xlm_core.report.summary import CellKey, Cells, Differences
from xlm_core.report.table_spec import ColumnKey, ColumnSpec, TableSpec

DAGGER = "†"
LEVEL = 0.05  # of significance


def legend(
    frame: pd.DataFrame, found: Cells, spec: TableSpec, settings: Mapping[str, str], others: Sequence[str]
) -> list[str]:
    """Sentences that hold for the whole table.

    Args:
        frame: its results.
        found: its cells.
        spec: what it consists of.
        settings: what each setting is, where that needs to be said.
        others: the cells of the published rows that are compared with none of ours.
    """
    of_rows = [row.setting for row in spec.rows]
    has_rivals = len(set(of_rows)) < len(of_rows) or not spec.ranks_by_setting
    among = " among the rows of a setting" if spec.ranks_by_setting else ""
    best = f"; bold: the best of a column{among}" if has_rivals else ""
    return [
        f"{spec.unit}, {_seeds(frame, spec)}{best}.",
        f"{spec.about_columns} {_sizes(frame, spec)}",
        *(f"{setting}: {about}." for setting, about in settings.items()),
        *_on_published(found, others, spec),
        _provenance(frame, spec),
    ]


def _seeds(frame: pd.DataFrame, spec: TableSpec) -> str:
    """How many seeds a number is the mean of; some rows may have fewer than others."""
    seeds = {row: list(dict.fromkeys(of_row["seed"])) for row, of_row in frame.groupby("row")}
    most = max(seeds.values(), key=len)
    fewer: dict[str, list[str]] = {}
    for row in dict.fromkeys(row.title for row in spec.rows):
        if len(seeds[row]) < len(most):
            fewer.setdefault(f"{len(seeds[row])} ({', '.join(seeds[row])})", []).append(f"'{row}'")
    if len(most) == 1:
        return f"one seed ({most[0]}), hence no spread"
    exceptions = "".join(f"; {some} in {', '.join(rows)}" for some, rows in fewer.items())
    return f"mean ± sample standard deviation over {len(most)} seeds ({', '.join(most)}){exceptions}"


def _sizes(frame: pd.DataFrame, spec: TableSpec) -> str:
    """How many items each number was measured on, where this does not differ between the settings."""
    of_column = dict(zip(frame["column"], map(int, frame["n"]), strict=True))
    sizes = {c.shown_title: of_column[c.name] for c in spec.measured if c.same_size == "table"}
    if not sizes:
        return "How many items each number was measured on stands in the tidy table."
    if len(set(sizes.values())) == 1:
        return f"n = {next(iter(sizes.values()))} items {'each' if len(sizes) > 1 else 'in all'}."
    return f"Items: {', '.join(f'{column} {size}' for column, size in sizes.items())}."


def _on_published(found: Cells, others: Sequence[str], spec: TableSpec) -> list[str]:
    """Where the published numbers come from, and what a difference from them means."""
    table = published.tables().get(spec.name)
    if table is None:
        return []
    numbers = [cell.published for cell in found.values() if cell.published]
    compared = {row for (row, _), cell in found.items() if cell.published}
    absent = [row.title for row in spec.rows if row.key not in compared]
    lines = []
    if numbers or any(others):
        lines.append(
            f"Published: {table.name}, measured on the paper's data; averages over the same columns. "
            "Difference: ours minus published; it means something only for the paper's configuration. "
            f"Note that {table.protocol}."
        )
    if not all(number.confirmed for number in numbers) or any(DAGGER in text for text in others):
        lines.append(f"{DAGGER} recalled, not confirmed against a public text.")
    if absent:
        lines.append(f"Without published numbers: {'; '.join(absent)}.")
    return lines


def _provenance(frame: pd.DataFrame, spec: TableSpec) -> str:
    """How the scorer worked, in which settings if not in all, and the digests of the code behind the numbers."""
    labels = {row.setting: row.labels[1] for row in spec.rows}
    scorers = []
    for signature, of_scorer in frame.groupby("signature"):
        where = [label for setting, label in labels.items() if setting in set(of_scorer["setting"])]
        scorers.append(str(signature) if len(where) == len(labels) else f"{signature} ({', '.join(where)})")
    return f"Scorer: {'; '.join(scorers)}. Code: {', '.join(sorted(set(frame['code_digest'])))}."


def cautions(frame: pd.DataFrame, spec: TableSpec) -> list[str]:
    """What makes the numbers of a table hard to compare: they come from different code, scorers, settings or data.

    Settings of a table differ in how they score, rows in the settings of their training, and columns in their data, by
    design. So code is compared in the whole table, scorers within a setting, settings of a training within a row, or
    within a cell where each column has a model of its own, data among the seeds of a cell.
    """
    has_model_per_column = {row.title for row in spec.rows if row.has_model_per_column}
    scored = pd.Series("this table", frame.index)
    if spec.ranks_by_setting:
        labels = {row.setting: row.labels[1] for row in spec.rows}
        scored = "setting '" + frame["setting"].map(labels) + "'"
    if len({column.metric for column in spec.measured}) > 1:
        scored = scored + ", " + frame["metric"]
    groups = {
        ("code versions", "code_digest"): pd.Series("this table", frame.index),
        ("scorers", "signature"): scored,
        ("settings", "config_digest"): frame["cell"].where(frame["row"].isin(has_model_per_column), frame["row"]),
        ("data", "data_digest"): frame["cell"],
    }
    found = []
    for (what, digest), group in groups.items():
        digests = {name: sorted(set(values)) for name, values in frame[digest].groupby(group)}
        mixed = [f"{name} ({', '.join(several)})" for name, several in digests.items() if len(several) > 1]
        if mixed:
            found.append(f"Caution: different {what} in {'; '.join(mixed)}.")
    return found


def footnotes(frame: pd.DataFrame, spec: TableSpec) -> tuple[list[str], dict[CellKey, int]]:
    """The warnings that results carry, such as a collapse to one class: one footnote for each row that has any.

    Returns:
        The footnotes, numbered from 1, with the columns and seeds of each warning, named once for all metrics; and the
        number that each cell shows. A mean that is shown instead of its parts shows theirs.
    """
    lines: list[str] = []
    marks: dict[CellKey, int] = {}
    for row in spec.rows:
        of_row = frame[(frame["system"] == row.system) & (frame["setting"] == row.setting)]
        where: dict[str, dict[str, list[str]]] = {}  # warning -> column -> seeds
        for column in spec.measured:
            of_cell = of_row[(of_row["column"] == column.name) & (of_row["metric"] == column.metric)]
            for warnings, seed in zip(of_cell["warnings"], of_cell["seed"], strict=True):
                for warning in warnings:
                    seeds = where.setdefault(warning, {}).setdefault(column.shown_title, [])
                    seeds.extend([seed] if seed not in seeds else [])
                if warnings:
                    marks |= {(row.key, shown): len(lines) + 1 for shown in _shown_for(column, spec)}
        if where:
            told = "; ".join(f"{warning} in {_columns(columns)}" for warning, columns in where.items())
            lines.append(f"{row.title}: {told}.")
    return lines, marks


def _columns(seeds: Mapping[str, Sequence[str]]) -> str:
    """``hi (seeds 0.0, 1.0), sw (seed 0.0)``."""
    parts = (f"{name} (seed{'s' if len(some) > 1 else ''} {', '.join(some)})" for name, some in seeds.items())
    return ", ".join(parts)


def _shown_for(column: ColumnSpec, spec: TableSpec) -> list[ColumnKey]:
    """The printed column that stands for a measured one; none where it is in the tidy table only."""
    if column.is_shown:
        return [column.key]
    return [shown.key for shown in spec.shown if column.key in shown.mean_of][:1]


def on_differences(found: Differences) -> str:
    """What the numbers in the table of differences are; empty where there is none."""
    if not found:
        return ""
    if all(difference.n_seeds == 1 for difference in found.values()):
        return "Differences in the units of the table; a single seed, hence no spread."
    return (
        "Points: mean ± sample standard deviation of the differences between equal seeds. "
        "Seeds: how many of the differences have the sign of their mean."
    )


def on_significance(paths: Iterable[Path], spec: TableSpec) -> list[str]:
    """Which rows differ by no more than chance from the one that they are compared with, by the tests in ``paths``."""
    tests = [row for path in paths for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
    if not tests:
        return []
    titles = {row.key: row.title for row in spec.rows}
    columns = {column.name: column.shown_title for column in spec.measured}
    bases = {titles[test["minus_system"], test["minus_setting"]] for test in tests}
    base = f"'{min(bases)}'" if len(bases) == 1 else "what they are compared with below"
    unlike = f"differ from {base} by more than chance (paired bootstrap over the sentences, p < {LEVEL:g})"
    chance: dict[str, list[str]] = {}
    for test in tests:
        if float(test["p"]) >= LEVEL:
            where = f"{columns[test['column']]} (seed {test['seed']}, p = {float(test['p']):.3f})"
            chance.setdefault(titles[test["system"], test["setting"]], []).append(where)
    if not chance:
        return [f"All other rows {unlike}, in every column and with every seed."]
    exceptions = "; ".join(f"'{row}' in {', '.join(where)}" for row, where in chance.items())
    return [f"All other rows {unlike}, but for: {exceptions}."]
