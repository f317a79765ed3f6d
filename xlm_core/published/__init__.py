"""Published numbers of the paper's tables, and whether they are confirmed; they stand in ``published.yaml``.

A row is identified by its key and its setting; labels are for display only.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PATH = Path(__file__).with_name("published.yaml")

RowKey = tuple[str, str]  # system, or key of a published row, and setting
ColumnKey = tuple[str, str]  # column and metric


class PublishedNumber(NamedTuple):
    """A published number, in the unit of its table; ``confirmed`` is false where it is recalled only."""

    value: float
    confirmed: bool


class PublishedRow(NamedTuple):
    """A row of a published table: its labels, and its numbers by column and metric, as far as they were published."""

    label: str
    setting_label: str
    numbers: Mapping[ColumnKey, PublishedNumber]


class PublishedTable(NamedTuple):
    """A published table: its ``name``, the difference of its protocol from ours, rows by key and setting."""

    name: str
    protocol: str
    rows: Mapping[RowKey, PublishedRow]


@cache
def tables() -> dict[str, PublishedTable]:
    """Return the published tables by the names of ours."""
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return {
        name: PublishedTable(
            table["name"],
            table["protocol"],
            {(row["key"], row["setting"]): _row(row, table["columns"]) for row in table["rows"]},
        )
        for name, table in data.items()
    }


def keys() -> list[str]:
    """Return the keys of the rows of all tables, without repetition."""
    return list(dict.fromkeys(key for table in tables().values() for key, _ in table.rows))


def mean(numbers: Sequence[PublishedNumber | None]) -> PublishedNumber | None:
    """Return the mean of published numbers, confirmed if all of them are; None where one is missing.

    The average that a paper prints is over all its columns, so it cannot be compared with a mean over fewer columns.
    """
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    return PublishedNumber(sum(n.value for n in known) / len(known), all(n.confirmed for n in known))


def _row(row: Mapping[str, Any], columns: Sequence[Sequence[str]]) -> PublishedRow:
    numbers = {
        (column, metric): PublishedNumber(
            value, row["confirmed"] or [column, metric] in row.get("confirmed_columns", [])
        )
        for (column, metric), value in zip(columns, row["values"], strict=True)
        if value is not None
    }
    return PublishedRow(row["label"], row.get("setting_label", row["setting"]), numbers)
