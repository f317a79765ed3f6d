"""Training curves: loss, validation perplexity and accuracy of every run, drawn from the logs of the trainings."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

from xlm_core.errors import CorpusError
from xlm_core.report.style import FAINT, SETTINGS, color, save

PANEL = (3.7, 2.5)  # inches
TOP = 0.75  # inches above the panels, for the legend
IN_LINE = 4  # entries of the legend: as many as fit
COLUMNS = ["label", "seed", "update", "objective", "key", "quantity", "value"]


class Quantity(NamedTuple):
    """A column of panels: what it shows, and in which unit."""

    name: str
    unit: str
    is_log: bool


QUANTITIES = (
    Quantity("loss", "training loss (nats per token)", False),
    Quantity("perplexity", "validation perplexity", True),
    Quantity("accuracy", "validation accuracy (%)", False),
)


def draw(histories: Mapping[str, Sequence[Path]], output: Path) -> None:
    """BatchKey the logs of several runs: a row of panels per objective, a color per run, a line per seed.

    Beside the mean over languages (of perplexity the geometric one, that of the losses in nats) every single language
    or pair has a thin line.

    Args:
        histories: label of a run -> the logs of its seeds, JSON lines as ``xlm_core.train.log`` writes them.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: a log is empty or not a log.
    """
    frame = pd.concat([read(path, label, seed) for label in histories for seed, path in enumerate(histories[label])])
    objectives = list(dict.fromkeys(frame["objective"]))
    with mpl.rc_context(SETTINGS):
        size = (PANEL[0] * len(QUANTITIES), PANEL[1] * len(objectives) + TOP)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(objectives), len(QUANTITIES), sharex=True, squeeze=False)
        for objective, panels in zip(objectives, grid, strict=True):
            for quantity, axes in zip(QUANTITIES, panels, strict=True):
                chosen = frame[(frame["objective"] == objective) & (frame["quantity"] == quantity.name)]
                _draw_panel(axes, chosen, list(histories), quantity)
            panels[0].set_title(objective.upper())
        for axes in grid[-1]:
            axes.set_xlabel("updates")
        _draw_legend(figure, list(histories))
        save(figure, output)


def read(path: Path, label: str, seed: int) -> pd.DataFrame:
    """The numbers of one log, one per line: columns ``COLUMNS``; ``key`` is a language, a pair, or "" for a loss.

    Raises:
        CorpusError: naming the line that is not one of a log.
    """
    found = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.extend((label, seed, *item) for item in _numbers(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise CorpusError(
                f"{path}, line {number}: expected a JSON record of a training log, found {line[:60]!r} "
                f"({type(error).__name__}: {error}); train the run again"
            ) from error
    if not found:
        raise CorpusError(f"{path}: the log is empty, expected losses; leave out runs that were not trained")
    return pd.DataFrame(found, columns=pd.Index(COLUMNS))


def _numbers(record: Mapping) -> list[tuple[int, str, str, str, float]]:
    """(update, objective, key, quantity, value) of one record."""
    update = record["update"]
    if record["kind"] == "train":
        return [(update, name, "", "loss", value) for name, value in record["loss"].items()]
    scores = [(*name.partition(".")[::2], score) for name, score in record["scores"].items()]
    return [
        (update, objective, key, quantity, score[quantity])
        for objective, key, score in scores
        for quantity in ("perplexity", "accuracy")
    ]


def _draw_panel(axes: Axes, frame: pd.DataFrame, labels: Sequence[str], quantity: Quantity) -> None:
    """One quantity of one objective."""
    for (label, _), run in frame.groupby(["label", "seed"]):
        style = {"color": color(labels.index(label)), "solid_capstyle": "round"}
        keys = [one.set_index("update")["value"] for _, one in run.groupby("key")]
        for values in keys if len(keys) > 1 else []:
            axes.plot(values.index, values, linewidth=0.6, alpha=0.35, **style)
        mean = _mean(keys, is_log=quantity.is_log)
        axes.plot(mean.index, mean, linewidth=1.4, marker="o" if len(mean) == 1 else None, **style)
    if quantity.is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(quantity.unit)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.margins(x=0.02)


def _mean(curves: Sequence[pd.Series], *, is_log: bool) -> pd.Series:
    """The mean of several curves; the geometric one where ``is_log``."""
    frame = pd.concat(curves, axis="columns")
    return np.exp(np.log(frame).mean(axis="columns")) if is_log else frame.mean(axis="columns")


def _draw_legend(figure: Figure, labels: Sequence[str]) -> None:
    """The runs' colors and the meaning of thick and thin, above the panels."""
    runs = [Line2D([], [], color=color(i), linewidth=1.4, label=label) for i, label in enumerate(labels)]
    mean = Line2D([], [], color=FAINT, linewidth=1.4, label="mean over languages, one line per seed")
    single = Line2D([], [], color=FAINT, linewidth=0.6, label="single language or pair")
    figure.legend(handles=[*runs, mean, single], loc="outside upper left", ncols=IN_LINE)
