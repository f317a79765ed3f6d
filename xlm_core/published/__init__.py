"""Published numbers of the paper's tables, and how sure of them we are; they stand in ``published.yaml``.

A row is found by its key and its setting, never by what it is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PATH = Path(__file__).with_name("published.yaml")

ColumnKey = tuple[str, str]  # column and metric


class PublishedNumber(NamedTuple):
    """A published number, in the unit of its table; ``confirmed`` is false where it is recalled only."""

    value: float
    confirmed: bool


@dataclass(frozen=True)
class PublishedRow:
    """A row of a published table.

    key, setting   identify it
    label, setting_label  what it is called
    numbers        column and metric -> number, of those that were published
    source         where they were seen
    average        mean over all columns as it was printed, where it was
    """

    key: str
    setting: str
    label: str
    setting_label: str
    numbers: Mapping[ColumnKey, PublishedNumber]
    source: str
    average: float | None = None


@dataclass(frozen=True)
class PublishedTable:
    """A published table: its ``name``, what sets its protocol apart from ours, columns and rows."""

    name: str
    protocol: str
    columns: tuple[ColumnKey, ...]
    rows: tuple[PublishedRow, ...]

    def row(self, key: str, setting: str) -> PublishedRow | None:
        """The row of a key in a setting; None where there is none."""
        return next((row for row in self.rows if (row.key, row.setting) == (key, setting)), None)


@cache
def tables() -> dict[str, PublishedTable]:
    """The published tables by the names of ours."""
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return {name: _table(entry) for name, entry in data.items()}


def keys(*names: str) -> list[str]:
    """The keys of the rows of some tables, or of all, each once."""
    return list(dict.fromkeys(row.key for name in names or tables() for row in tables()[name].rows))


def mean(numbers: Sequence[PublishedNumber | None]) -> PublishedNumber | None:
    """The mean of published numbers, as sure as the least sure of them; None where one is missing.

    The average that a paper prints is over all its columns; beside fewer columns it would compare unlike things.
    """
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    return PublishedNumber(sum(n.value for n in known) / len(known), all(n.confirmed for n in known))


def _table(entry: Mapping[str, Any]) -> PublishedTable:
    columns = tuple((column, metric) for column, metric in entry["columns"])
    rows = tuple(_row(row, columns) for row in entry["rows"])
    return PublishedTable(entry["name"], entry["protocol"], columns, rows)


def _row(entry: Mapping[str, Any], columns: Sequence[ColumnKey]) -> PublishedRow:
    confirmed = {tuple(column) for column in entry.get("confirmed_columns", [])}
    return PublishedRow(
        key=entry["key"],
        setting=entry["setting"],
        label=entry["label"],
        setting_label=entry.get("setting_label", entry["setting"]),
        numbers={
            column: PublishedNumber(value, entry["confirmed"] or column in confirmed)
            for column, value in zip(columns, entry["values"], strict=True)
            if value is not None
        },
        source=entry["source"],
        average=entry.get("average"),
    )
