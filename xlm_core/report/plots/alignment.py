"""The map of words: translations on the input embeddings of each model, side by side, and how near they are."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import textalloc
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.languages import NAMES
from xlm_core.report.plots import FAINT, SETTINGS, color, save

PANEL = (5.6, 6.0)  # inches
MARKERS = "osD^vP"  # with the colors, so that languages differ in two ways
LABEL_SIZE, MARKER_SIZE = 8.0, 26.0  # points, and square points
EXPLANATION = (
    "Rank of a word's translation among the {n} words shown of another language, by cosine of the input embeddings "
    "(mean of a word's pieces);\n1: the nearest, {middle:g}: no better than chance. The mean is over all words and all "
    "ordered pairs of languages. Positions: t-SNE."
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
    n_meanings = len(data["words"])
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(PANEL[0] * len(labels), PANEL[1]))
        panels = figure.subplots(1, len(labels), squeeze=False)[0]
        figure.subplots_adjust(left=0.015, right=0.985, top=0.9, bottom=0.135, wspace=0.04)
        for axes, label, shown in zip(panels, labels, data["maps"].values(), strict=True):
            _plot_map(axes, np.array(shown["positions"]), data["words"], data["languages"])
            axes.set_title(label, pad=8)
            below = f"mean rank of the translation: {shown['mean_rank']:.2f} of {n_meanings}"
            axes.text(0, -0.02, below, transform=axes.transAxes, va="top", fontsize=10)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="upper right", ncols=len(handles), bbox_to_anchor=(0.985, 0.995))
        explanation = EXPLANATION.format(n=n_meanings, middle=(n_meanings + 1) / 2)
        figure.text(0.015, 0.015, explanation, fontsize=8.5, va="bottom")
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


def _plot_map(axes: Axes, positions: np.ndarray, words: Sequence[Sequence[str]], languages: Sequence[str]) -> None:
    """Plot words (N, K) as points at ``positions`` (N, K, 2), with labels, and lines between words of one meaning."""
    colors = [color(number) for number in range(len(languages))]
    for number, language in enumerate(languages):
        x, y = positions[:, number].T
        marker, label = MARKERS[number % len(MARKERS)], NAMES.get(language, language)
        axes.scatter(x, y, s=MARKER_SIZE, c=colors[number], marker=marker, linewidth=0, zorder=3, label=label)
    lines = [pair for meaning in positions for pair in combinations(meaning, 2)]
    axes.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.6, alpha=0.7, zorder=1, label="translations"))
    axes.margins(0.1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#cccccc")
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # else lines to the labels change them
    x, y = positions.reshape(-1, 2).T
    textalloc.allocate(
        axes,
        x,
        y,
        [word for meaning in words for word in meaning],
        x_scatter=x,
        y_scatter=y,
        textsize=LABEL_SIZE,
        textcolor=colors * len(words),
        linecolor=colors * len(words),
        linewidth=0.5,
        path_effects=[withStroke(linewidth=2, foreground="white")],
        nbr_candidates=1000,
        zorder=4,
    )
