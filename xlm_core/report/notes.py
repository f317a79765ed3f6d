"""Notes under a table: how its numbers were measured, and what limits their comparison."""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xlm_core import published
from xlm_core.published import ColumnKey, RowKey
from xlm_core.report import summary
from xlm_core.report.rendering import DAGGER, render
from xlm_core.report.table_specs import TableSpec
from xlm_core.tsv import FilterStats

LEVEL = 0.05  # of significance


def legend(frame: pd.DataFrame, cells: pd.DataFrame, spec: TableSpec, table: Mapping[str, Any]) -> list[str]:
    """Return the notes that hold for the whole table, by the template ``notes``.

    Args:
        frame: its results, see ``summary.select``.
        cells: its cells, see ``summary.cells``.
        spec: its rows and columns.
        table: its description, see ``xlm_core.report.tables.make``.
    """
    seeds = {title: tuple(of_row["repetition"].unique()) for title, of_row in frame.groupby("row")}
    most = max(seeds.values(), key=len)
    fewer: dict[tuple[int, ...], list[str]] = {}
    for title in dict.fromkeys(row.title for row in spec.rows):
        if len(seeds[title]) < len(most):
            fewer.setdefault(seeds[title], []).append(title)
    n_items = dict(zip(frame["column"], frame["n"], strict=True))
    is_published = cells["published"].notna()
    others = [number for _, numbers in summary.other_published_rows(spec) for number in numbers if number]
    text = render(
        "notes",
        spec=spec,
        table=table,
        pretraining_seeds=frame["pretraining_seed"].unique(),
        finetuning_seeds=frame["finetuning_seed"].dropna().astype(int).unique(),
        seeds=most,
        fewer_seeds=fewer,
        sizes={column.shown_title: n_items[column.name] for column in spec.measured if column.same_size == "table"},
        published=published.tables().get(spec.name),
        has_published=is_published.any() or others,
        has_unconfirmed=cells["confirmed"].eq(False).any() or not all(number.confirmed for number in others),
        unpublished=[row.title for number, row in enumerate(spec.rows) if not is_published[[number]].any()],
        DAGGER=DAGGER,
        scorers=_scorers(frame, spec),
        codes=sorted(set(frame["code_digest"])),
    )
    return [re.sub(r"\s*\n\s*", " ", note) for note in re.split(r"\n{2,}", text.strip())]


def _scorers(frame: pd.DataFrame, spec: TableSpec) -> list[str]:
    """Return the signatures of the scorers, with the settings that each scored, if not all."""
    labels = {row.setting: row.labels[1] for row in spec.rows}
    scorers = []
    for signature, of_scorer in frame.groupby("signature"):
        scored = [label for setting, label in labels.items() if setting in set(of_scorer["setting"])]
        scorers.append(str(signature) if len(scored) == len(labels) else f"{signature} ({', '.join(scored)})")
    return scorers


def cautions(frame: pd.DataFrame, spec: TableSpec) -> list[str]:
    """Return cautions where numbers are hard to compare: they come from different code, scorers, settings or data.

    Settings of a table differ in how they score, rows in the settings of their training, and columns in their data, by
    design. So code is compared in the whole table, scorers within a setting, settings of a training within a row, or
    within a cell where each column has a model of its own, data among the seeds of a cell.
    """
    has_model_per_column = [row.title for row in spec.rows if row.has_model_per_column]
    whole = pd.Series("this table", frame.index)
    labels = {row.setting: f"setting '{row.labels[1]}'" for row in spec.rows}
    scored = frame["setting"].map(labels) if spec.ranks_by_setting else whole
    if frame["metric"].nunique() > 1:
        scored = scored + ", " + frame["metric"]
    groups = {
        ("code versions", "code_digest"): whole,
        ("scorers", "signature"): scored,
        ("settings", "config_digest"): frame["cell"].where(frame["row"].isin(has_model_per_column), frame["row"]),
        ("data", "data_digest"): frame["cell"],
    }
    notes = []
    for (kind, digest), group in groups.items():
        digests = {name: sorted(set(values)) for name, values in frame[digest].groupby(group)}
        mixed = [f"{name} ({', '.join(several)})" for name, several in digests.items() if len(several) > 1]
        if mixed:
            notes.append(f"Caution: different {kind} in {'; '.join(mixed)}.")
    return notes


def footnotes(frame: pd.DataFrame, spec: TableSpec) -> tuple[list[str], dict[tuple[RowKey, ColumnKey], int]]:
    """Return the warnings of results, such as a collapse to one class: one footnote for each row that has any.

    Returns:
        The footnotes, numbered from 1, with the columns and seeds of each warning, named once for all metrics; and the
        number that each cell shows. A mean that is shown instead of its parts shows theirs.
    """
    titles = {column.key: column.shown_title for column in spec.measured}
    warned = frame.explode("warnings").dropna(subset="warnings")
    lines: list[str] = []
    marks: dict[tuple[RowKey, ColumnKey], int] = {}
    for row in spec.rows:
        of_row = warned[(warned["system"] == row.system) & (warned["setting"] == row.setting)]
        notes = []
        for warning, of_warning in of_row.groupby("warnings", sort=False):
            columns = list(zip(of_warning["column"], of_warning["metric"], strict=True))
            seeds = of_warning.groupby([titles[column] for column in columns], sort=False)["seed"].unique()
            named = [f"{title} (seed{'s' if len(of) > 1 else ''} {', '.join(of)})" for title, of in seeds.items()]
            notes.append(f"{warning} in {', '.join(named)}")
            marks |= {(row.key, shown): len(lines) + 1 for column in columns for shown in _shown_for(column, spec)}
        if notes:
            lines.append(f"{row.title}: {'; '.join(notes)}.")
    return lines, marks


def _shown_for(column: ColumnKey, spec: TableSpec) -> list[ColumnKey]:
    """Return the printed column that stands for a measured one; none where it is in the tidy table only."""
    return [shown.key for shown in spec.shown if column in (shown.key, *(part.key for part in shown.mean_of))][:1]


def on_differences(frame: pd.DataFrame) -> str:
    """Return the explanation of the numbers in the table of differences, from the results of the table."""
    if frame["repetition"].nunique() == 1:
        return "Differences in the units of the table; a single seed, hence no interval."
    of_one_model = frame["pretraining_seed"].nunique() == 1
    seeds = "fine-tuning seeds of the one pretraining" if of_one_model else "pretraining seeds"
    return (
        f"Differences of means [95 % t-interval over {seeds}], in the units of the table: of two systems by Welch's "
        "method, of one system in two settings over the pairs of equal seeds."
    )


def on_dropped_text(statistics: Iterable[Path]) -> list[str]:
    """Return a note on the corpora of which a filter dropped many records, from the counts of their shards."""
    shards: dict[tuple[str, ...], list[Path]] = {}
    for path in statistics:
        shards.setdefault(path.parts[-4:-1], []).append(path)  # text, corpus and key name the folder
    is_several = len({text for text, *_ in shards}) > 1
    dropped = [
        f"{share:.0%} of {corpus} ({key}{f', as {text} reads it' if is_several else ''}) as '{reason}'"
        for (text, corpus, key), paths in shards.items()
        for reason, share in FilterStats.read_sum(paths).many_dropped.items()
    ]
    return [f"Text that the section 'text' dropped before training: {', '.join(dropped)}."] if dropped else []


def on_significance(paths: Iterable[Path], spec: TableSpec) -> list[str]:
    """Return a note on the rows that differ from their base by no more than chance, by the tests in ``paths``."""
    tests = [row for path in paths for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
    if not tests:
        return []
    titles = {row.key: row.title for row in spec.rows}
    columns = {column.name: column.shown_title for column in spec.measured}
    bases = {titles[test["minus_system"], test["minus_setting"]] for test in tests}
    base = f"'{min(bases)}'" if len(bases) == 1 else "what they are compared with below"
    exceptions: dict[str, list[str]] = {}
    for test in tests:
        if float(test["p"]) >= LEVEL:
            cell = f"{columns[test['column']]} (seed {test['seed']}, p = {float(test['p']):.3f})"
            exceptions.setdefault(f"'{titles[test['system'], test['setting']]}'", []).append(cell)
    listed = "; ".join(f"{row} in {', '.join(cells)}" for row, cells in exceptions.items())
    return [
        f"All other rows differ from {base} by more than chance (paired bootstrap over the sentences, p < {LEVEL:g}), "
        + (f"but for: {listed}." if listed else "in every column and with every seed.")
    ]
