"""Tables: results in, the same table out as Markdown, HTML, LaTeX, and as tidy numbers in full precision."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlm_core import results
from xlm_core.io import write_text
from xlm_core.published import ColumnKey, PublishedNumber, RowKey
from xlm_core.report import notes, summary, table_specs
from xlm_core.report.rendering import DAGGER, MINUS, render, signed
from xlm_core.report.table_specs import RowSpec, TableSpec

PUBLISHED = "published, on the paper's data"  # above the published rows that are compared with none of ours
DIFFERENCES = "Differences between rows"
KINDS = ("md", "html", "tex", "tidy", "differences")  # of files that a table is written to


@dataclass(frozen=True)
class PrintedCell:
    """One cell.

    text       mean and spread: ``71.2 ± 0.4``; of a difference its interval: ``+1.2 [+0.3, +2.1]``
    is_best    whether no row that it is compared with, of its setting or of all, is better; false if there is none
    footnote   its number, or 0
    heat       0 for the worst mean of its metric in the table, 1 for the best; 0 where none is better than another
    published  the published number, with a dagger where it is not confirmed; empty if there is none
    difference ours minus published, signed; empty where the text is not the paper's, or its unit is not known
    """

    text: str
    is_best: bool = False
    footnote: int = 0
    heat: float = 0.0
    published: str = ""
    difference: str = ""


@dataclass(frozen=True)
class PrintedRow:
    """A row: its labels and cells."""

    labels: tuple[str, ...]
    cells: Sequence[PrintedCell]

    @property
    def has_published(self) -> bool:
        """Whether there is a published number for any of its cells."""
        return any(cell.published for cell in self.cells)

    @property
    def has_difference(self) -> bool:
        """Whether ours minus published is shown for any of its cells."""
        return any(cell.difference for cell in self.cells)


def make(
    table: Mapping[str, Any],
    results_paths: Sequence[Path],
    outputs: Mapping[str, Path],
    significance: Sequence[Path] = (),
    filter_statistics: Sequence[Path] = (),
) -> None:
    """Write a table, with the differences between its rows.

    The differences are below the table and in the same files, because they answer the question that the table raises,
    whether one row is really better than another; as tidy numbers they are a separate file.

    Args:
        table: its contents, as plain data:
            "name": one of ``table_specs.SPECS``;
            "contents": the arguments of its function there;
            "caption": what was measured, and on which data;
            "is_paper_text": whether the data are the paper's, so that ours minus published is shown; else left out;
            "settings": setting -> its explanation, for the notes; may be left out;
            "remarks": further notes; may be left out;
            "full": of the ablation, the system that the others are compared with.
        results_paths: files of results, see ``xlm_core.results``; results of other tables are passed over.
        outputs: any of ``KINDS`` -> file to write.
        significance: the tests of ``xlm_core.metrics.significance`` of each row and the one that it is compared with.
        filter_statistics: of all shards of the text that the models were pretrained on, see ``tsv.FilterStats``.

    Raises:
        CorpusError: naming a cell that is missing, double, unexpected, or measured on another number of items.
    """
    spec = table_specs.spec(table)
    measured = results.read(results_paths)
    if "full" in table:
        measured = summary.ablation_results(measured, table["full"], table["contents"]["train"])
    frame = summary.select(measured, spec)
    cells, differences = summary.cells(frame, spec), summary.differences(frame, spec)
    footnotes, marks = notes.footnotes(frame, spec)
    further_notes = notes.on_significance(significance, spec) + notes.on_dropped_text(filter_statistics)
    further_notes += notes.cautions(frame, spec)
    page = {
        "name": spec.name,
        "caption": table["caption"],
        "label_header": list(spec.label_header),
        "header": [column.label for column in spec.shown],
        "rows": _rows(cells, spec, marks, is_compared=table.get("is_paper_text", False)),
        "published_rows": _published_rows(spec),
        "notes": [*notes.legend(frame, cells, spec, table), *table.get("remarks", []), *further_notes],
        "footnotes": footnotes,
        "differences": _difference_rows(differences, spec),
        "difference_note": notes.on_differences(frame),
    }
    numbers = {"tidy": cells[summary.TIDY], "differences": differences}
    for kind, path in outputs.items():
        if kind in numbers:
            text = numbers[kind].to_csv(index=False)
        else:
            text = render(kind, table=page, PUBLISHED=PUBLISHED, DIFFERENCES=DIFFERENCES)
        write_text(path, text)


def mean_and_spread(mean: float, spread: float, decimals: int) -> str:
    """Return ``71.2 ± 0.4``; without a spread where there is a single seed."""
    return f"{mean:.{decimals}f}" if math.isnan(spread) else f"{mean:.{decimals}f} ± {spread:.{decimals}f}"


def difference_and_interval(difference: float, low: float, high: float, decimals: int) -> str:
    """Return ``+1.2 [+0.3, +2.1]``; without an interval where there is a single seed."""
    text = signed(difference, decimals)
    return text if math.isnan(low) else f"{text} [{signed(low, decimals)}, {signed(high, decimals)}]"


def difference(mean: float, published_value: float, decimals: int = 1) -> str:
    """Return ours minus published, signed; of the printed numbers, so that a reader who subtracts finds the same."""
    return signed(round(mean, decimals) - round(published_value, decimals), decimals)


def _rows(
    cells: pd.DataFrame, spec: TableSpec, marks: Mapping[tuple[RowKey, ColumnKey], int], *, is_compared: bool
) -> list[PrintedRow]:
    shown = cells[cells["is_shown"]]
    is_best, heat = _rank(shown["mean"].to_numpy().reshape(len(spec.rows), -1), spec)
    rows = []
    for number, row in enumerate(spec.rows):
        printed = []
        for index, (column, cell) in enumerate(zip(spec.shown, shown.loc[[number]].to_dict("records"), strict=True)):
            decimals = column.decimals
            theirs = PublishedNumber(cell["published"], cell["confirmed"]) if pd.notna(cell["published"]) else None
            printed.append(
                PrintedCell(
                    text=difference_and_interval(cell["mean"], cell["low"], cell["high"], decimals)
                    if column.difference_of
                    else mean_and_spread(cell["mean"], cell["spread"], decimals),
                    is_best=is_best[number, index],
                    footnote=marks.get((row.key, column.key), 0),
                    heat=heat[number, index],
                    published=_published(theirs, decimals),
                    difference=difference(cell["mean"], theirs.value, decimals)
                    if theirs and is_compared and column.has_published_unit
                    else "",
                )
            )
        rows.append(PrintedRow(row.labels, printed))
    return rows


def _rank(means: np.ndarray, spec: TableSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each printed mean is the best of its rivals, and its position among all means of its metric.

    A mean that is printed like the best one is best, too. Numbers of different metrics are not compared.

    Shapes:
        means: (n_rows, n_columns)
        returned: (n_rows, n_columns) booleans; (n_rows, n_columns) from 0, the worst, to 1
    """
    points = means * [-1 if column.lower_is_better else 1 for column in spec.shown]
    printed = np.array(
        [[round(n, c.decimals) for n, c in zip(row, spec.shown, strict=True)] for row in points.tolist()]
    )
    is_ranked = np.array([column.is_ranked for column in spec.shown])
    metrics = np.array([column.metric for column in spec.shown])
    settings = np.array([row.setting if spec.ranks_by_setting else "" for row in spec.rows])
    is_best, heat = np.zeros(means.shape, dtype=bool), np.zeros(means.shape)
    for setting in set(settings):
        rivals = printed[settings == setting]
        is_best[settings == setting] = (rivals == rivals.max(axis=0)) & is_ranked & (len(rivals) > 1)
    for metric in set(metrics[is_ranked]):
        alike = points[:, is_ranked & (metrics == metric)]
        heat[:, is_ranked & (metrics == metric)] = (alike - alike.min()) / (np.ptp(alike) or 1)
    return is_best, heat


def _published_rows(spec: TableSpec) -> list[PrintedRow]:
    return [
        PrintedRow(
            (row.label, row.setting_label),
            [PrintedCell(_published(n, column.decimals)) for n, column in zip(numbers, spec.shown, strict=True)],
        )
        for row, numbers in summary.other_published_rows(spec)
    ]


def _published(number: PublishedNumber | None, decimals: int) -> str:
    return f"{number.value:.{decimals}f}{'' if number.confirmed else DAGGER}" if number else ""


def _difference_rows(differences: pd.DataFrame, spec: TableSpec) -> list[PrintedRow]:
    rows = []
    for number, (row, minus) in enumerate(spec.differences):
        cells = zip(differences.loc[[number]].to_dict("records"), spec.shown, strict=True)
        texts = [
            difference_and_interval(cell["difference"], cell["low"], cell["high"], column.decimals)
            for cell, column in cells
        ]
        rows.append(PrintedRow((_subtraction(row, minus),), [PrintedCell(text) for text in texts]))
    return rows


def _subtraction(row: RowSpec, minus: RowSpec) -> str:
    """Return the label of a difference, shared parts first: ``zero-shot: XLM (MLM+TLM) − XLM (MLM)``."""
    (system, setting), (minus_system, minus_setting) = row.labels, minus.labels
    if row.system == minus.system:
        return f"{system}: {setting} {MINUS} {minus_setting}"
    if row.setting == minus.setting:
        return f"{setting}: {system} {MINUS} {minus_system}"
    return f"{row.title} {MINUS} {minus.title}"
