"""Layout: what a table shows, as text in cells, before Markdown, HTML and LaTeX each set it in their own way."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlm_core.report import differences, foreign, notes
from xlm_core.report.differences import Difference
from xlm_core.report.published import Published
from xlm_core.report.summary import Cell, Place, Row, Shape
from xlm_core.results import Result

MINUS = "−"
FOREIGN = "published, on the paper's data"  # heads the published rows that are none of ours
CONTRASTS = "Differences between rows, seed by seed"


@dataclass(frozen=True)
class Box:
    """One printed cell.

    text       mean and spread: ``71.2 ± 0.4``
    is_best    whether no row that it is compared with, those of its setting or all, is better; false if there is none
    mark       number of its footnote, or 0
    heat       0 for the worst mean of its metric in the table, 1 for the best; 0 where none is better than another
    published  the published number, with a dagger where it is not confirmed; empty if there is none
    difference ours minus published, signed
    """

    text: str
    is_best: bool
    mark: int
    heat: float
    published: str
    difference: str


@dataclass(frozen=True)
class Line:
    """One row: its labels, system and setting, and its cells."""

    labels: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def is_published(self) -> bool:
        """Whether there is a published number for any of its cells."""
        return any(box.published for box in self.boxes)


@dataclass(frozen=True)
class Foreign:
    """A published row that is none of ours: its labels, and its cells, empty where there is no number."""

    labels: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Contrast:
    """One row less another: the mean difference ``+5.3 ± 1.2`` of each column, and how many seeds agree: ``9/9``.

    A single seed cannot disagree: ``agreement`` is then empty.
    """

    label: str
    cells: tuple[str, ...]
    agreement: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """A whole table: ``label_header`` above the labels, ``header`` above the cells, then its notes and footnotes.

    Under its own rows stand the published ones, and under its notes the contrasts with a note of their own; neither
    need be there.
    """

    name: str
    caption: str
    label_header: tuple[str, ...]
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    foreign: tuple[Foreign, ...]
    notes: tuple[str, ...]
    footnotes: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    contrast_note: str

    @property
    def n_columns(self) -> int:
        """Columns of labels and of numbers."""
        return len(self.label_header) + len(self.header)


def lay_out(
    summary: Mapping[Place, Cell],
    found: Mapping[differences.Contrast, Difference],
    results: Sequence[Result],
    shape: Shape,
    caption: str,
    columns: str,
    settings: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> Layout:
    """Turn the summary of ``results`` and the differences ``found`` between their rows into text.

    ``columns`` says what the columns are, ``settings`` what each setting is, where that needs to be said; ``remarks``
    are further notes.
    """
    footnotes, marks = notes.footnotes(results, shape)
    lines = []
    for row in shape.rows:
        at = [Place(*row, column) for column in shape.shown]
        boxes = tuple(_box(place, summary, shape, marks.get(place, 0)) for place in at)
        lines.append(Line((shape.labels[row.run], row.setting), boxes))
    others = foreign.rows(shape)
    return Layout(
        name=shape.name,
        caption=caption,
        label_header=shape.label_header,
        header=shape.shown,
        lines=tuple(lines),
        foreign=tuple(Foreign((other.label, other.setting), _published_row(other, shape)) for other in others),
        notes=(
            *notes.legend(summary, others, results, shape, columns, settings),
            *remarks,
            *notes.cautions(results, shape),
        ),
        footnotes=tuple(footnotes),
        contrasts=tuple(_contrast(row, minus, found, shape) for row, minus in shape.contrasts),
        contrast_note=notes.on_contrasts(found),
    )


def mean_and_spread(cell: Cell | Difference, decimals: int = 1, is_signed: bool = False) -> str:
    """``71.2 ± 0.4``, of a difference ``+1.2 ± 0.4``; without a spread where there is a single seed."""
    mean = signed(cell.mean, decimals) if is_signed else f"{cell.mean:.{decimals}f}"
    return mean if math.isnan(cell.spread) else f"{mean} ± {cell.spread:.{decimals}f}"


def difference(mean: float, published: float, decimals: int = 1) -> str:
    """Ours minus published, signed; of the printed numbers, so that a reader who subtracts finds the same."""
    return signed(round(mean, decimals) - round(published, decimals), decimals)


def signed(points: float, decimals: int = 1) -> str:
    """``+1.2``, ``−0.3``, or ``0.0``."""
    size = f"{abs(points):.{decimals}f}"
    sign = "" if float(size) == 0 else "+" if points > 0 else MINUS
    return sign + size


def _published_row(row: foreign.Row, shape: Shape) -> tuple[str, ...]:
    """The cells of a published row, with the digits of its columns."""
    metrics = [shape.taken_apart(column)[1] for column in shape.shown]
    return tuple(
        _published(cell, shape.decimals.get(metric, 1)) for cell, metric in zip(row.cells, metrics, strict=True)
    )


def _box(at: Place, summary: Mapping[Place, Cell], shape: Shape, mark: int) -> Box:
    cell = summary[at]
    decimals = shape.decimals.get(shape.taken_apart(at.column)[1], 1)
    is_best, heat = (False, 0.0) if at.column in shape.beside else _rank(at, summary, shape, decimals)
    return Box(
        text=mean_and_spread(cell, decimals, at.column in shape.signed),
        is_best=is_best,
        mark=mark,
        heat=heat,
        published=_published(cell.published, decimals),
        difference=difference(cell.mean, cell.published.value, decimals) if cell.published else "",
    )


def _rank(at: Place, summary: Mapping[Place, Cell], shape: Shape, decimals: int) -> tuple[bool, float]:
    """Whether a number is the best of those it is compared with, and how good it is among all of its metric, 0 to 1."""
    mean = summary[at].mean
    rivals = [
        summary[place]
        for place in summary
        if place.column == at.column and (place.setting == at.setting or not shape.is_by_setting)
    ]
    # Numbers of other metrics are of another kind, and not compared.
    metric = shape.taken_apart(at.column)[1]
    alike = (
        place
        for place in summary
        if place.column in shape.shown
        and place.column not in shape.beside
        and shape.taken_apart(place.column)[1] == metric
    )
    means = [summary[place].mean for place in alike]
    span = max(means) - min(means)
    best = (min if metric in shape.falling else max)(rival.mean for rival in rivals)
    heat = (mean - min(means)) / span if span else 0.0
    # Compared as printed: two rows that read the same are both the best.
    is_best = len(rivals) > 1 and f"{mean:.{decimals}f}" == f"{best:.{decimals}f}"
    return is_best, 1 - heat if metric in shape.falling else heat


def _contrast(row: Row, minus: Row, found: Mapping[differences.Contrast, Difference], shape: Shape) -> Contrast:
    several = [found[differences.Contrast(row, minus, column)] for column in shape.shown]
    digits = [shape.decimals.get(shape.taken_apart(column)[1], 1) for column in shape.shown]
    return Contrast(
        label=_subtraction(row, minus, shape),
        cells=tuple(mean_and_spread(one, n, is_signed=True) for one, n in zip(several, digits, strict=True)),
        agreement=tuple(f"{one.n_agreeing}/{one.n_seeds}" for one in several if one.n_seeds > 1),
    )


def _subtraction(row: Row, minus: Row, shape: Shape) -> str:
    """What two rows share stands before what is subtracted: ``zero-shot: XLM (MLM+TLM) − XLM (MLM)``."""
    if row.run != minus.run and row.setting != minus.setting:
        return f"{shape.title(row)} {MINUS} {shape.title(minus)}"
    pairs = [(shape.labels[row.run], shape.labels[minus.run]), (row.setting, minus.setting)]
    (shared, _), (first, second) = pairs if row.run == minus.run else pairs[::-1]
    return f"{shared}: {first} {MINUS} {second}"


def _published(number: Published | None, decimals: int = 1) -> str:
    if number is None:
        return ""
    return f"{number.value:.{decimals}f}{'' if number.confirmed else notes.DAGGER}"
