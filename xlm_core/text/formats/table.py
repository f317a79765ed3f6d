"""Read tables with tab-separated columns from archives and files.

The tables quote nothing: a quotation mark is a character like any other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from xlm_core.errors import CorpusError
from xlm_core.io import decode_lines, open_binary
from xlm_core.text.formats import archive
from xlm_core.tsv import FilterStats

BYTE_ORDER_MARK = "\ufeff"
SHORT_ROW = "too few columns"


class Table(NamedTuple):
    """The lines of a table, and its name in messages."""

    name: str
    lines: Iterator[str]


@contextmanager
def open_table_member(path: Path, suffix: str) -> Iterator[Table]:
    """Open the one member of an archive whose name ends in ``suffix``, in any folder.

    Raises:
        ArchiveError: the archive is broken.
        CorpusError: it has no such member, or several.
    """
    names = [name for name in archive.members(path) if f"/{name}".endswith(f"/{suffix}")]
    if len(names) != 1:
        raise CorpusError(
            f"{path}: {len(names)} members {suffix}, expected 1; check the language or fetch the file again"
        )
    with archive.open_member(path, names[0]) as stream:
        yield Table(f"{path}, {names[0]}", decode_lines(stream, f"{path}, {names[0]}"))


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a table that is a file by itself, without the byte order mark at its beginning."""
    with open_binary(path) as stream:
        lines = decode_lines(stream, str(path))
        first = (line.removeprefix(BYTE_ORDER_MARK) for line in islice(lines, 1))
        yield Table(str(path), chain(first, lines))


def read_rows(
    table: Table, columns: Sequence[str], header: Sequence[str] | None = None, short_rows: FilterStats | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the location of each row and its values of ``columns``, which are looked up in the header.

    Args:
        table: an open table.
        columns: in the order wanted.
        header: the names of the columns of a table without header.
        short_rows: rows with fewer fields than the header are dropped and counted there, instead of being an error.

    Raises:
        CorpusError: a column is missing, or a row has another number of fields.
    """
    name, lines = table
    names = list(header) if header is not None else next(lines, "").rstrip("\r").split("\t")
    if missing := [column for column in columns if column not in names]:
        raise CorpusError(f"{name}, line 1: no column {', '.join(missing)}; found {', '.join(names)}")
    indices = [names.index(column) for column in columns]
    for number, line in enumerate(lines, 2 if header is None else 1):
        values = line.rstrip("\r").split("\t")
        if short_rows is not None and len(values) < len(names):
            short_rows.drop(SHORT_ROW)
        elif len(values) != len(names):
            raise CorpusError(
                f"{name}, line {number}: {len(values)} fields, expected {len(names)} as in the header; "
                "fetch the file again"
            )
        else:
            yield f"{name}, line {number}", [values[i] for i in indices]
