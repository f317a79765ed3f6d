"""The map of words: translations on the input embeddings of each model, side by side, and how near they are."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
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
# Candidate positions of a label: so many points from its word, in these directions; the first ones are preferred.
DISTANCES = np.array([5.0, 8.0, 12.0, 17.0, 23.0, 30.0, 38.0, 48.0, 60.0])
ANGLES = np.array([0, 8, 4, 12, 2, 14, 6, 10, 1, 15, 7, 9, 3, 13, 5, 11]) * np.pi / 8
MARKS = 60  # along each line; a label on one of them might as well be a point further away
LEADER = 8.0  # points from which on a line leads from the word to its label
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
    """Plot words (N, K, 2) as points, and lines between the words of one meaning."""
    for meaning in places:
        for start, end in combinations(meaning, 2):
            axes.plot(*zip(start, end, strict=True), color=FAINT, linewidth=0.6, alpha=0.7, zorder=1)
    for number in range(places.shape[1]):
        axes.scatter(places[:, number, 0], places[:, number, 1], s=MARKER_SIZE, linewidth=0, zorder=3, **_style(number))
    axes.margins(0.1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="#cccccc")


def _label(axes: Axes, positions: np.ndarray, words: Sequence[Sequence[str]], renderer: Any) -> None:
    """Write each word beside its point, so that no label covers another one or a point.

    The labels of the most crowded words are placed first, while there is room.

    Shapes:
        positions: (N, K, 2), of K words of each of N meanings
    """
    pixels = renderer.points_to_pixels(1.0)
    points = axes.transData.transform(positions.reshape(-1, 2))  # (N * K, 2)
    lines = _points_along_lines(points.reshape(positions.shape))
    boxes = np.stack([points - 4 * pixels, points + 4 * pixels], axis=1)  # (N * K + labels, 2, 2): corners
    texts = [text for meaning in words for text in meaning]
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)  # (N * K, N * K)
    crowding = np.exp(-distances / (40 * pixels)).sum(axis=1)
    for number in np.argsort(-crowding, kind="stable"):
        style: dict[str, Any] = {"color": color(number % positions.shape[1])}
        text = axes.text(0, 0, texts[number], fontsize=LABEL_SIZE, ha="center", va="center", zorder=4, **style)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        size = text.get_window_extent(renderer).size / pixels
        others = np.delete(boxes, number, axis=0)
        frame = np.asarray(axes.bbox.get_points())
        distance, box = _place_label(points[number], size, others, lines, frame, pixels)
        middle, edge = box.mean(axis=0), np.clip(points[number], *box)
        text.set_position(tuple(axes.transData.inverted().transform(middle)))
        boxes = np.concatenate([boxes, box[None]])
        if distance > LEADER:
            ends = axes.transData.inverted().transform([points[number], edge])
            axes.plot(*ends.T, linewidth=0.5, alpha=0.6, zorder=2, **style)


def _points_along_lines(points: np.ndarray) -> np.ndarray:
    """Return marks (n, 2) along the lines between the words of each meaning (N, K, 2)."""
    steps = np.linspace(0, 1, MARKS)[:, None, None]
    pairs = combinations(range(points.shape[1]), 2)
    return np.concatenate([(points[:, i] * (1 - steps) + points[:, j] * steps).reshape(-1, 2) for i, j in pairs])


def _place_label(
    point: np.ndarray, size: np.ndarray, boxes: np.ndarray, lines: np.ndarray, frame: np.ndarray, pixels: float
) -> tuple[float, np.ndarray]:
    """Return the distance in points and the box of a label of some ``size``, in points, beside ``point``.

    It covers as little as possible of other ``boxes``, and stays in the ``frame``; of such positions it is a near one,
    on few of the marks along the ``lines``.

    Shapes:
        point, size: (2,)
        boxes: (n, 2, 2), lower left and upper right corners
        lines: (n_marks, 2)
        frame, returned: (2, 2)
    """
    distances = np.repeat(DISTANCES, len(ANGLES))
    directions = np.tile(np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), (len(DISTANCES), 1))  # (n_options, 2)
    half = size * pixels / 2 + pixels
    middles = point + directions * distances[:, None] * pixels + half * np.clip(directions * 1.5, -1, 1)
    options = np.stack([middles - half, middles + half], axis=1)  # (n_options, 2, 2)
    outside = np.prod(2 * half) - overlap(options, frame[None])[:, 0]
    covered = np.maximum(0, overlap(options, boxes).sum(axis=1) + outside - 0.5)  # 0.5: rounding
    is_crossed = (lines > options[:, None, 0]) & (lines < options[:, None, 1])  # (n_options, n_marks, 2)
    best = np.lexsort((distances + is_crossed.all(axis=2).sum(axis=1), covered))[0]
    return distances[best], options[best]


def overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area (n, m) that each of ``boxes`` (n, 2, 2) shares with each of ``others`` (m, 2, 2)."""
    low = np.maximum(boxes[:, None, 0], others[None, :, 0])
    high = np.minimum(boxes[:, None, 1], others[None, :, 1])
    shared: np.ndarray = np.clip(high - low, 0, None).prod(axis=2)
    return shared


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
