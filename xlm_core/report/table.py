"""The printed table: numbers as text in cells, notes and footnotes, before a template sets them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from xlm_core import published
from xlm_core.published import PublishedNumber
from xlm_core.report import notes
from xlm_core.report.summary import CellKey, Cells, CellSummary, Differences, SeedDifference, published_number
from xlm_core.report.table_spec import ColumnSpec, RowSpec, TableSpec

MINUS = "−"


@dataclass(frozen=True)
class PrintedCell:
    """One cell.

    text       mean and spread: ``71.2 ± 0.4``
    is_best    whether no row that it is compared with, those of its setting or all, is better; false if there is none
    footnote   its number, or 0
    heat       0 for the worst mean of its metric in the table, 1 for the best; 0 where none is better than another
    published  the published number, with a dagger where it is not confirmed; empty if there is none
    difference ours minus published, signed
    """

    text: str
    is_best: bool = False
    footnote: int = 0
    heat: float = 0.0
    published: str = ""
    difference: str = ""


@dataclass(frozen=True)
class PrintedRow:
    """A row: its labels and cells; of a difference between rows also how many seeds agree, as ``9/9``."""

    labels: tuple[str, ...]
    cells: tuple[PrintedCell, ...]
    agreement: tuple[str, ...] = ()

    @property
    def has_published(self) -> bool:
        """Whether there is a published number for any of its cells."""
        return any(cell.published for cell in self.cells)


@dataclass(frozen=True)
class PrintedTable:
    """A whole table: the headers of its labels and its numbers, rows, and what is below them; each may be empty.

    published_rows published rows that are compared with none of ours
    differences    between rows
    difference_note  what their numbers are
    """

    name: str
    caption: str
    label_header: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[PrintedRow, ...]
    published_rows: tuple[PrintedRow, ...]
    notes: tuple[str, ...]
    footnotes: tuple[str, ...]
    differences: tuple[PrintedRow, ...]
    difference_note: str


def printed(
    frame: pd.DataFrame,
    found: Cells,
    differences: Differences,
    spec: TableSpec,
    caption: str,
    settings: Mapping[str, str],
    remarks: Sequence[str],
) -> PrintedTable:
    """Turn the results of a table, its cells and the differences between its rows into text.

    ``settings`` says what each setting is, where that needs to be said; ``remarks`` are further notes.
    """
    footnotes, marks = notes.footnotes(frame, spec)
    others = _published_rows(spec)
    return PrintedTable(
        name=spec.name,
        caption=caption,
        label_header=spec.label_header,
        header=tuple(column.label for column in spec.shown),
        rows=tuple(_row(row, found, spec, marks) for row in spec.rows),
        published_rows=others,
        notes=(
            *notes.legend(frame, found, spec, settings, [cell.text for row in others for cell in row.cells]),
            *remarks,
            *notes.cautions(frame, spec),
        ),
        footnotes=tuple(footnotes),
        differences=tuple(_difference_row(row, minus, differences, spec) for row, minus in spec.differences),
        difference_note=notes.on_differences(differences),
    )


def mean_and_spread(cell: CellSummary | SeedDifference, decimals: int = 1, *, is_signed: bool = False) -> str:
    """``71.2 ± 0.4``, of a difference ``+1.2 ± 0.4``; without a spread where there is a single seed."""
    mean = signed(cell.mean, decimals) if is_signed else f"{cell.mean:.{decimals}f}"
    return mean if math.isnan(cell.spread) else f"{mean} ± {cell.spread:.{decimals}f}"


def difference(mean: float, published_value: float, decimals: int = 1) -> str:
    """Ours minus published, signed; of the printed numbers, so that a reader who subtracts finds the same."""
    return signed(round(mean, decimals) - round(published_value, decimals), decimals)


def signed(points: float, decimals: int = 1) -> str:
    """``+1.2``, ``−0.3``, or ``0.0``."""
    size = f"{abs(points):.{decimals}f}"
    sign = "" if float(size) == 0 else "+" if points > 0 else MINUS
    return sign + size


def _row(row: RowSpec, found: Cells, spec: TableSpec, marks: Mapping[CellKey, int]) -> PrintedRow:
    cells = []
    for column in spec.shown:
        cell, decimals = found[row.key, column.key], column.decimals
        is_best, heat = _rank(row, column, found, spec) if column.is_ranked else (False, 0.0)
        number = cell.published
        cells.append(
            PrintedCell(
                text=mean_and_spread(cell, decimals, is_signed=column.is_signed),
                is_best=is_best,
                footnote=marks.get((row.key, column.key), 0),
                heat=heat,
                published=_published(number, decimals),
                difference=difference(cell.mean, number.value, decimals) if number else "",
            )
        )
    return PrintedRow(row.labels, tuple(cells))


def _rank(row: RowSpec, column: ColumnSpec, found: Cells, spec: TableSpec) -> tuple[bool, float]:
    """Whether a number is the best of those it is compared with, and how good it is among all of its metric, 0 to 1."""
    mean = found[row.key, column.key].mean
    rivals = [
        found[other.key, column.key].mean
        for other in spec.rows
        if other.setting == row.setting or not spec.ranks_by_setting
    ]
    best = (min if column.lower_is_better else max)(rivals)
    # Compared as printed: two rows that read the same are both the best.
    is_best = len(rivals) > 1 and f"{mean:.{column.decimals}f}" == f"{best:.{column.decimals}f}"
    # Numbers of other metrics are of another kind, and not compared.
    means = [
        found[other.key, alike.key].mean
        for other in spec.rows
        for alike in spec.shown
        if alike.is_ranked and alike.metric == column.metric
    ]
    low, high = min(means), max(means)
    heat = (mean - low) / (high - low) if high > low else 0.0
    return is_best, 1 - heat if column.lower_is_better else heat


def _published(number: PublishedNumber | None, decimals: int) -> str:
    return "" if number is None else f"{number.value:.{decimals}f}{'' if number.confirmed else notes.DAGGER}"


def _published_rows(spec: TableSpec) -> tuple[PrintedRow, ...]:
    """The published rows that have a number in one of our columns and are compared with no row of ours."""
    table = published.tables().get(spec.name)
    if table is None:
        return ()
    ours = {tuple(row.published) for row in spec.rows if row.published}
    rows = []
    for row in (row for row in table.rows if (row.key, row.setting) not in ours):
        numbers = [published_number((row.key, row.setting), column, spec) for column in spec.shown]
        cells = [PrintedCell(_published(n, column.decimals)) for n, column in zip(numbers, spec.shown, strict=True)]
        rows += [PrintedRow((row.label, row.setting_label), tuple(cells))] if any(numbers) else []
    return tuple(rows)


def _difference_row(row: RowSpec, minus: RowSpec, found: Differences, spec: TableSpec) -> PrintedRow:
    several = [(column, found[row.key, minus.key, column.key]) for column in spec.shown]
    return PrintedRow(
        labels=(_subtraction(row, minus),),
        cells=tuple(PrintedCell(mean_and_spread(one, column.decimals, is_signed=True)) for column, one in several),
        agreement=tuple(f"{one.n_agreeing}/{one.n_seeds}" for _, one in several if one.n_seeds > 1),
    )


def _subtraction(row: RowSpec, minus: RowSpec) -> str:
    """What two rows share, before what is subtracted: ``zero-shot: XLM (MLM+TLM) − XLM (MLM)``."""
    (system, setting), (minus_system, minus_setting) = row.labels, minus.labels
    if row.system == minus.system:
        return f"{system}: {setting} {MINUS} {minus_setting}"
    if row.setting == minus.setting:
        return f"{setting}: {system} {MINUS} {minus_system}"
    return f"{row.title} {MINUS} {minus.title}"
