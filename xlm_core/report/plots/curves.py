"""Curves: losses and BLEU over training, from the logs of trainings, and sentence retrieval over the layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from xlm_core import history, results
from xlm_core.errors import CorpusError
from xlm_core.published import RowKey
from xlm_core.report import summary
from xlm_core.report.plots import COLORS, FAINT, SETTINGS, color, save
from xlm_core.report.table_specs import ColumnSpec, RowSpec, TableSpec
from xlm_core.results import Result

Histories = Mapping[str, Sequence[Path]]  # label -> the logs of its seeds, histories

PANEL = (3.7, 2.6)  # inches
IN_ROW = 3  # panels
LEGEND_LINE = 0.25  # inches
DASHES = ("-", "--", ":", "-.")
THICK, THIN = 1.5, 0.6


# Columns of panels: split and metric -> label of the axis.
QUANTITIES = {
    ("train", "loss"): "training loss (nats per token)",
    ("valid", "perplexity"): "validation perplexity",
    ("valid", "accuracy"): "validation accuracy (%)",
}


def read(histories: Histories) -> pd.DataFrame:
    """Read the rows of all logs: columns ``label``, ``seed`` and the fields of a ``HistoryRow``.

    Raises:
        CorpusError: a log is empty, or naming the line that is not a row of one.
    """
    rows = [
        {"label": label, "seed": seed, **row._asdict()}
        for label, paths in histories.items()
        for seed, path in enumerate(paths)
        for row in history.read(path)
    ]
    return pd.DataFrame(rows)


def plot_training(histories: Histories, output: Path) -> None:
    """Plot the logs of pretrainings: a row of panels per objective, a color per run, a line per seed.

    Beside the mean over languages (of perplexity the geometric one, that of the losses in nats) every single language
    or pair has a thin line.

    Raises:
        CorpusError: a log is empty or not a log.
    """
    frame, labels = read(histories), list(histories)
    by_objective = frame.groupby("objective", sort=False)  # without the rows of no objective
    handles = [
        *(Line2D([], [], color=color(i), linewidth=THICK, label=label) for i, label in enumerate(labels)),
        Line2D([], [], color=FAINT, linewidth=THICK, label="mean over languages, one line per seed"),
        Line2D([], [], color=FAINT, linewidth=THIN, label="single language or pair"),
    ]
    with mpl.rc_context(SETTINGS):
        figure, panels = _figure(by_objective.ngroups, len(QUANTITIES), handles)
        for (objective, of_objective), row in zip(by_objective, panels, strict=True):
            for ((split, metric), label), axes in zip(QUANTITIES.items(), row, strict=True):
                is_shown = (of_objective["split"] == split) & (of_objective["metric"] == metric)
                _plot_quantity(axes, of_objective[is_shown], labels, is_log=metric == "perplexity")
                axes.set_ylabel(label)
            row[0].set_title(str(objective).upper())
        save(figure, output)


def _figure(n_rows: int, n_columns: int, handles: Sequence[Line2D]) -> tuple[Figure, np.ndarray]:
    """Return a figure with panels over updates, and a legend above them."""
    n_lines = -(-len(handles) // n_columns)
    size = (PANEL[0] * n_columns, PANEL[1] * n_rows + LEGEND_LINE * (n_lines + 1))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False)
    for axes in panels.flatten():
        axes.set_xlabel("updates")
        axes.tick_params(labelbottom=True)  # also where there is a panel below
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    figure.legend(handles=handles, loc="outside upper left", ncols=n_columns)
    return figure, panels


def _plot_quantity(axes: Axes, frame: pd.DataFrame, labels: Sequence[str], *, is_log: bool) -> None:
    """Plot one metric of one objective; where ``is_log`` the mean over languages is the geometric one."""
    for (label, _), run in frame.groupby(["label", "seed"]):
        style: dict[str, Any] = {"color": color(labels.index(label)), "solid_capstyle": "round"}
        curves = run.groupby("languages")
        for _, curve in curves if curves.ngroups > 1 else []:
            axes.plot(curve["update"], curve["value"], linewidth=THIN, alpha=0.35, **style)
        values = np.log(run["value"]) if is_log else run["value"]
        mean = values.groupby(run["update"]).mean()
        marker = "o" if len(mean) == 1 else None
        axes.plot(mean.index, np.exp(mean) if is_log else mean, linewidth=THICK, marker=marker, **style)
    if is_log:
        axes.set_yscale("log")
        ticks = {"major_locator": LogLocator(subs=(1.0, 2.0, 5.0)), "major_formatter": "{x:g}"}
        axes.yaxis.set(minor_formatter=NullFormatter(), **ticks)
    axes.margins(x=0.02)


def plot_bleu(histories: Histories, output: Path) -> None:
    """Plot the validation BLEU of several translators: a panel per direction, a color each, a line per seed.

    Raises:
        CorpusError: a log holds no BLEU, or is no log.
    """
    frame, labels = read(histories), list(histories)
    frame = frame[frame["metric"] == "bleu"]
    evaluated = set(zip(frame["label"], frame["seed"], strict=True))
    missing = [path for label in labels for n, path in enumerate(histories[label]) if (label, n) not in evaluated]
    if missing:
        raise CorpusError(f"{missing[0]}: no evaluation with BLEU, expected the log of a translator; train it again")
    directions: list[tuple[str, str]] = list(dict.fromkeys(frame["languages"]))
    n_columns = min(IN_ROW, len(directions))
    handles = [Line2D([], [], label=label, **_look(number)) for number, label in enumerate(labels)]
    with mpl.rc_context(SETTINGS):
        figure, panels = _figure(-(-len(directions) // IN_ROW), n_columns, handles)
        for axes, direction in zip(panels.flatten(), directions, strict=False):
            is_shown = [languages == direction for languages in frame["languages"]]
            for (label, _), run in frame[is_shown].groupby(["label", "seed"]):
                marker = "o" if len(run) == 1 else None
                axes.plot(run["update"], run["value"], marker=marker, **_look(labels.index(str(label))))
            axes.set(title=" → ".join(direction), ylabel="validation BLEU (tokenized)", ylim=(0, None))
        for axes in panels.flatten()[len(directions) :]:
            axes.set_visible(False)
        save(figure, output)


def _look(number: int) -> dict[str, Any]:
    """Return the color of the ``number``-th curve, and the kind of its line, as colors repeat."""
    return {"color": color(number), "linestyle": DASHES[number // len(COLORS) % len(DASHES)], "linewidth": THICK}


def plot_layers(
    rows: Sequence[Mapping[str, Any]], n_layers: Mapping[str, int], paths: Sequence[Path], output: Path
) -> None:
    """Plot the accuracy of sentence retrieval over layers: a line per system, thin ones for its pretraining seeds.

    Args:
        rows: of the table of retrieval, each as the arguments of a ``RowSpec``.
        n_layers: of the model of each system, without the embeddings.
        paths: files of results.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: naming a layer of a system that is missing, double or unexpected.
    """
    specs, measured = [RowSpec(**row) for row in rows], results.read(paths)
    labels = {row.system: row.labels[0] for row in specs}
    accuracies_of: dict[RowKey, np.ndarray] = {}
    for depth in sorted(set(n_layers.values())):
        accuracies_of |= _accuracies_by_layer([row for row in specs if n_layers[row.system] == depth], depth, measured)
    style: dict[str, Any] = {"linewidth": THICK, "marker": "o", "markersize": 3.5}
    handles = [Line2D([], [], color=color(i), label=label, **style) for i, label in enumerate(labels.values())]
    if any(len(seeds) > 1 for seeds in accuracies_of.values()):
        handles.append(Line2D([], [], color=FAINT, linewidth=THIN, label="one pretraining seed"))
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(2 * PANEL[0], PANEL[1] + LEGEND_LINE * (1 + len(handles) // 2)), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, setting in zip(panels, ("centered", "raw"), strict=True):
            for number, system in enumerate(labels):
                seeds = accuracies_of[system, setting]
                for accuracies in seeds if len(seeds) > 1 else []:
                    axes.plot(accuracies, color=color(number), linewidth=THIN, alpha=0.45)
                axes.plot(seeds.mean(axis=0), color=color(number), **style)
            axes.set(title=setting, xlabel="layer (0: embeddings)", ylim=(0, None))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[0].set_ylabel("accuracy (%)")
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
        save(figure, output)


def _accuracies_by_layer(
    rows: Sequence[RowSpec], n_layers: int, measured: Sequence[Result]
) -> dict[RowKey, np.ndarray]:
    """Return the accuracies (seeds, layers + 1), in percent, of rows whose models have as many layers."""
    columns = tuple(ColumnSpec(str(layer), "accuracy", str(layer)) for layer in range(n_layers + 1))
    spec, systems = TableSpec("retrieval_by_layer", tuple(rows), columns), {row.system for row in rows}
    own = [result for result in measured if result.system in systems]
    values = summary.by_seed(summary.select(own, spec), spec)[[column.key for column in columns]]
    return {row.key: np.array(values.loc[row.key]) for row in rows}
