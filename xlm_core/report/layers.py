"""Sentence retrieval by layer: where in the network the languages meet."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from xlm_core import results
from xlm_core.report import shapes
from xlm_core.report.style import FAINT, SETTINGS, color, save
from xlm_core.report.summary import Row, by_seed, select

PANEL = (3.7, 2.9)  # inches
SETTINGS_SHOWN = ("centered", "raw")


def draw(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    n_layers: int,
    fewer_seeds: Mapping[str, Sequence[int]],
    output: Path,
) -> None:
    """BatchKey accuracy over layers, centered and raw: a line per run, and thin ones for its pretraining seeds.

    Args:
        paths: files of results.
        labels: run -> label, in the order shown.
        n_layers: of the models, without the embeddings.
        fewer_seeds: as in ``shapes.retrieval_by_layer``.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: naming a layer of a run that is missing, double or unexpected.
    """
    shape = shapes.retrieval_by_layer(labels, n_layers, fewer_seeds)
    values = by_seed(select(results.read(paths), shape), shape)
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(2 * PANEL[0], PANEL[1]), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, setting in zip(panels, SETTINGS_SHOWN, strict=True):
            for number, run in enumerate(labels):
                _draw_run(axes, values.loc[tuple(Row(run, setting))], color(number))
            axes.set_title(setting)
            axes.set_xlabel("layer (0: embeddings)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylim(bottom=0)
        panels[0].set_ylabel("accuracy (%)")
        _draw_legend(figure, labels, has_seeds=values.index.get_level_values("seed").nunique() > 1)
        save(figure, output)


def _draw_run(axes: Axes, values: pd.DataFrame, of: str) -> None:
    """The mean over seeds, and each seed where there are several; ``values`` (seeds, layers) in percent."""
    layers = [int(column) for column in values.columns]
    for _, one in values.iterrows() if len(values) > 1 else []:
        axes.plot(layers, one, color=of, linewidth=0.6, alpha=0.45)
    axes.plot(layers, values.mean(), color=of, linewidth=1.6, marker="o", markersize=3.5)


def _draw_legend(figure: Figure, labels: Mapping[str, str], *, has_seeds: bool) -> None:
    """The runs' colors above the panels, and what thin lines are."""
    style = {"linewidth": 1.6, "marker": "o", "markersize": 3.5}
    handles = [Line2D([], [], color=color(i), label=label, **style) for i, label in enumerate(labels.values())]
    if has_seeds:
        handles.append(Line2D([], [], color=FAINT, linewidth=0.6, label="one pretraining seed"))
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
