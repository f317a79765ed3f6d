"""The map of words: translations on the input embeddings of each model, side by side, and how near they are."""

from collections.abc import Sequence
from itertools import combinations, product
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.languages import name
from xlm_core.report.plots.style import FAINT, INK, SETTINGS, color, save

PANEL = (5.6, 6.0)  # inches
MARKERS = "osD^vP"  # with the colors, so that languages differ in two ways
LABEL_SIZE, MARKER_SIZE = 8.0, 26.0  # points, and square points
# Where a label may stand: so many points from its word, in these directions; the first ones are preferred.
DISTANCES = (5.0, 8.0, 12.0, 17.0, 23.0, 30.0, 38.0, 48.0, 60.0)
ANGLES = [k * pi / 8 for k in (0, 8, 4, 12, 2, 14, 6, 10, 1, 15, 7, 9, 3, 13, 5, 11)]
MARKS = 60  # along each line; a label on one of them might as well be a point further away
LED = 8.0  # points from which on a line leads from the word to its label
EXPLANATION = (
    "Rank of a word's translation among the {n} words shown of another language, by cosine of the input embeddings "
    "(mean of a word's pieces);\n1: the nearest, {middle:g}: no better than chance. The mean is over all words and all "
    "ordered pairs of languages. Places: t-SNE."
)


def plot(words: Path, labels: Sequence[str], outputs: Sequence[Path]) -> None:
    """Draw every map that ``xlm_core.tasks.word_embeddings.tsne`` placed words on.

    Args:
        words: its JSON.
        labels: of the models, in the order of the maps.
        outputs: svg, png or pdf files.

    Raises:
        CorpusError: the file holds no maps, or another number of them.
    """
    data = _checked(words, len(labels))
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(PANEL[0] * len(labels), PANEL[1]))
        renderer: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]  # of matplotlib
        panels = figure.subplots(1, len(labels), squeeze=False)[0]
        figure.subplots_adjust(left=0.015, right=0.985, top=0.9, bottom=0.135, wspace=0.04)
        for axes, label, shown in zip(panels, labels, data["maps"].values(), strict=True):
            _plot_map(axes, np.array(shown["positions"]))
            axes.set_title(label, pad=8)
            below = f"mean rank of the translation: {shown['mean_rank']:.2f} of {len(data['words'])}"
            axes.text(0, -0.02, below, transform=axes.transAxes, va="top", fontsize=10)
        figure.draw_without_rendering()
        for axes, shown in zip(panels, data["maps"].values(), strict=True):
            _label(axes, np.array(shown["positions"]), data["words"], renderer)
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


def _plot_map(axes: Axes, places: np.ndarray) -> None:
    """Words (N, K, 2) as points, and lines between those of one meaning."""
    for meaning in places:
        for start, end in combinations(meaning, 2):
            axes.plot(*zip(start, end, strict=True), color=FAINT, linewidth=0.6, alpha=0.7, zorder=1)
    for number in range(places.shape[1]):
        style: dict[str, Any] = {"color": color(number), "marker": MARKERS[number % len(MARKERS)]}
        axes.scatter(places[:, number, 0], places[:, number, 1], s=MARKER_SIZE, linewidth=0, zorder=3, **style)
    axes.margins(0.1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#cccccc")


def _label(axes: Axes, places: np.ndarray, words: Sequence[Sequence[str]], renderer: Any) -> None:
    """Write each word beside its point, so that no label covers another one or a point.

    The most crowded words are placed first, while there is room.
    """
    pixels = renderer.points_to_pixels(1.0)
    points = axes.transData.transform(places.reshape(-1, 2))  # (N * K, 2)
    lines = _along(points.reshape(places.shape))
    taken = [Bbox([point - 4 * pixels, point + 4 * pixels]) for point in points]
    texts = [text for meaning in words for text in meaning]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)  # (N * K, N * K)
    crowding = np.exp(-distances / (40 * pixels)).sum(axis=1)
    for number in np.argsort(-crowding, kind="stable"):
        of = color(number % places.shape[1])
        text = axes.text(0, 0, texts[number], fontsize=LABEL_SIZE, color=of, ha="center", va="center", zorder=4)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        size = text.get_window_extent(renderer)
        others = [box for other, box in enumerate(taken) if other != number]
        distance, box = _room(points[number], size, others, lines, axes.bbox, pixels)
        text.set_position(tuple(axes.transData.inverted().transform(box.get_points().mean(axis=0))))
        taken.append(box)
        if distance > LED:
            edge = np.clip(points[number], box.min, box.max)
            ends = axes.transData.inverted().transform([points[number], edge])
            axes.plot(*ends.T, color=of, linewidth=0.5, alpha=0.6, zorder=2)


def _along(points: np.ndarray) -> np.ndarray:
    """Marks (n, 2) along the lines between the words of each meaning (N, K, 2)."""
    steps = np.linspace(0, 1, MARKS)[:, None, None]
    pairs = combinations(range(points.shape[1]), 2)
    return np.concatenate([(points[:, i] * (1 - steps) + points[:, j] * steps).reshape(-1, 2) for i, j in pairs])


def _room(
    point: np.ndarray, size: Bbox, taken: Sequence[Bbox], lines: np.ndarray, frame: Bbox, pixels: float
) -> tuple[float, Bbox]:
    """A place for a label of some ``size`` around ``point``, and its distance in points.

    It covers as little as can be of what is ``taken``, and stays in the ``frame``; of such places it is a near one, on
    few of the marks along the ``lines``.
    """
    options: list[tuple[float, float, int, float, Bbox]] = []
    for distance, angle in product(DISTANCES, ANGLES):
        direction = np.array([cos(angle), sin(angle)])
        half = np.array([size.width, size.height]) / 2 + pixels
        middle = point + direction * (distance * pixels) + half * np.clip(direction * 1.5, -1, 1)
        box = Bbox([middle - half, middle + half])
        covered = sum(_shared(box, other) for other in taken) + box.width * box.height - _shared(box, frame)
        n_crossed = int(((lines > box.min) & (lines < box.max)).all(axis=1).sum())
        options.append((max(0.0, covered - 0.5), distance + n_crossed, len(options), distance, box))  # 0.5: rounding
    *_, distance, box = min(options, key=lambda option: option[:3])
    return distance, box


def _shared(first: Bbox, second: Bbox) -> float:
    """The area that two boxes have in common."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return float(max(width, 0.0) * max(height, 0.0))


def _explain(figure: Figure, data: dict[str, Any]) -> None:
    """The languages above the maps, and what the numbers are below them."""
    handles = [
        Line2D(
            [], [], linestyle="", marker=MARKERS[i % len(MARKERS)], color=color(i), markersize=6, label=name(language)
        )
        for i, language in enumerate(data["languages"])
    ]
    handles.append(Line2D([], [], color=FAINT, linewidth=0.6, label="translations"))
    figure.legend(handles=handles, loc="upper right", ncols=len(handles), bbox_to_anchor=(0.985, 0.995))
    n = len(data["words"])
    text = EXPLANATION.format(n=n, middle=(n + 1) / 2)
    figure.text(0.015, 0.015, text, fontsize=8.5, color=INK, va="bottom")
