"""Tables: members of archives, or files, with tabs between their columns.

They quote nothing: a quotation mark is a character like any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from xlm_core.errors import CorpusError
from xlm_core.text import archive
from xlm_core.text.lines import decoded, open_whole

BYTE_ORDER_MARK = "\ufeff"


class Table(NamedTuple):
    """The lines of a table, and what it is called in messages."""

    place: str
    lines: Iterator[str]


class Row(NamedTuple):
    """A row: its place, and its values; None where it has fewer fields than the header."""

    place: str
    values: list[str] | None


@contextmanager
def member(path: Path, suffix: str) -> Iterator[Table]:
    """The one member of an archive whose name ends in ``suffix``, in whatever folder it lies.

    Raises:
        ArchiveError: the archive is broken.
        CorpusError: it has none or several such members.
    """
    found = [name for name in archive.members(path) if f"/{name}".endswith(f"/{suffix}")]
    if len(found) != 1:
        raise CorpusError(
            f"{path}: {len(found)} members {suffix}, expected 1; check the language or fetch the file again"
        )
    with archive.open_member(path, found[0]) as stream:
        place = f"{path}, {found[0]}"
        yield Table(place, decoded(stream, place))


@contextmanager
def file(path: Path) -> Iterator[Table]:
    """A table that is a file by itself; a byte order mark at its beginning is no part of it."""
    with open_whole(path) as stream:
        yield Table(str(path), _without_mark(decoded(stream, str(path))))


def _without_mark(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(BYTE_ORDER_MARK)


def rows(
    table: Table, columns: tuple[str, ...], header: tuple[str, ...] | None = None, broken: bool = False
) -> Iterator[Row]:
    """Each row with the values of ``columns``, which are found by the names in the header.

    Args:
        columns: in the order wanted.
        header: of a table that has none.
        broken: rows with fewer fields than the header come without values, instead of being an error.

    Raises:
        CorpusError: at a missing column, or a row of another width.
    """
    place, lines = table
    first = 2 if header is None else 1
    names = list(header) if header is not None else next(lines, "").rstrip("\r").split("\t")
    if missing := [column for column in columns if column not in names]:
        raise CorpusError(f"{place}, line 1: no column {', '.join(missing)}; found {', '.join(names)}")
    wanted = [names.index(column) for column in columns]
    for number, line in enumerate(lines, first):
        values = line.rstrip("\r").split("\t")
        if broken and len(values) < len(names):
            yield Row(f"{place}, line {number}", None)
            continue
        if len(values) != len(names):
            raise CorpusError(
                f"{place}, line {number}: {len(values)} fields, expected {len(names)} as in the header; "
                "fetch the file again"
            )
        yield Row(f"{place}, line {number}", [values[i] for i in wanted])
