"""Layout: what a table shows, as text in cells, before Markdown, HTML and LaTeX each set it in their own way."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlm_core.report import notes
from xlm_core.report.published import Published
from xlm_core.report.summary import Cell, Place, Shape
from xlm_core.results import Result

MINUS = "−"


@dataclass(frozen=True)
class Box:
    """One printed cell.

    text       mean and spread: ``71.2 ± 0.4``
    is_best    whether no row has more in this column
    mark       number of its footnote, or 0
    heat       0 for the lowest mean of the table, 1 for the highest
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
    """One row: its labels (the setting only where a table has several) and its cells."""

    labels: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def is_published(self) -> bool:
        """Whether there is a published number for any of its cells."""
        return any(box.published for box in self.boxes)


@dataclass(frozen=True)
class Layout:
    """A whole table: ``label_header`` above the labels, ``header`` above the cells, then its notes and footnotes."""

    name: str
    caption: str
    label_header: tuple[str, ...]
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    footnotes: tuple[str, ...]


def lay_out(
    summary: Mapping[Place, Cell], results: Sequence[Result], shape: Shape, caption: str, explanation: str
) -> Layout:
    """Turn the summary of ``results`` into text."""
    several = len(shape.settings) > 1
    remarks, marks = notes.footnotes(results, shape)
    lines = []
    for run, label in shape.rows.items():
        for setting in shape.settings:
            at = [Place(run, setting, column) for column in shape.shown]
            boxes = tuple(_box(place, summary, shape, marks.get(place, 0)) for place in at)
            lines.append(Line((label, setting) if several else (label,), boxes))
    return Layout(
        name=shape.name,
        caption=caption,
        label_header=("system", "setting") if several else ("system",),
        header=shape.shown,
        lines=tuple(lines),
        notes=(*notes.legend(summary, results, shape, explanation), *notes.cautions(results, shape)),
        footnotes=tuple(remarks),
    )


def mean_and_spread(cell: Cell) -> str:
    """``71.2 ± 0.4``; without a spread where there is a single seed."""
    return f"{cell.mean:.1f}" if math.isnan(cell.spread) else f"{cell.mean:.1f} ± {cell.spread:.1f}"


def difference(mean: float, published: float) -> str:
    """Ours minus published, signed; of the printed numbers, so that a reader who subtracts finds the same."""
    tenths = round(mean * 10) - round(published * 10)
    return "0.0" if tenths == 0 else f"{'+' if tenths > 0 else MINUS}{abs(tenths) / 10:.1f}"


def _box(at: Place, summary: Mapping[Place, Cell], shape: Shape, mark: int) -> Box:
    cell = summary[at]
    rivals = [summary[place] for place in summary if place.column == at.column]
    means = [summary[place].mean for place in summary if place.column in shape.shown]
    span = max(means) - min(means)
    return Box(
        text=mean_and_spread(cell),
        # Compared as printed: two rows that read the same are both the best.
        is_best=len(rivals) > 1 and f"{cell.mean:.1f}" == f"{max(rival.mean for rival in rivals):.1f}",
        mark=mark,
        heat=(cell.mean - min(means)) / span if span else 0.0,
        published=_published(cell.published),
        difference=difference(cell.mean, cell.published.value) if cell.published else "",
    )


def _published(number: Published | None) -> str:
    if number is None:
        return ""
    return f"{number.value:.1f}{'' if number.confirmed else notes.DAGGER}"
