"""The XNLI table as a heat map: where a system is good, and how far it is from what was published."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from xlm_core import results
from xlm_core.report import matrix, shapes
from xlm_core.report.layout import MINUS, difference
from xlm_core.report.style import FAINT, INK, SETTINGS, save
from xlm_core.report.summary import Cell, Place, Shape, cells, select

# All lengths are in inches, sizes of print in points.
CELL_WIDTH, CELL_HEIGHT = 0.52, 0.36
LETTER, TITLE = 0.073, 1.6  # widths of a letter of the labels, and of the longer title
ABOVE, MARGIN, GAP = 0.62, 0.12, 0.35  # above the cells of a panel, around the figure, between panels
WIDE = 9  # columns beyond which the second panel stands under the first instead of beside it
NUMBER_SIZE, SETTING_SIZE = 8.0, 7.5
DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#8c3700", "#E69B6A", "#f7f7f7", "#7fb3d9", "#004a75"])

Grid = list[list[Cell]]


def draw(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[str],
    train: str,
    fewer_seeds: Mapping[str, Sequence[int]],
    output: Path,
) -> None:
    """BatchKey the means over seeds of the XNLI table, and ours minus the published number where there is one.

    Args:
        paths: files of results.
        labels, rows, columns, train, fewer_seeds: as in ``shapes.xnli``.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: naming a cell that is missing, double or unexpected.
    """
    shape = shapes.xnli(labels, rows, columns, train, fewer_seeds)
    summary = cells(select(results.read(paths), shape), shape)
    grid = [[summary[Place(*row, column)] for column in shape.shown] for row in shape.rows]
    has_published = any(cell.published for row in grid for cell in row)
    with mpl.rc_context(SETTINGS):
        figure, panels = _panels(shape, 2 if has_published else 1)
        _draw_accuracy(panels[0], grid)
        if has_published:
            _draw_differences(panels[1], grid)
        for axes in panels:
            _label_columns(axes, shape)
            _separate(axes, shape)
        for axes in panels if len(shape.shown) > WIDE else panels[:1]:
            _label_rows(axes, shape)
        save(figure, output)


def _panels(shape: Shape, n: int) -> tuple[Figure, list[Axes]]:
    """A figure with ``n`` panels of cells that all have one size: side by side, or one above the other."""
    longest = max(max(len(shape.labels[row.run]), len(row.setting)) for row in shape.rows)
    left = MARGIN + LETTER * longest
    width, height = CELL_WIDTH * len(shape.shown), CELL_HEIGHT * len(shape.rows)
    step = (0.0, ABOVE + height) if len(shape.shown) > WIDE else (GAP + width, 0.0)
    total_width = left + (n - 1) * step[0] + max(width, TITLE) + MARGIN
    total_height = ABOVE + height + (n - 1) * step[1] + MARGIN
    figure = Figure(figsize=(total_width, total_height))
    panels = []
    for i in range(n):
        x, y = left + i * step[0], MARGIN + (n - 1 - i) * step[1]
        place = (x / total_width, y / total_height, width / total_width, height / total_height)
        panels.append(figure.add_axes(place))
    return figure, panels


def _draw_accuracy(axes: Axes, grid: Grid) -> None:
    means = np.array([[cell.mean for cell in row] for row in grid])
    low, high = float(means.min()), float(means.max())
    norm = Normalize(low, high if high > low else low + 1)
    matrix.draw(axes, means, [[f"{cell.mean:.1f}" for cell in row] for row in grid], matrix.BLUES, norm, NUMBER_SIZE)
    axes.set_title("accuracy (%)", pad=22)


def _draw_differences(axes: Axes, grid: Grid) -> None:
    """Blank where nothing was published."""
    pairs = [[(cell.mean, cell.published.value) if cell.published else None for cell in row] for row in grid]
    points = np.array([[pair[0] - pair[1] if pair else np.nan for pair in row] for row in pairs])
    texts = [[difference(*pair) if pair else "" for pair in row] for row in pairs]
    far = float(np.nanmax(np.abs(points))) or 1.0
    matrix.draw(axes, points, texts, DIFFERENCE, Normalize(-far, far), NUMBER_SIZE)
    axes.set_title(f"ours {MINUS} published", pad=22)


def _label_columns(axes: Axes, shape: Shape) -> None:
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(shape.shown)), shape.shown)
    axes.tick_params(length=0)


def _label_rows(axes: Axes, shape: Shape) -> None:
    """To the left of each row its system, and below that, fainter, its setting."""
    for number, row in enumerate(shape.rows):
        for text, offset, color, size in (
            (shape.labels[row.run], 5.5, INK, SETTINGS["font.size"]),
            (row.setting, -5.5, FAINT, SETTING_SIZE),
        ):
            axes.annotate(
                text,
                (-0.5, number),
                xytext=(-5, offset),
                textcoords="offset points",
                ha="right",
                va="center",
                color=color,
                fontsize=size,
            )


def _separate(axes: Axes, shape: Shape) -> None:
    """White space between languages and their means, and between settings."""
    axes.axvline(len(shape.measured) - 0.5, color="white", linewidth=4)
    for number, (above, below) in enumerate(pairwise(shape.rows)):
        if above.setting != below.setting:
            axes.axhline(number + 0.5, color="white", linewidth=4)
