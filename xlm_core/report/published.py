"""Published numbers, and how sure of them we are; the numbers themselves stand in ``published.yaml``."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PATH = Path(__file__).with_name("published.yaml")


class Published(NamedTuple):
    """A published number, in the unit of its table; ``confirmed`` is false where it is recalled only."""

    value: float
    confirmed: bool


@cache
def tables() -> dict[str, Any]:
    """The published tables by name, as ``published.yaml`` holds them."""
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def value(table: str, row_label: str, setting: str, column: str) -> Published | None:
    """The published number of one cell; None where nothing was published for it."""
    row = _row(table, row_label, setting)
    columns = tables().get(table, {}).get("columns", [])
    if row is None or column not in columns:
        return None
    number = row["values"][columns.index(column)]
    return None if number is None else Published(number, row["confirmed"] or column in row.get("confirmed_columns", []))


def average(table: str, row_label: str, setting: str, columns: Sequence[str]) -> Published | None:
    """The mean of a published row over exactly ``columns``; None where one of them was not published.

    The average the paper prints is over all its languages; beside fewer languages it would compare unlike things.
    """
    return mean([value(table, row_label, setting, column) for column in columns])


def mean(cells: Sequence[Published | None]) -> Published | None:
    """The mean of published numbers, as sure as the least sure of them; None where one is missing."""
    known = [cell for cell in cells if cell is not None]
    if not known or len(known) < len(cells):
        return None
    return Published(sum(cell.value for cell in known) / len(known), all(cell.confirmed for cell in known))


def _row(table: str, label: str, setting: str) -> dict[str, Any] | None:
    """The row of a published table, or None."""
    rows = tables().get(table, {}).get("rows", [])
    return next((row for row in rows if (row["label"], row["setting"]) == (label, setting)), None)
