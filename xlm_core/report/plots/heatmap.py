"""Heat maps: the XNLI table and its distance from the published one, and which class systems take for which."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xlm_core import results
from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.report import summary, table_specs
from xlm_core.report.plots import SETTINGS, save
from xlm_core.report.rendering import MINUS
from xlm_core.report.table_specs import TableSpec
from xlm_core.report.tables import difference

WIDE = 9  # columns beyond which the second panel is below the first instead of beside it
LABEL_WIDTH = 12  # letters, of a line of a system's name
STYLE = SETTINGS | {"axes.grid": False, "axes.titlelocation": "center", "xtick.bottom": False, "ytick.left": False}
MIDDLE = 0.179  # relative luminance of a background on which black and white have one contrast (WCAG 2.1)


def plot_xnli(table: Mapping[str, Any], paths: Sequence[Path], output: Path) -> None:
    """Plot the means over seeds of the XNLI table, and on the paper's text ours minus the published numbers.

    Args:
        table: its description, see ``xlm_core.report.tables.make``.
        paths: files of results.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: naming a cell that is missing, double or unexpected.
    """
    spec = table_specs.spec(table)
    cells = summary.cells(summary.select(results.read(paths), spec), spec)
    columns = pd.Index([column.label for column in spec.shown])
    labels = pd.Index(["\n".join(row.labels) for row in spec.rows])
    ours, theirs = (cells.loc[cells["is_shown"], name].to_numpy(float) for name in ("mean", "published"))
    texts = ["" if math.isnan(number) else difference(mean, number) for mean, number in zip(ours, theirs, strict=True)]
    means, points, differences = (
        pd.DataFrame(np.reshape(values, (len(labels), -1)), labels, columns) for values in (ours, ours - theirs, texts)
    )
    with mpl.rc_context(STYLE):
        figure, panels = _panels(spec, 2 if table.get("is_paper_text") and points.notna().any(axis=None) else 1)
        _plot_cells(panels[0], means, means.map("{:.1f}".format), cmap="Blues")
        panels[0].set_title("accuracy (%)")
        if len(panels) > 1:
            far = float(np.nanmax(np.abs(points))) or 1.0
            _plot_cells(panels[1], points, differences, cmap="RdBu", vmin=-far, vmax=far)
            panels[1].set_title(f"ours {MINUS} published (points)")
        for axes in panels:
            _separate(axes, spec)
        save(figure, output)


def _plot_cells(axes: Axes, values: pd.DataFrame, texts: pd.DataFrame, **colors: Any) -> None:
    """Plot a matrix with a text in each cell, black or white, whichever has more contrast; a NaN is left blank."""
    style = {"fmt": "", "cbar": False, "linewidths": 0.8, "linecolor": "white", "annot_kws": {"size": 8.0}}
    sns.heatmap(values, ax=axes, annot=texts, **style, **colors)
    backgrounds = np.asarray(axes.collections[0].get_facecolor())[values.notna().to_numpy().flatten()]
    for text, background in zip(axes.texts, backgrounds, strict=True):
        text.set_color(ink_on(background))
    axes.tick_params(length=0)
    axes.set(xlabel="", ylabel="")


def ink_on(background: Sequence[float]) -> str:
    """Return black or white, whichever is easier to read on a background, red, green and blue from 0 to 1."""
    return "black" if sns.utils.relative_luminance(background) > MIDDLE else "white"


def _panels(spec: TableSpec, n: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` panels: side by side with common rows, or one above the other."""
    is_wide = len(spec.shown) > WIDE
    n_rows, n_columns = (n, 1) if is_wide else (1, n)
    size = (2.4 + 0.55 * len(spec.shown) * n_columns, n_rows * (0.7 + 0.38 * len(spec.rows)))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False, sharey=not is_wide)
    return figure, list(panels.flatten())


def _separate(axes: Axes, spec: TableSpec) -> None:
    """Plot white space between languages and their means, and between settings; put the names of columns above them."""
    axes.axvline(len(spec.measured), color="white", linewidth=4)
    for number, (above, below) in enumerate(pairwise(spec.rows), 1):
        if above.setting != below.setting:
            axes.axhline(number, color="white", linewidth=4)
    axes.xaxis.tick_top()


def plot_confusions(
    paths: Mapping[str, Sequence[Path]], classes: Sequence[str], languages: Sequence[str], output: Path
) -> None:
    """Plot a small matrix for each system and language: of each gold class the percentages of the predicted ones.

    Args:
        paths: label of a system -> the files of its seeds, JSON, language -> counts (classes, classes), gold by row.
        classes: names, in the order of the counts.
        languages: in the order shown.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: a file is not of that form or lacks a language, or a class has no examples.
    """
    counts = {label: _sum(files, len(classes), languages) for label, files in paths.items()}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.5 + 1.0 * len(languages), 1.3 + 1.0 * len(counts)), layout="constrained")
        panels = figure.subplots(len(counts), len(languages), squeeze=False, sharex=True, sharey=True)
        for (label, by_language), row in zip(counts.items(), panels, strict=True):
            for language, axes in zip(languages, row, strict=True):
                shares = 100 * by_language[language] / by_language[language].sum(axis=1, keepdims=True)
                frame = pd.DataFrame(shares, pd.Index(classes), pd.Index(classes))
                _plot_cells(axes, frame, frame.map("{:.0f}".format), cmap="Blues", vmin=0, vmax=100)
                axes.tick_params(labelsize=7.5)
            row[0].set_ylabel(textwrap.fill(label, LABEL_WIDTH), weight="bold")
        for language, axes in zip(languages, panels[0], strict=True):
            axes.set_title(language)
        figure.supxlabel("predicted class (% of the gold class)", fontsize=SETTINGS["font.size"])
        figure.supylabel("gold class", fontsize=SETTINGS["font.size"])
        save(figure, output)


def _sum(paths: Sequence[Path], n_classes: int, languages: Sequence[str]) -> dict[str, np.ndarray]:
    """Return language -> counts (classes, classes), summed over the files of all seeds.

    Raises:
        CorpusError: naming the file and the language.
    """
    total = {language: np.zeros((n_classes, n_classes)) for language in languages}
    for path in paths:
        try:
            file_counts = read_json(path)
            read = {language: np.array(file_counts[language], dtype=float) for language in languages}
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{path}: expected confusions of {', '.join(languages)} as JSON ({type(error).__name__}: {error}); "
                "score it again"
            ) from error
        for language, counts in read.items():
            if counts.shape != (n_classes, n_classes) or (counts.sum(axis=1) == 0).any():
                raise CorpusError(
                    f"{path}, '{language}': expected {n_classes} x {n_classes} counts and no empty row, "
                    f"found {counts.tolist()}; score it again"
                )
            total[language] += counts
    return total
