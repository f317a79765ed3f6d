"""HTML: one self-contained page per table."""

from collections.abc import Sequence
from html import escape

from xlm_core.report.layout import CONTRASTS, FOREIGN, Box, Contrast, Layout, Line

COLD, WARM = (255, 255, 255), (198, 221, 240)  # backgrounds of the lowest and the highest mean
MEANS = ("transfer", "avg")
WIDE = 8  # columns of numbers beyond which the print is smaller

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{caption}</title>
<style>
body {{ font: 14px/1.4 system-ui, "Helvetica Neue", Arial, sans-serif; margin: 24px;
  color: #1a1a1a; background: #fff; }}
table {{ border-collapse: collapse; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }}
caption {{ text-align: left; font-weight: 600; font-size: 16px; padding-bottom: 10px; }}
th, td {{ padding: 5px 9px; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
th {{ font-weight: 500; }}
thead th {{ border-bottom: 1px solid #1a1a1a; font-weight: 600; }}
.label {{ text-align: left; }}
.mean {{ border-left: 1px solid #bbb; }}
.ours > * {{ padding-bottom: 2px; border-top: 1px solid #ddd; }}
.theirs > * {{ padding-top: 0; font-size: 12px; color: #555; font-weight: 400; }}
.theirs .label {{ padding-left: 22px; }}
.foreign > * {{ padding-top: 2px; padding-bottom: 2px; font-size: 12px; color: #666; font-weight: 400; }}
.heading > * {{ padding-top: 8px; border-top: 1px solid #1a1a1a; font-style: italic; text-align: left; }}
table + .notes + table {{ margin-top: 28px; }}
sup {{ position: absolute; line-height: 0; padding-top: 5px; font-size: 10px; color: #a33; }}
.notes {{ max-width: 900px; font-size: 12.5px; color: #444; }}
.notes ul, .notes ol {{ padding-left: 20px; margin: 10px 0; }}
.notes ol ::marker {{ color: #a33; }}
.wide {{ font-size: 12px; }}
.wide th, .wide td {{ padding-left: 5px; padding-right: 5px; }}
.wide .theirs > *, .wide .foreign > * {{ font-size: 10.5px; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""

TABLE = """<table{width}>
<caption>{caption}</caption>
<thead>
{head}
</thead>
<tbody>
{rows}
</tbody>
</table>
<div class="notes">
<ul>
{notes}
</ul>
{footnotes}</div>
"""


def render(table: Layout) -> str:
    """The tables as an HTML page: darker is higher, published numbers stand small under one's own."""
    rows = [row for line in table.lines for row in _rows(line, table.header)]
    items = "\n".join(f"<li>{escape(note)}</li>" for note in table.footnotes)
    body = _table(
        table.caption,
        (table.label_header, table.header),
        [*rows, *_foreign(table)],
        table.notes,
        f"<ol>\n{items}\n</ol>\n" if items else "",
    )
    if table.contrasts:
        rows = [row for contrast in table.contrasts for row in _contrast(contrast, table.header)]
        body += _table(CONTRASTS, (("difference",), table.header), rows, (table.contrast_note,))
    return PAGE.format(caption=escape(table.caption), body=body.rstrip())


def _table(
    caption: str,
    headers: tuple[Sequence[str], Sequence[str]],
    rows: Sequence[str],
    notes: Sequence[str],
    footnotes: str = "",
) -> str:
    """A table of finished ``rows`` under the ``headers`` of its labels and numbers, with its notes."""
    labels, header = headers
    head = "".join(f'<th class="label">{escape(name)}</th>' for name in labels)
    head += "".join(f"<th{_class(name)}>{escape(name)}</th>" for name in header)
    return TABLE.format(
        width=' class="wide"' if len(header) > WIDE else "",
        caption=escape(caption),
        head=f"<tr>{head}</tr>",
        rows="\n".join(rows),
        notes="\n".join(f"<li>{escape(note)}</li>" for note in notes),
        footnotes=footnotes,
    )


def _rows(line: Line, header: Sequence[str]) -> list[str]:
    """The row of one's own numbers, and that of the published ones where there are any."""
    labels = "".join(f'<th class="label">{escape(label)}</th>' for label in line.labels)
    cells = "".join(_cell(box, name) for name, box in zip(header, line.boxes, strict=True))
    rows = [f'<tr class="ours">{labels}{cells}</tr>']
    if line.is_published:
        labels = f'<th class="label" colspan="{len(line.labels)}">published (difference)</th>'
        cells = "".join(_published(box, name) for name, box in zip(header, line.boxes, strict=True))
        rows.append(f'<tr class="theirs">{labels}{cells}</tr>')
    return rows


def _foreign(table: Layout) -> list[str]:
    """The published rows that are none of ours, under a heading of their own."""
    if not table.foreign:
        return []
    rows = [f'<tr class="foreign heading"><th colspan="{table.n_columns}">{escape(FOREIGN)}</th></tr>']
    for row in table.foreign:
        labels = "".join(f'<th class="label">{escape(label)}</th>' for label in row.labels)
        cells = "".join(f"<td{_class(name)}>{escape(c)}</td>" for name, c in zip(table.header, row.cells, strict=True))
        rows.append(f'<tr class="foreign">{labels}{cells}</tr>')
    return rows


def _contrast(contrast: Contrast, header: Sequence[str]) -> list[str]:
    """The row of the differences, and that of the seeds that agree."""
    rows = []
    for kind, label, texts in (("ours", contrast.label, contrast.cells), ("theirs", "seeds", contrast.agreement)):
        if texts:
            cells = "".join(f"<td{_class(name)}>{escape(text)}</td>" for name, text in zip(header, texts, strict=True))
            rows.append(f'<tr class="{kind}"><th class="label">{escape(label)}</th>{cells}</tr>')
    return rows


def _cell(box: Box, column: str) -> str:
    text = f"<b>{escape(box.text)}</b>" if box.is_best else escape(box.text)
    mark = f"<sup>{box.mark}</sup>" if box.mark else ""
    return f'<td{_class(column)} style="background:{_color(box.heat)}">{text}{mark}</td>'


def _published(box: Box, column: str) -> str:
    text = f"{escape(box.published)} ({escape(box.difference)})" if box.published else ""
    return f'<td{_class(column)} style="background:{_color(box.heat)}">{text}</td>'


def _class(column: str) -> str:
    """Means are set apart from what they are the means of."""
    return ' class="mean"' if column in MEANS else ""


def _color(heat: float) -> str:
    return "#" + "".join(f"{round(cold + heat * (warm - cold)):02x}" for cold, warm in zip(COLD, WARM, strict=True))
