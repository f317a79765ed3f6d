"""LaTeX: the table for a paper, in the manner of booktabs."""

from collections.abc import Sequence

from xlm_core.report.layout import CONTRASTS, FOREIGN, Box, Layout, Line

WIDE = 4  # columns of numbers beyond which a table spans both columns of a page
FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"  # shrinks what is too wide, enlarges nothing

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$", "−": "$-$", "†": r"\textsuperscript{\dag}", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$",
    "→": r"$\rightarrow$", "↔": r"$\leftrightarrow$",
}  # fmt: skip


def render(table: Layout) -> str:
    """The table as a LaTeX float, that of the differences below it; its first line names the packages it needs."""
    environment = "table*" if len(table.header) > WIDE else "table"
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage{graphicx}.",
        rf"\begin{{{environment}}}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        *_tabular(
            (*table.label_header, *table.header),
            len(table.label_header),
            [*(row for line in table.lines for row in _rows(line)), *_foreign(table)],
        ),
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        *_small(
            [
                *(escape(note) for note in table.notes),
                *(f"{_mark(n)} {escape(note)}" for n, note in enumerate(table.footnotes, 1)),
            ]
        ),
        *_contrasts(table),
        rf"\end{{{environment}}}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(ESCAPES.get(character, character) for character in text)


def _tabular(header: Sequence[str], n_labels: int, rows: Sequence[str]) -> list[str]:
    """Rows under a header, ``n_labels`` columns to the left and the others to the right."""
    return [
        FIT,
        rf"\begin{{tabular}}{{@{{}}{'l' * n_labels}{'r' * (len(header) - n_labels)}@{{}}}}",
        r"\toprule",
        _row([escape(name) for name in header]),
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def _small(paragraphs: Sequence[str]) -> list[str]:
    """Notes under a table."""
    return [
        r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(paragraph + r"\par" for paragraph in paragraphs),
        r"\end{minipage}",
    ]


def _rows(line: Line) -> list[str]:
    rows = [_row([*(escape(label) for label in line.labels), *(_cell(box) for box in line.boxes)])]
    if line.is_published:
        blank = [""] * (len(line.labels) - 1)
        rows.append(_row([r"\quad published", *blank, *(escape(box.published) for box in line.boxes)]))
        rows.append(_row([r"\quad difference", *blank, *(escape(box.difference) for box in line.boxes)]))
    return rows


def _foreign(table: Layout) -> list[str]:
    """The published rows that are none of ours, smaller, under a line of their own."""
    if not table.foreign:
        return []
    head = rf"\multicolumn{{{table.n_columns}}}{{@{{}}l@{{}}}}{{\footnotesize\textit{{{escape(FOREIGN)}}}}} \\"
    rows = [_row([rf"\footnotesize {escape(text)}" for text in (*row.labels, *row.cells)]) for row in table.foreign]
    return [r"\midrule", head, *rows]


def _contrasts(table: Layout) -> list[str]:
    """The table of differences, with its own heading and note; no float of its own, as it explains the one above."""
    if not table.contrasts:
        return []
    rows = []
    for contrast in table.contrasts:
        rows.append(_row([escape(text) for text in (contrast.label, *contrast.cells)]))
        rows.extend([_row([r"\quad seeds", *contrast.agreement])] if contrast.agreement else [])
    return [
        rf"\par\bigskip{{{escape(CONTRASTS)}}}\par\smallskip",
        *_tabular(("difference", *table.header), 1, rows),
        *_small([escape(table.contrast_note)]),
    ]


def _cell(box: Box) -> str:
    text = rf"\textbf{{{escape(box.text)}}}" if box.is_best else escape(box.text)
    return text + _mark(box.mark) if box.mark else text


def _mark(number: int) -> str:
    return rf"\textsuperscript{{{number}}}"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
