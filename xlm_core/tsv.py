"""Records: the text format between the workflow's steps; and published tables, whose columns have names.

A file holds one record per line, its fields separated by tabs: one field for a monolingual line, two for a pair,
three for a labelled pair of sentences. Records are dropped as a whole, so the sides of a pair stay aligned. Beside each
file lies a JSON file of counts: records read, kept, and dropped by reason. Validation and test records are held out by
a hash of their text, so that equal lines never are in two splits.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Literal, Self

from xlm_core.errors import CorpusError
from xlm_core.io import atomic_many, read_json, remedy, write_json

MANY_DROPPED = 0.1  # of the records, for one reason: such a filter is reported beside its results
BLOCK = 1000  # consecutive records that stay in one shard, so that documents keep their neighbors
JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Indic scripts and Persian
ZERO_WIDTH_SPACE = "\u200b"  # between words, in scripts without blanks
BYTE_ORDER_MARK = "\ufeff"  # at the beginning of some published tables
PIVOT = "en"
Split = Literal["train", "valid", "test"]


def collapse_blanks(text: str) -> str:
    """Replace every run of white space, tabs and line breaks included, by one blank."""
    return " ".join(text.split())


def clean_field(text: str) -> str:
    """Return ``text`` as one field, letters composed (NFC), without control and format characters (Cc and Cf).

    Control characters that are white space become blanks, like every other white space and the zero-width space.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():  # most lines are; looking at each character is slow
        text = text.replace(ZERO_WIDTH_SPACE, " ")
        text = "".join(c for c in text if c.isspace() or c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf"))
    return collapse_blanks(text)


def read(path: Path, n_fields: int) -> Iterator[list[str]]:
    """Yield the fields of every record of a file.

    Raises:
        CorpusError: a line does not have ``n_fields`` fields, or the file is not UTF-8.
    """
    with open(path, encoding="utf-8", newline="\n") as file:
        try:
            for number, line in enumerate(file, 1):
                fields = line.rstrip("\n").split("\t")
                if len(fields) != n_fields:
                    raise CorpusError(
                        f"{path}, line {number}: {len(fields)} fields, expected {n_fields}; remove the file and rerun"
                    )
                yield fields
        except UnicodeDecodeError as error:
            raise CorpusError(f"{path} is not UTF-8 ({error.reason}); remove the file and rerun") from error


def read_table(
    name: str,
    lines: Iterable[str],
    columns: Sequence[str],
    header: Sequence[str] | None = None,
    short_rows: "FilterStats | None" = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield the location of each row of a table and its values of ``columns``, which are looked up in the header.

    A quotation mark is a character like any other. Empty lines are no rows.

    Args:
        name: of the table, in messages.
        lines: of the table.
        columns: in the order wanted.
        header: the names of the columns of a table without header.
        short_rows: rows with fewer fields than the header are dropped and counted there, instead of being an error.

    Raises:
        CorpusError: a column is missing, or a row has another number of fields.
    """
    rows = enumerate((line.removeprefix(BYTE_ORDER_MARK).rstrip("\r").split("\t") for line in lines), 1)
    names = list(header) if header is not None else next(rows, (1, [""]))[1]
    if missing := [column for column in columns if column not in names]:
        raise CorpusError(f"{name}, line 1: no column {', '.join(missing)}; found {', '.join(names)}")
    indices = [names.index(column) for column in columns]
    for number, values in rows:
        if values == [""] and len(names) > 1:
            continue
        if short_rows is not None and len(values) < len(names):
            short_rows.drop("too few columns")
        elif len(values) != len(names):
            raise CorpusError(
                f"{name}, line {number}: {len(values)} fields, expected {len(names)} as in the header; {remedy(name)}"
            )
        else:
            yield f"{name}, line {number}", [values[i] for i in indices]


def write(records: Iterable[Sequence[str]], shards: Sequence[Path]) -> int:
    """Distribute records to shards, ``BLOCK`` after ``BLOCK`` in turn; return their number.

    The shards appear under their names together, after all of ``records`` are written.
    """
    with atomic_many(shards) as partials:
        return write_in_place(records, partials)


def write_in_place(records: Iterable[Sequence[str]], shards: Sequence[Path]) -> int:
    """Write records like ``write``, to files that appear at once: for paths from ``atomic`` or ``atomic_many``."""
    count = 0
    with ExitStack() as stack:
        files = [stack.enter_context(open(path, "w", encoding="utf-8", newline="\n")) for path in shards]
        for fields in records:
            files[count // BLOCK % len(files)].write("\t".join(fields) + "\n")
            count += 1
    return count


def interleave_shards(shards: Sequence[Path]) -> Iterator[bytes]:
    """Yield the lines of all shards in the order in which ``write`` distributed them."""
    with ExitStack() as stack:
        files = [stack.enter_context(open(path, "rb")) for path in shards]
        for file in cycle(files):
            block = list(islice(file, BLOCK))
            yield from block
            if len(block) < BLOCK:
                return


def block_starts(count: int, n_shards: int) -> list[range]:
    """Return, per shard, the first records of the blocks that ``write`` gives it, of ``count`` records."""
    return [range(shard * BLOCK, count, n_shards * BLOCK) for shard in range(n_shards)]


def split_of(text: str, valid_fraction: float, test_fraction: float) -> Split:
    """Return the split of a line: the same for the same text on every machine and in every corpus."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64
    if number < valid_fraction:
        return "valid"
    return "test" if number < valid_fraction + test_fraction else "train"


def split_of_record(
    fields: Sequence[str], languages: Sequence[str], valid_fraction: float, test_fraction: float
) -> Split:
    """Return the split of a line, or of a pair by its English side, else by its first.

    So a line of monolingual text falls into the same split as the same line inside a pair. This cannot hold for the
    other side of a pair: a sentence that translates two different English ones may be in two splits.
    """
    pivot = list(languages).index(PIVOT) if PIVOT in languages else 0
    return split_of(fields[pivot], valid_fraction, test_fraction)


class FilterStats:
    """The numbers of records that a step kept, and dropped by reason."""

    def __init__(self) -> None:
        self.kept = 0
        self.dropped: Counter[str] = Counter()

    @property
    def read(self) -> int:
        """The number of all records."""
        return self.kept + self.dropped.total()

    def drop(self, reason: str) -> None:
        """Count one dropped record."""
        self.dropped[reason] += 1

    @property
    def many_dropped(self) -> dict[str, float]:
        """Each reason for which more than ``MANY_DROPPED`` of the records were dropped, and their share."""
        shares = {reason: count / self.read for reason, count in self.dropped.items()}
        return {reason: share for reason, share in shares.items() if share > MANY_DROPPED}

    @classmethod
    def read_sum(cls, paths: Iterable[Path]) -> Self:
        """Add up the counts of several files."""
        total = cls()
        for path in paths:
            counts = read_json(path)
            total.kept += counts["kept"]
            total.dropped.update(counts["dropped"])
        return total

    def write(self, path: Path) -> None:
        """Write the counts as JSON."""
        write_json(path, {"read": self.read, "kept": self.kept, "dropped": dict(sorted(self.dropped.items()))})
