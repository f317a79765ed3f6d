"""Confusions: which class of XNLI a system takes for which, language by language."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from xlm_core.errors import CorpusError
from xlm_core.report import matrix
from xlm_core.report.style import SETTINGS, save

PANEL, LABELS, ABOVE, BELOW = 0.98, 2.3, 0.42, 0.95  # inches: side of a panel; around the panels
LABEL_WIDTH = 16  # letters, of a line of a system's name
NUMBER_SIZE, CLASS_SIZE = 8.0, 7.5  # points


def draw(paths: Mapping[str, Sequence[Path]], classes: Sequence[str], columns: Sequence[str], output: Path) -> None:
    """BatchKey a small matrix for each system and language: of each gold class the percentages of the predicted ones.

    Args:
        paths: label of a system -> the files of its seeds, JSON, language -> counts (classes, classes), gold by row.
        classes: names, in the order of the counts.
        columns: languages, in the order shown.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: a file is not of that form or lacks a language, or a class has no examples.
    """
    counts = {label: _sum(files, len(classes), columns) for label, files in paths.items()}
    n_rows, n_columns = len(counts), len(columns)
    width, height = LABELS + n_columns * PANEL + 0.1, ABOVE + n_rows * PANEL + BELOW
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        panels = figure.subplots(n_rows, n_columns, squeeze=False)
        figure.subplots_adjust(
            left=LABELS / width,
            right=1 - 0.1 / width,
            top=1 - ABOVE / height,
            bottom=BELOW / height,
            wspace=0.08,
            hspace=0.08,
        )
        for (label, by_language), row in zip(counts.items(), panels, strict=True):
            for language, axes in zip(columns, row, strict=True):
                _draw_panel(axes, by_language[language])
            _name_system(row[0], label, classes)
        for language, axes in zip(columns, panels[0], strict=True):
            axes.set_title(language, loc="center")
        for axes in panels[-1]:
            axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=CLASS_SIZE)
        # Beside the names of the classes, above the upper left ones and to the left of the lower ones.
        for name, y in (("gold", height - ABOVE + 0.06), ("predicted", BELOW - 0.17)):
            figure.text((LABELS - 0.09) / width, y / height, name, ha="right", style="italic")
        save(figure, output)


def _sum(paths: Sequence[Path], n_classes: int, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Language -> counts (classes, classes) over the files of all seeds.

    Raises:
        CorpusError: naming the file and the language.
    """
    total = {language: np.zeros((n_classes, n_classes)) for language in columns}
    for path in paths:
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            read = {language: np.array(found[language], dtype=float) for language in columns}
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{path}: expected confusions of {', '.join(columns)} as JSON ({type(error).__name__}: {error}); "
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


def _draw_panel(axes: Axes, counts: np.ndarray) -> None:
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    texts = [[f"{share:.0f}" for share in row] for row in shares]
    matrix.draw(axes, shares, texts, matrix.BLUES, Normalize(0, 100), NUMBER_SIZE)


def _name_system(axes: Axes, label: str, classes: Sequence[str]) -> None:
    """The classes and, further to the left, the system of a row of panels."""
    axes.set_yticks(range(len(classes)), classes, fontsize=CLASS_SIZE)
    axes.annotate(
        textwrap.fill(label, LABEL_WIDTH),
        (0, 0.5),
        xycoords="axes fraction",
        xytext=(-72 * (LABELS - 0.1), 0),
        textcoords="offset points",
        va="center",
        fontweight="bold",
    )
