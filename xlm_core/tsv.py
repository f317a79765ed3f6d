"""Records: the one text format between the steps.

A file holds one record per line, its fields separated by tabs: one field for a monolingual line, two for a pair,
three for a labelled pair of sentences. What is dropped is dropped as a whole record, so the sides of a pair
cannot come apart. Beside each file lies a JSON file of counts: records read, kept, and dropped for which reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from xlm_core.errors import CorpusError
from xlm_core.io import together, write_json

BLOCK = 1000  # consecutive records that stay in one shard, so that documents keep their neighbors


def field(text: str) -> str:
    """``text`` as one field: every run of white space, tabs and line breaks among it, becomes one blank."""
    return " ".join(text.split())


def read(path: Path, n_fields: int) -> Iterator[list[str]]:
    """The records of a file, each as its fields.

    Raises:
        CorpusError: at a line that does not have ``n_fields`` fields, or in a file that is not UTF-8.
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


def write(records: Iterable[list[str]], shards: list[Path]) -> int:
    """Deal records out to shards, ``BLOCK`` after ``BLOCK`` in turn; returns how many were written.

    The shards appear under their names together, when all of ``records`` went well.
    """
    count = 0
    with ExitStack() as stack:
        partials = stack.enter_context(together(shards))
        files = [stack.enter_context(open(path, "w", encoding="utf-8", newline="\n")) for path in partials]
        for fields in records:
            files[count // BLOCK % len(files)].write("\t".join(fields) + "\n")
            count += 1
    return count


def gathered(shards: Sequence[Path]) -> Iterator[bytes]:
    """The lines of all shards in the order in which ``write`` dealt them out."""
    with ExitStack() as stack:
        files = [stack.enter_context(open(path, "rb")) for path in shards]
        for file in cycle(files):
            block = list(islice(file, BLOCK))
            yield from block
            if len(block) < BLOCK:
                return


def dealt(count: int, n_shards: int) -> list[range]:
    """Of each shard the first records of the blocks that ``write`` gives it, of ``count`` records."""
    return [range(shard * BLOCK, count, n_shards * BLOCK) for shard in range(n_shards)]


class Counts:
    """What became of the records of one step: how many were read, kept, and dropped for which reason."""

    def __init__(self) -> None:
        self.read = 0
        self.dropped: Counter[str] = Counter()

    def drop(self, reason: str) -> None:
        """Count one dropped record."""
        self.dropped[reason] += 1

    def write(self, path: Path) -> None:
        """Write the counts as JSON."""
        kept = self.read - self.dropped.total()
        write_json(path, {"read": self.read, "kept": kept, "dropped": dict(sorted(self.dropped.items()))})
