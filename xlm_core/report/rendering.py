"""Rendering: a printed table, or a page, as text by one of the templates of this package."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tabulate import tabulate

from xlm_core.report.table import PrintedCell, PrintedTable

WIDTH = 110  # of the notes in Markdown, in characters
COLD, WARM = (255, 255, 255), (198, 221, 240)  # backgrounds of the lowest and the highest mean, as red, green and blue
PUBLISHED = "published, on the paper's data"  # above the published rows that are compared with none of ours
DIFFERENCES = "Differences between rows, seed by seed"
LATEX_DELIMITERS: dict[str, Any] = {  # those of Jinja mean something in LaTeX
    "block_start_string": "<%", "block_end_string": "%>", "variable_start_string": "<<", "variable_end_string": ">>",
    "comment_start_string": "<#", "comment_end_string": "#>",
}  # fmt: skip
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$", "−": "$-$", "†": r"\textsuperscript{\dag}", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\rightarrow$", "↔": r"$\leftrightarrow$",
}  # fmt: skip


def render_table(table: PrintedTable, kind: str) -> str:
    """A table as Markdown ("md"), HTML or LaTeX ("tex")."""
    rows = {"rows": markdown_rows(table), "difference_rows": markdown_differences(table)} if kind == "md" else {}
    return render(kind, table=table, PUBLISHED=PUBLISHED, DIFFERENCES=DIFFERENCES, **rows)


def render(template: str, **values: Any) -> str:
    """The text of the template of this name with ``values``; in HTML they are escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=template in ("html", "samples"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        **(LATEX_DELIMITERS if template == "tex" else {}),
    )
    environment.filters |= {"tex": escape_latex, "wrap": wrap, "heat_color": heat_color}
    environment.globals |= {"zip": zip, "grid": grid}
    return environment.get_template(f"{template}.j2").render(values)


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(LATEX_ESCAPES.get(character, character) for character in text)


def heat_color(heat: float) -> str:
    """The background of a cell, from 0, the worst, to 1."""
    return "#" + "".join(f"{round(cold + heat * (warm - cold)):02x}" for cold, warm in zip(COLD, WARM, strict=True))


def wrap(text: str, head: str) -> str:
    """A paragraph whose later lines are set in under its head."""
    indent = " " * len(head)
    return textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)


def grid(rows: Sequence[Sequence[str]], n_labels: int) -> str:
    """Rows, of which the first is the header, as a table of Markdown that reads well as it is: labels to the left."""
    sides = ["left"] * n_labels + ["right"] * (len(rows[0]) - n_labels)
    table: str = tabulate(rows[1:], rows[0], tablefmt="pipe", colalign=sides, disable_numparse=True)
    return table


def markdown_rows(table: PrintedTable) -> list[list[str]]:
    """The header, each row with the published numbers below it, and the published rows."""
    rows = [[*table.label_header, *table.header]]
    blank = [""] * (len(table.label_header) - 1)
    for row in table.rows:
        rows.append([*map(_escape_pipes, row.labels), *map(_markdown_cell, row.cells)])
        if row.has_published:
            rows.append(["— published", *blank, *(cell.published for cell in row.cells)])
            rows.append(["— difference", *blank, *(cell.difference for cell in row.cells)])
    if table.published_rows:
        rows.append([f"*{PUBLISHED}*", *blank, *[""] * len(table.header)])
    for row in table.published_rows:
        labels = [f"*{_escape_pipes(label)}*" if label else "" for label in row.labels]
        rows.append([*labels, *(cell.text for cell in row.cells)])
    return rows


def markdown_differences(table: PrintedTable) -> list[list[str]]:
    """The header, and each difference with the seeds that agree below it."""
    rows = [["difference", *table.header]]
    for row in table.differences:
        rows.append([*map(_escape_pipes, row.labels), *(cell.text for cell in row.cells)])
        rows.extend([["— seeds", *row.agreement]] if row.agreement else [])
    return rows


def _markdown_cell(cell: PrintedCell) -> str:
    text = f"**{cell.text}**" if cell.is_best else cell.text
    return f"{text} [{cell.footnote}]" if cell.footnote else text


def _escape_pipes(label: str) -> str:
    return label.replace("|", r"\|")
