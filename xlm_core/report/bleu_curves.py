"""BLEU over training: that of validation sentences, a panel per direction, drawn from the logs of translators."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from xlm_core.errors import CorpusError
from xlm_core.report.style import COLORS, SETTINGS, color, save

PANEL = (3.7, 2.7)  # inches
LINE = 0.22  # inches of a line of the legend
IN_ROW = 3  # panels, and entries of the legend
LINES = ("-", "--", ":", "-.")
BLEU = "bleu."  # begins the names of the scores


def draw(histories: Mapping[str, Sequence[Path]], output: Path) -> None:
    """BatchKey the validation BLEU of several translators: a color each, a line per seed.

    Args:
        histories: label -> the logs of its seeds, JSON lines as ``xlm_core.train.log`` writes them.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: a log holds no BLEU, or is no log.
    """
    frame = pd.concat([read(path, label, seed) for label in histories for seed, path in enumerate(histories[label])])
    directions, labels = list(dict.fromkeys(frame["direction"])), list(histories)
    n_rows, n_columns = -(-len(directions) // IN_ROW), min(IN_ROW, len(directions))
    n_lines = -(-len(labels) // n_columns)
    with mpl.rc_context(SETTINGS):
        size = (PANEL[0] * n_columns, PANEL[1] * n_rows + LINE * (n_lines + 1))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False).flatten()
        for axes, direction in zip(panels, directions, strict=False):
            for (label, _), run in frame[frame["direction"] == direction].groupby(["label", "seed"]):
                marker = "o" if len(run) == 1 else None
                axes.plot(run["update"], run["bleu"], marker=marker, **_look(labels.index(label)))
            source, target = direction.split("-")
            axes.set_title(f"{source} → {target}")
            axes.set_xlabel("updates")
            axes.set_ylabel("validation BLEU (tokenized)")
            axes.set_ylim(bottom=0)
            axes.tick_params(labelbottom=True)  # also where there is no panel below
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        for axes in panels[len(directions) :]:
            axes.set_visible(False)
        lines = [Line2D([], [], label=label, **_look(number)) for number, label in enumerate(labels)]
        figure.legend(handles=lines, loc="outside upper left", ncols=n_columns)
        save(figure, output)


def _look(number: int) -> dict[str, Any]:
    """Color of the ``number``-th curve, and the kind of its line, as colors repeat."""
    return {"color": color(number), "linestyle": LINES[number // len(COLORS) % len(LINES)], "linewidth": 1.4}


def read(path: Path, label: str, seed: int) -> pd.DataFrame:
    """The BLEU of every evaluation in one log: columns label, seed, update, direction, bleu.

    Raises:
        CorpusError: the log holds none, or is no log.
    """
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = [
            (label, seed, record["update"], name.removeprefix(BLEU), score["score"])
            for record in records
            if record["kind"] == "valid"
            for name, score in record["scores"].items()
            if name.startswith(BLEU)
        ]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path} is not the log of a training ({error}); train the translator again") from error
    if not found:
        raise CorpusError(f"{path}: no evaluation with BLEU, expected the log of a translator; train it again")
    return pd.DataFrame(found, columns=pd.Index(["label", "seed", "update", "direction", "bleu"]))
