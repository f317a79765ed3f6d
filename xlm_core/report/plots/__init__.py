"""Figures of results, their common style, and how they are saved: as svg, png or pdf, the same byte for byte."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from xlm_core.io import atomic

# Colors that the color-blind can tell apart: Okabe and Ito, "Color Universal Design" (2008), without its yellow, too
# light for lines, and black, the color of text.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, FAINT = "#222222", "#8a8a8a"

SETTINGS: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that every machine draws the same
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # pieces of text may hold dollar signs
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "xlm",  # else the names inside an SVG are random
}


def color(number: int) -> str:
    """Return the color of the ``number``-th curve, language or class; colors repeat after the last."""
    return COLORS[number % len(COLORS)]


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format its name ends in (svg, png or pdf), whole and without a date."""
    kind = Path(path).suffix.removeprefix(".")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with atomic(path) as partial, mpl.rc_context(SETTINGS):
        figure.savefig(partial, format=kind, dpi=200, facecolor="white", metadata=metadata)
