"""Style of the figures: colors that the color-blind can tell apart, and files that are the same byte for byte."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from xlm_core.io import atomic

# Okabe and Ito, "Color Universal Design" (2008), without its yellow and black, which lines and text need otherwise.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
INK, FAINT = "#222222", "#8a8a8a"

SETTINGS: dict[str, Any] = {
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
    """The color of the ``number``-th thing; they repeat after the last."""
    return COLORS[number % len(COLORS)]


def ink_on(background: Sequence[float]) -> str:
    """Black or white, whichever is easier to read on a background, red, green and blue from 0 to 1.

    Contrast is that of the Web Content Accessibility Guidelines 2.1, a ratio of relative luminances. With pure black it
    is always above the 4.5 that they ask for; with a grey it would not be on all middling colors.
    """
    return max("black", "white", key=lambda text: _contrast(background, to_rgb(text)))


def _contrast(first: Sequence[float], second: Sequence[float]) -> float:
    """From 1, the same luminance, to 21, black on white."""
    darker, lighter = sorted(_luminance(color) for color in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: Sequence[float]) -> float:
    """Relative luminance of an sRGB color."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb[:3]]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format its name ends in (svg, png or pdf), whole and without a date."""
    kind = Path(path).suffix.removeprefix(".")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with atomic(path) as partial, mpl.rc_context(SETTINGS):
        figure.savefig(partial, format=kind, dpi=200, facecolor="white", metadata=metadata)
