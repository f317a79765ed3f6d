"""LaTeX: the table for a paper, in the manner of booktabs."""

from xlm_core.report.layout import Box, Layout, Line

WIDE = 4  # columns of numbers beyond which a table spans both columns of a page
FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"  # shrinks what is too wide, enlarges nothing

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$", "−": "$-$", "†": r"\textsuperscript{\dag}", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$",
}  # fmt: skip


def render(table: Layout) -> str:
    """The table as a LaTeX float; its first line names the packages it needs."""
    environment = "table*" if len(table.header) > WIDE else "table"
    labels = "l" * len(table.label_header)
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage{graphicx}.",
        rf"\begin{{{environment}}}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        FIT,
        rf"\begin{{tabular}}{{@{{}}{labels}{'r' * len(table.header)}@{{}}}}",
        r"\toprule",
        _row([escape(name) for name in (*table.label_header, *table.header)]),
        r"\midrule",
        *(row for line in table.lines for row in _rows(line)),
        r"\bottomrule",
        r"\end{tabular}}",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        r"\par\smallskip\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(escape(note) + r"\par" for note in table.notes),
        *(f"{_mark(n)} {escape(note)}" + r"\par" for n, note in enumerate(table.footnotes, 1)),
        r"\end{minipage}",
        rf"\end{{{environment}}}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return "".join(ESCAPES.get(character, character) for character in text)


def _rows(line: Line) -> list[str]:
    rows = [_row([*(escape(label) for label in line.labels), *(_cell(box) for box in line.boxes)])]
    if line.is_published:
        blank = [""] * (len(line.labels) - 1)
        rows.append(_row([r"\quad published", *blank, *(escape(box.published) for box in line.boxes)]))
        rows.append(_row([r"\quad difference", *blank, *(escape(box.difference) for box in line.boxes)]))
    return rows


def _cell(box: Box) -> str:
    text = rf"\textbf{{{escape(box.text)}}}" if box.is_best else escape(box.text)
    return text + _mark(box.mark) if box.mark else text


def _mark(number: int) -> str:
    return rf"\textsuperscript{{{number}}}"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
