"""Rendering of tables and pages as text, by the templates of this package; the page of translation samples."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tabulate import tabulate

from xlm_core.errors import CorpusError
from xlm_core.io import write_text

MINUS, DAGGER = "−", "†"
N_SAMPLES = 20  # sentences of each direction on the page of samples
WIDTH = 110  # of the notes in Markdown, in characters
COLD, WARM = (255, 255, 255), (198, 221, 240)  # backgrounds of the lowest and the highest mean, as red, green and blue
LATEX_DELIMITERS: dict[str, Any] = {  # Jinja's own mean something in LaTeX
    "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "<<", "variable_end_string": ">>",
    "comment_start_string": "<#", "comment_end_string": "#>",
}  # fmt: skip
LATEX_ESCAPES = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$", "−": "$-$", "†": r"\textsuperscript{\dag}", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\rightarrow$", "↔": r"$\leftrightarrow$",
})  # fmt: skip


def render(template: str, **values: Any) -> str:
    """Return the text of the template of this name with ``values``; in HTML they are escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=template in ("html", "provenance", "samples"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.do"],
        **(LATEX_DELIMITERS if template == "tex" else {}),
    )
    filters = {"tex": lambda text: text.translate(LATEX_ESCAPES), "wrap": wrap, "heat_color": heat_color, "grid": grid}
    environment.filters |= filters
    environment.globals["zip"] = zip
    return environment.get_template(f"{template}.j2").render(values)


def heat_color(heat: float) -> str:
    """Return the background of a cell, from 0, the worst, to 1."""
    return "#" + "".join(f"{round(cold + heat * (warm - cold)):02x}" for cold, warm in zip(COLD, WARM, strict=True))


def wrap(text: str, head: str) -> str:
    """Return a paragraph whose later lines are indented below its head."""
    indent = " " * len(head)
    return textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)


def grid(rows: Sequence[Sequence[str]], n_labels: int) -> str:
    """Return rows, of which the first is the header, as an aligned table of Markdown, with labels to the left."""
    sides = ["left"] * n_labels + ["right"] * (len(rows[0]) - n_labels)
    table: str = tabulate(rows[1:], rows[0], tablefmt="pipe", colalign=sides, disable_numparse=True)
    return table


def signed(points: float, decimals: int = 1) -> str:
    """Return ``+1.2``, ``−0.3``, or ``0.0``."""
    size = f"{abs(points):.{decimals}f}"
    sign = "" if float(size) == 0 else "+" if points > 0 else MINUS
    return sign + size


def write_samples(directions: Mapping[str, Mapping[str, Path]], output: Path) -> None:
    """Write a page of the first sentences of each direction, their references and translations side by side.

    Args:
        directions: direction -> its files of lines: the "source", the "reference", and hypotheses by their systems.
        output: HTML.

    Raises:
        CorpusError: files of a direction have unequal numbers of lines.
    """
    samples = []
    for direction, paths in directions.items():
        texts = {
            label: path.read_text(encoding="utf-8").removesuffix("\n").split("\n") for label, path in paths.items()
        }
        if len({len(lines) for lines in texts.values()}) != 1:
            counts = ", ".join(f"{len(texts[label])} in {path}" for label, path in paths.items())
            raise CorpusError(f"unequal numbers of lines: {counts}; score the translations again")
        samples.append((direction, list(texts), list(zip(*texts.values(), strict=True))[:N_SAMPLES]))
    write_text(output, render("samples", directions=samples))
