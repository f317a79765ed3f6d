"""Published rows of what we have not measured ourselves: other systems, and other settings of ours."""

from typing import NamedTuple

from xlm_core.report import published
from xlm_core.report.published import Published
from xlm_core.report.summary import Shape, published_at


class Row(NamedTuple):
    """A published row, with a number or None for each shown column of our table."""

    label: str
    setting: str
    cells: tuple[Published | None, ...]


def rows(shape: Shape) -> list[Row]:
    """The published rows that have a number in one of our columns and stand under no row of ours.

    They come in the order of the publication; by setting, in that in which ours are compared with theirs, if ours do.
    """
    known = published.tables().get(shape.name, {}).get("rows", [])
    order = list(dict.fromkeys(shape.compared.values()))
    ours = {(shape.labels[row.run], shape.compared.get(row.setting)) for row in shape.rows}
    theirs = [(row["label"], row["setting"]) for row in known if (row["label"], row["setting"]) not in ours]
    if shape.is_by_setting:
        theirs.sort(key=lambda row: order.index(row[1]) if row[1] in order else len(order))
    found = [Row(*row, tuple(published_at(*row, column, shape) for column in shape.shown)) for row in theirs]
    return [row for row in found if any(row.cells)]
