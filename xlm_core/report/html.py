"""HTML: one self-contained page per table."""

from html import escape

from xlm_core.report.layout import Box, Layout, Line

COLD, WARM = (255, 255, 255), (198, 221, 240)  # backgrounds of the lowest and the highest mean
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
sup {{ position: absolute; line-height: 0; padding-top: 5px; font-size: 10px; color: #a33; }}
.notes {{ max-width: 900px; font-size: 12.5px; color: #444; }}
.notes ul, .notes ol {{ padding-left: 20px; margin: 10px 0; }}
.notes ol ::marker {{ color: #a33; }}
.wide {{ font-size: 12px; }}
.wide th, .wide td {{ padding-left: 5px; padding-right: 5px; }}
.wide .theirs > * {{ font-size: 10.5px; }}
</style>
</head>
<body>
<table{width}>
<caption>{caption}</caption>
<thead>
{head}
</thead>
<tbody>
{body}
</tbody>
</table>
<div class="notes">
<ul>
{notes}
</ul>
{footnotes}</div>
</body>
</html>
"""


def render(table: Layout) -> str:
    """The table as an HTML page: darker is higher, published numbers stand small under one's own."""
    head = "".join(f'<th class="label">{escape(name)}</th>' for name in table.label_header)
    head += "".join(f"<th{_class(name)}>{escape(name)}</th>" for name in table.header)
    rows = [row for line in table.lines for row in _rows(line, table.header)]
    items = "\n".join(f"<li>{escape(note)}</li>" for note in table.footnotes)
    return PAGE.format(
        width=' class="wide"' if len(table.header) > WIDE else "",
        caption=escape(table.caption),
        head=f"<tr>{head}</tr>",
        body="\n".join(rows),
        notes="\n".join(f"<li>{escape(note)}</li>" for note in table.notes),
        footnotes=f"<ol>\n{items}\n</ol>\n" if items else "",
    )


def _rows(line: Line, header: tuple[str, ...]) -> list[str]:
    """The row of one's own numbers, and that of the published ones where there are any."""
    labels = "".join(f'<th class="label">{escape(label)}</th>' for label in line.labels)
    cells = "".join(_cell(box, name) for name, box in zip(header, line.boxes, strict=True))
    rows = [f'<tr class="ours">{labels}{cells}</tr>']
    if line.is_published:
        labels = f'<th class="label" colspan="{len(line.labels)}">published (difference)</th>'
        cells = "".join(_published(box, name) for name, box in zip(header, line.boxes, strict=True))
        rows.append(f'<tr class="theirs">{labels}{cells}</tr>')
    return rows


def _cell(box: Box, column: str) -> str:
    text = f"<b>{escape(box.text)}</b>" if box.is_best else escape(box.text)
    mark = f"<sup>{box.mark}</sup>" if box.mark else ""
    return f'<td{_class(column)} style="background:{_color(box.heat)}">{text}{mark}</td>'


def _published(box: Box, column: str) -> str:
    text = f"{escape(box.published)} ({escape(box.difference)})" if box.published else ""
    return f'<td{_class(column)} style="background:{_color(box.heat)}">{text}</td>'


def _class(column: str) -> str:
    """The average is set apart from what it is the average of."""
    return ' class="mean"' if column == "avg" else ""


def _color(heat: float) -> str:
    return "#" + "".join(f"{round(cold + heat * (warm - cold)):02x}" for cold, warm in zip(COLD, WARM, strict=True))
