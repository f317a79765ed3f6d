"""The map of words: translations on the input embeddings of each model, side by side, and how near they are."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import textalloc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.languages import NAMES
from xlm_core.report.plots import FAINT, INK, SETTINGS, color, save

PANEL = (5.6, 6.0)  # inches
MARKERS = "osD^vP"  # with the colors, so that languages differ in two ways
LABEL_SIZE, MARKER_SIZE = 8.0, 26.0  # points, and square points
EXPLANATION = (
    "Rank of a word's translation among the {n} words shown of another language, by cosine of the input embeddings "
    "(mean of a word's pieces);\n1: the nearest, {middle:g}: no better than chance. The mean is over all words and all "
    "ordered pairs of languages. Places: t-SNE."
)


def plot(words: Path, labels: Sequence[str], outputs: Sequence[Path]) -> None:
    """Plot every map of words, side by side.

    Args:
        words: JSON of ``xlm_core.tasks.word_embeddings.tsne``.
        labels: of the models, in the order of the maps.
        outputs: svg, png or pdf files.

    Raises:
        CorpusError: the file holds no maps, or another number of them.
    """
    data = _checked(words, len(labels))
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(PANEL[0] * len(labels), PANEL[1]))
        panels = figure.subplots(1, len(labels), squeeze=False)[0]
        figure.subplots_adjust(left=0.015, right=0.985, top=0.9, bottom=0.135, wspace=0.04)
        for axes, label, shown in zip(panels, labels, data["maps"].values(), strict=True):
            _plot_map(axes, np.array(shown["positions"]), data["words"])
            axes.set_title(label, pad=8)
            below = f"mean rank of the translation: {shown['mean_rank']:.2f} of {len(data['words'])}"
            axes.text(0, -0.02, below, transform=axes.transAxes, va="top", fontsize=10)
        _explain(figure, data)
        for path in outputs:
            save(figure, path)


def _checked(path: Path, n_maps: int) -> dict[str, Any]:
    try:
        data: dict[str, Any] = read_json(path)
        n_found = len(data["maps"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{path} holds no map of words ({error}); remove it and rerun") from error
    if n_found != n_maps:
        raise CorpusError(f"{path}: found {n_found} maps, expected {n_maps}; remove it and rerun")
    return data


def _plot_map(axes: Axes, positions: np.ndarray, words: Sequence[Sequence[str]]) -> None:
    """Plot words (N, K) as points at ``positions`` (N, K, 2), with labels, and lines between those of one meaning."""
    for meaning in positions:
        for start, end in combinations(meaning, 2):
            axes.plot(*zip(start, end, strict=True), color=FAINT, linewidth=0.6, alpha=0.7, zorder=1)
    for number in range(positions.shape[1]):
        x, y = positions[:, number].T
        axes.scatter(x, y, s=MARKER_SIZE, linewidth=0, zorder=3, **_style(number))
    axes.margins(0.1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#cccccc")
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # else lines to the labels change them
    x, y = positions.reshape(-1, 2).T
    colors = [color(number) for number in range(positions.shape[1])] * len(positions)
    textalloc.allocate(
        axes,
        x,
        y,
        [word for meaning in words for word in meaning],
        x_scatter=x,
        y_scatter=y,
        textsize=LABEL_SIZE,
        textcolor=colors,
        linecolor=colors,
        linewidth=0.5,
        path_effects=[withStroke(linewidth=2, foreground="white")],
        nbr_candidates=1000,
        zorder=4,
    )


def _style(number: int) -> dict[str, Any]:
    """Return color and marker of the ``number``-th language."""
    return {"color": color(number), "marker": MARKERS[number % len(MARKERS)]}


def _explain(figure: Figure, data: dict[str, Any]) -> None:
    """Write the languages above the maps, and what the numbers mean below them."""
    handles = [
        Line2D([], [], linestyle="", markersize=6, label=NAMES.get(language, language), **_style(number))
        for number, language in enumerate(data["languages"])
    ]
    handles.append(Line2D([], [], color=FAINT, linewidth=0.6, label="translations"))
    figure.legend(handles=handles, loc="upper right", ncols=len(handles), bbox_to_anchor=(0.985, 0.995))
    n = len(data["words"])
    text = EXPLANATION.format(n=n, middle=(n + 1) / 2)
    figure.text(0.015, 0.015, text, fontsize=8.5, color=INK, va="bottom")
