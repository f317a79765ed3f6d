"""Find duplicate records: those equal, in both sides of a pair, to an earlier record of the corpus.

Three passes whose memory does not grow with the text. The first writes the hash and the number of each record to one of
256 buckets on disk, chosen by the hash, so that equal records meet in one bucket. The second sorts bucket after bucket,
and writes the number of each record that equals an earlier one to the file of its span of the corpus. The third makes
the marks of one span after another, and distributes them to the shards. Hashes have 128 bits: among 1e9 different
records, two have the same hash with a probability of 2e-21.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from itertools import chain, zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import atomic_many

ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("number", "<i8")])  # of a record in a bucket
N_BUCKETS = 256  # chosen by the first byte of the hash
CHUNK = 1 << 14  # records whose hashes are in memory at once; up to three times as many if one is repeated often
SPAN = 1 << 21  # records whose marks are in memory at once
MARKS = (b"\0", b"\1")  # not repeated, and repeated
Entries = npt.NDArray[np.void]
Numbers = npt.NDArray[np.int64]


def find_duplicates(shards: Sequence[Path], marks: Sequence[Path]) -> None:
    """Mark the records of a corpus that are repeated.

    The order is the corpus's before ``tsv.write`` distributed it, so the marks do not depend on the number of shards.
    Temporary files on the disk of the marks need 25 bytes per record, and 8 more per repeated one. They have no name,
    and are removed with the process.

    Args:
        shards: all shards of the corpus, in the order of ``tsv.write``.
        marks: output per shard, one byte per record: 1 if it is repeated, else 0.

    Raises:
        StorageError: the disk of ``marks`` has no room.
    """
    with atomic_many(marks) as partials, ExitStack() as stack:
        folder = marks[0].parent
        *buckets, corpus_marks = [stack.enter_context(TemporaryFile(dir=folder)) for _ in range(N_BUCKETS + 1)]
        n_records = 0
        for line in tsv.interleave_shards(shards):
            digest = blake2b(line, digest_size=16).digest()
            buckets[digest[0]].write(digest + n_records.to_bytes(8, "little"))
            n_records += 1
        spans = [stack.enter_context(TemporaryFile(dir=folder)) for _ in range(0, n_records, SPAN)]
        for numbers in chain.from_iterable(map(_repeated_numbers, buckets)):
            for span in np.unique(numbers // SPAN):
                spans[span].write(numbers[numbers // SPAN == span])
        for number, span in enumerate(spans):
            span.seek(0)
            is_repeated = np.zeros(min(SPAN, n_records - number * SPAN), dtype=bool)
            while len(numbers := np.fromfile(span, dtype=np.int64, count=CHUNK)):
                is_repeated[numbers % SPAN] = True
            corpus_marks.write(is_repeated.tobytes())
        for block_starts, partial in zip(tsv.block_starts(n_records, len(shards)), partials, strict=True):
            with open(partial, "wb") as file:
                for start in block_starts:
                    corpus_marks.seek(start)
                    file.write(corpus_marks.read(tsv.BLOCK))


def _repeated_numbers(bucket: IO[bytes]) -> Iterator[Numbers]:
    """Yield the numbers (k,) of the records of a bucket that are not the first with their hash, in chunks.

    A large bucket is read once per part of its hashes, which is fast while the system caches it. Only the first of
    equal records stays in memory.
    """
    n_parts = 1 + bucket.tell() // (ENTRY.itemsize * CHUNK)
    for part in range(n_parts):
        bucket.seek(0)
        pending = [np.empty(0, dtype=ENTRY)]
        while chunk := bucket.read(ENTRY.itemsize * CHUNK):
            entries = np.frombuffer(chunk, dtype=ENTRY)
            pending.append(entries[entries["low"] % n_parts == part])
            if sum(map(len, pending)) > 2 * CHUNK:
                firsts, repeated = _split_repeated(np.concatenate(pending))
                yield repeated
                pending = [firsts]
        yield _split_repeated(np.concatenate(pending))[1]


def _split_repeated(entries: Entries) -> tuple[Entries, Numbers]:
    """Return the first entries with their hash (f,), and the numbers (k,) of the others."""
    entries = entries[np.lexsort((entries["low"], entries["high"]))]  # stable: the first of equal entries stays first
    high, low = entries["high"], entries["low"]
    is_repeated = np.zeros(len(entries), dtype=bool)
    is_repeated[1:] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    return entries[~is_repeated], entries["number"][is_repeated]


def with_marks(records: Iterator[list[str]], marks: Path) -> Iterator[tuple[list[str], bool]]:
    """Yield the records of a shard, each with whether it is repeated.

    Raises:
        CorpusError: the marks are damaged, or belong to another shard.
    """
    with open(marks, "rb") as file:
        for fields, byte in zip_longest(records, iter(lambda: file.read(1), b"")):
            if fields is None or byte is None:
                n_marks = marks.stat().st_size
                raise CorpusError(f"{marks}: {n_marks} marks, expected one per record; remove the file and rerun")
            if byte not in MARKS:
                raise CorpusError(f"{marks}: no marks of duplicates (byte {byte!r}); remove the file and rerun")
            yield fields, byte == MARKS[1]
