"""A matrix as colored cells, each with its number printed in it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize

from xlm_core.report.style import ink_on

BLUES = LinearSegmentedColormap.from_list("blues", ["#f4f8fb", "#9cc7e4", "#0072B2", "#003a5c"])


def draw(
    axes: Axes,
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    colors: Colormap,
    norm: Normalize,
    size: float,
) -> None:
    """BatchKey a matrix, its first row on top; cell (i, j) is centered at x = j, y = i.

    Args:
        axes: nothing else is drawn in it, neither a frame nor ticks.
        values: (rows, columns); a NaN is left blank.
        texts: what is printed in each cell, rows of columns.
        colors, norm: from a value to a color.
        size: of the print, in points.
    """
    n_rows, n_columns = values.shape
    # As polygons with white edges, not as an image: sharp at every magnification.
    axes.pcolormesh(
        np.arange(n_columns + 1) - 0.5,
        np.arange(n_rows + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=colors,
        norm=norm,
        edgecolors="white",
        linewidth=0.8,
    )
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = ink_on(colors(norm(value)))
            axes.text(column, row, texts[row][column], ha="center", va="center", color=ink, fontsize=size)
    axes.set_xlim(-0.5, n_columns - 0.5)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
