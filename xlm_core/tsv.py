"""Records: the text format between the workflow's steps.

A file holds one record per line, its fields separated by tabs: one field for a monolingual line, two for a pair,
three for a labelled pair of sentences. Records are dropped as a whole, so the sides of a pair stay aligned. Beside each
file lies a JSON file of counts: records read, kept, and dropped by reason.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from xlm_core.errors import CorpusError
from xlm_core.io import atomic_many, write_json

BLOCK = 1000  # consecutive records that stay in one shard, so that documents keep their neighbors
JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Indic scripts and Persian


def collapse_blanks(text: str) -> str:
    """Replace every run of white space, tabs and line breaks included, by one blank."""
    return " ".join(text.split())


def clean_field(text: str) -> str:
    """Return ``text`` as one field, letters composed (NFC), without control and format characters (Cc and Cf).

    Control characters that are white space become blanks, like every other white space.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():  # most lines are; looking at each character is slow
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

    def write(self, path: Path) -> None:
        """Write the counts as JSON."""
        write_json(path, {"read": self.read, "kept": self.kept, "dropped": dict(sorted(self.dropped.items()))})
