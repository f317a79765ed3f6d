"""The objectives as a picture of real batches, in the manner of the paper's figure 1.

Each example shows, from below: language, position and token of every input, the Transformer that reads their sum, and
above it the predicted pieces. All lengths are in inches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.report.plots import FAINT, INK, SETTINGS, color, save

TITLES = {
    "clm": "Causal language modeling (CLM): every position predicts the next token and sees only what is before it",
    "mlm": "Masked language modeling (MLM): chosen tokens (hidden, replaced or kept) are predicted from both sides",
    "tlm": "Translation language modeling (TLM): a chosen token may be read off its translation; "
    "positions start anew in the second sentence",
}
FIELDS = ("input", "target", "positions", "languages")
MASK = "<special1>"  # the mask symbol's name in published vocabularies, and so in ours

FONT_SIZE = 9.0  # points
BOX_HEIGHT = 0.24
GAP = 0.06  # between boxes
MARGIN = 0.15  # around the figure
LABELS = 0.95  # width of the column that names the rows
MIN_BOX, PADDING = 0.36, 0.16  # narrowest box, and white space beside its text
# Heights above the foot of an example.
ROWS = {"language": 0.0, "position": 0.32, "token": 0.64, "predicted": 1.56}
MODEL_ROW, TITLE_ROW = 1.08, 1.95
EXAMPLE_HEIGHT = 2.45
NOTE_HEIGHT = 0.25
NOTE = r"\uXXXX stands for a character that the font of this figure has no shape for."


@dataclass(frozen=True)
class Example:
    """One row of a batch, T tokens long, as it is drawn; ``target`` is None where nothing is predicted."""

    objective: str
    input: Sequence[str]
    target: Sequence[str | None]
    positions: Sequence[int]
    languages: Sequence[str]

    @property
    def widths(self) -> list[float]:
        """Width of each token's column: the widest text in it."""
        texts = zip(self.input, self.target, self.languages, strict=True)
        return [max(MIN_BOX, *(text_width(text) + PADDING for text in column if text)) for column in texts]

    @property
    def width(self) -> float:
        """Width of all columns."""
        return sum(self.widths) + GAP * (len(self.widths) - 1)


def plot(examples: Path, output: Path) -> None:
    r"""Plot a row of token boxes for each example of a batch.

    Characters that the figure's font lacks (it has Latin, Greek, Cyrillic and Arabic letters, but no Devanagari,
    Thai or Chinese ones) are written as ``\uXXXX``, and a line below says so.

    Args:
        examples: JSON, a list of {"objective": "mlm", "input": pieces, "target": pieces or null, "positions": numbers,
            "languages": codes}, the last four of one length.
        output: an svg, png or pdf file.

    Raises:
        CorpusError: the examples do not have that form.
    """
    batch = read(examples)
    languages = {language for example in batch for language in example.languages}
    colors = {language: color(number) for number, language in enumerate(sorted(languages))}
    note = NOTE if any("\\u" in (text or "") for row in batch for text in (*row.input, *row.target)) else ""
    with mpl.rc_context(SETTINGS | {"font.size": FONT_SIZE}):
        titles = max(text_width(TITLES[example.objective], bold=True) for example in batch)
        width = 2 * MARGIN + max(titles, LABELS + max(example.width for example in batch))
        bottom = MARGIN + (NOTE_HEIGHT if note else 0)
        height = bottom + EXAMPLE_HEIGHT * len(batch) - MARGIN
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        axes.axis("off")
        for number, example in enumerate(reversed(batch)):
            _plot_example(axes, example, bottom + EXAMPLE_HEIGHT * number, colors)
        axes.text(MARGIN, MARGIN, note, color=FAINT, va="bottom")
        save(figure, output)


def read(path: Path) -> list[Example]:
    """Return the examples of a JSON file, with their pieces as they are drawn.

    Raises:
        CorpusError: the file does not have the form that ``plot`` describes.
    """
    entries = read_json(path)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise CorpusError(f"{path}: expected a list of examples, found {str(entries)[:60]}; make the examples again")
    examples = []
    for number, entry in enumerate(entries):
        sizes = {field: len(entry.get(field, ())) for field in FIELDS}
        if entry.get("objective") not in TITLES or len(set(sizes.values())) > 1 or not sizes["input"]:
            raise CorpusError(
                f"{path}, example {number}: expected one of the objectives {', '.join(TITLES)} and lists of one "
                f"length, found {entry.get('objective')!r} and {sizes}; make the examples again"
            )
        pieces = [spelled(piece) for piece in entry["input"]]
        targets = [None if piece is None else spelled(piece) for piece in entry["target"]]
        examples.append(Example(entry["objective"], pieces, targets, entry["positions"], entry["languages"]))
    return examples


@cache
def text_width(text: str, *, bold: bool = False) -> float:
    """Return the width of a text in inches."""
    return TextPath((0, 0), text, size=FONT_SIZE, prop=_font(bold=bold)).get_extents().width / 72 if text.strip() else 0


def spelled(piece: str) -> str:
    r"""Return a piece as it is drawn: the mask symbol as ``[MASK]``, characters without a shape as ``\uXXXX``."""
    if piece == MASK:
        return "[MASK]"
    font = get_font(findfont(_font()))
    return "".join(c if font.get_char_index(ord(c)) else f"\\u{ord(c):04x}" for c in piece)


def _font(*, bold: bool = False) -> FontProperties:
    return FontProperties(family=SETTINGS["font.family"], weight="bold" if bold else "normal", size=FONT_SIZE)


def _plot_example(axes: Axes, example: Example, foot: float, colors: Mapping[str, str]) -> None:
    """Plot one example above the height ``foot``."""
    axes.text(MARGIN, foot + TITLE_ROW, TITLES[example.objective], weight="bold", va="bottom")
    for name, row in ROWS.items():
        axes.text(MARGIN, foot + row + BOX_HEIGHT / 2, name, color=FAINT, va="center_baseline")
    left = MARGIN + LABELS
    model = "Transformer, causal" if example.objective == "clm" else "Transformer"
    _plot_box(axes, left, foot + MODEL_ROW, example.width, model, fill="#ececec", edge="#c4c4c4")
    columns = zip(example.widths, example.input, example.target, example.positions, example.languages, strict=True)
    for width, piece, target, position, language in columns:
        of_language = colors[language]
        token = {"fill": INK, "ink": "white", "edge": INK} if piece == "[MASK]" else {"edge": of_language}
        _plot_box(axes, left, foot + ROWS["language"], width, language, fill=of_language, ink="white", edge=of_language)
        _plot_box(axes, left, foot + ROWS["position"], width, str(position), edge="#c4c4c4")
        _plot_box(axes, left, foot + ROWS["token"], width, piece, **token)
        _plot_arrow(axes, left + width / 2, foot + ROWS["token"] + BOX_HEIGHT, foot + MODEL_ROW)
        if target is not None:
            _plot_arrow(axes, left + width / 2, foot + MODEL_ROW + BOX_HEIGHT, foot + ROWS["predicted"])
            _plot_box(axes, left, foot + ROWS["predicted"], width, target, fill="#fff4d6", edge="#E69F00")
        left += width + GAP


def _plot_box(
    axes: Axes, left: float, bottom: float, width: float, text: str, *, edge: str, fill: str = "white", ink: str = INK
) -> None:
    """Plot a rounded box with a text in its middle."""
    style = "round,pad=0,rounding_size=0.04"
    corner = (left, bottom)
    axes.add_patch(FancyBboxPatch(corner, width, BOX_HEIGHT, style, facecolor=fill, edgecolor=edge, linewidth=0.9))
    axes.text(left + width / 2, bottom + BOX_HEIGHT / 2, text, color=ink, ha="center", va="center_baseline")


def _plot_arrow(axes: Axes, x: float, low: float, high: float) -> None:
    """Plot an arrow upwards, a little shorter than the space it has."""
    style = {"arrowstyle": "-|>,head_length=0.25,head_width=0.12", "color": FAINT, "linewidth": 0.8}
    axes.annotate("", (x, high), (x, low), arrowprops=style | {"shrinkA": 1, "shrinkB": 1})
