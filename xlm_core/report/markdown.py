"""Markdown: a table that a terminal shows as well as a browser does."""

import textwrap

from xlm_core.report.layout import CONTRASTS, FOREIGN, Box, Layout, Line

WIDTH = 110  # of the notes, in characters


def render(table: Layout) -> str:
    """The tables as Markdown, their columns padded so that the source itself is readable."""
    rows = [[*table.label_header, *table.header]]
    for line in table.lines:
        rows.append([*map(_escaped, line.labels), *(_cell(box) for box in line.boxes)])
        rows.extend(_published(line))
    if table.foreign:
        rows.append([f"*{FOREIGN}*", *[""] * (table.n_columns - 1)])
        rows.extend([*map(_italic, row.labels), *row.cells] for row in table.foreign)
    parts = [
        f"**{table.caption}**",
        _grid(rows, len(table.label_header)),
        "\n".join(_wrapped("- ", note) for note in table.notes),
        "\n".join(_wrapped(f"{mark(n)} ", note) + "  " for n, note in enumerate(table.footnotes, 1)),
    ]
    if table.contrasts:
        rows = [["difference", *table.header]]
        for contrast in table.contrasts:
            rows.append([_escaped(contrast.label), *contrast.cells])
            rows.extend([["— seeds", *contrast.agreement]] if contrast.agreement else [])
        parts += [f"**{CONTRASTS}**", _grid(rows, 1), _wrapped("- ", table.contrast_note)]
    return "\n\n".join(part for part in parts if part) + "\n"


def mark(number: int) -> str:
    """How a footnote is named: ``[1]``."""
    return f"[{number}]"


def _escaped(label: str) -> str:
    return label.replace("|", r"\|")


def _italic(label: str) -> str:
    return f"*{_escaped(label)}*" if label else ""


def _cell(box: Box) -> str:
    text = f"**{box.text}**" if box.is_best else box.text
    return f"{text} {mark(box.mark)}" if box.mark else text


def _published(line: Line) -> list[list[str]]:
    """The two lines under one's own: what was published, and the difference."""
    if not line.is_published:
        return []
    blank = [""] * (len(line.labels) - 1)
    return [
        ["— published", *blank, *(box.published for box in line.boxes)],
        ["— difference", *blank, *(box.difference for box in line.boxes)],
    ]


def _grid(rows: list[list[str]], n_labels: int) -> str:
    """Rows, of which the first is the header, with labels to the left and numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = [_rule(width, is_label=i < n_labels) for i, width in enumerate(widths)]
    body = [_padded(rows[0], widths, n_labels), rule, *(_padded(row, widths, n_labels) for row in rows[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in body)


def _padded(cells: list[str], widths: list[int], n_labels: int) -> list[str]:
    """Labels to the left, numbers to the right."""
    return [
        cell.ljust(width) if i < n_labels else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _rule(width: int, *, is_label: bool) -> str:
    return ":" + "-" * (width - 1) if is_label else "-" * (width - 1) + ":"


def _wrapped(head: str, text: str) -> str:
    """A paragraph whose later lines are set in under its head."""
    return textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
