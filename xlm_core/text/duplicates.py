"""Duplicates: which records of a corpus are letter by letter, in both sides of a pair, the same as an earlier one.

Three passes whose memory does not grow with the text. The first writes the hash and the number of each record to one of
many buckets on disk, chosen by the hash, so that equal records meet in one. The second sorts bucket after bucket, and
writes the number of each record that equals an earlier one to the file of its span of the corpus. The third makes the
marks of one span after another. Hashes have 128 bits: among a thousand million different records there are two with the
same hash with a probability of 2e-21.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import IO

import numpy as np

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import together

HASHED = np.dtype([("high", "<u8"), ("low", "<u8"), ("number", "<i8")])  # what a bucket holds of a record
N_BUCKETS = 256  # the first byte of the hash chooses one
SPAN = 1 << 21  # records whose marks are in memory at once
AT_ONCE = 1 << 14  # records whose hashes are in memory at once; of repeats of one record, two or three times as many
MARKS = (b"\0", b"\1")  # of a record: not repeated, and repeated


def mark(shards: Sequence[Path], marks: Sequence[Path]) -> None:
    """Mark the records of a corpus that are repeated.

    First is what came first before the records were dealt out, so the marks do not depend on the number of shards.
    While it works, 25 bytes of each record lie on the disk of the marks, and 8 more of each that is repeated, without a
    name: they vanish with the process.

    Args:
        shards: all of the corpus, in the order in which ``records.write`` dealt it out.
        marks: of each shard, one byte per record: 1 where it is repeated, else 0.

    Raises:
        StorageError: the disk of ``marks`` has no room.
    """
    with together(marks) as partials, ExitStack() as stack:

        def nameless() -> IO[bytes]:
            return stack.enter_context(tempfile.TemporaryFile(dir=Path(marks[0]).parent))

        buckets = [nameless() for _ in range(N_BUCKETS)]
        n_records = _hash(shards, buckets)
        starts = range(0, n_records + 1, SPAN)
        spans = [nameless() for _ in starts]
        for bucket in buckets:
            for numbers in _repeated(bucket):
                _divide(numbers, spans)
        whole = nameless()
        for span, start in zip(spans, starts, strict=True):
            whole.write(_flags(span, start, min(SPAN, n_records - start)))
        for own, partial in zip(tsv.dealt(n_records, len(shards)), partials, strict=True):
            _write(partial, whole, own)


def _hash(shards: Sequence[Path], buckets: Sequence[IO[bytes]]) -> int:
    """Fill the buckets; returns how many records there are."""
    n_records = 0
    for line in tsv.gathered(shards):
        digest = blake2b(line, digest_size=16).digest()
        buckets[digest[0]].write(digest + n_records.to_bytes(8, "little"))
        n_records += 1
    return n_records


def _repeated(bucket: IO[bytes]) -> Iterator[np.ndarray]:
    """The numbers (k,) of the records of a bucket that are not the first with their hash, some at a time.

    A large bucket is read once for each part of its hashes: the system still has what was just written or read. A
    record that is there very often is no burden, for only its first is kept.
    """
    n_parts = 1 + bucket.tell() // (HASHED.itemsize * AT_ONCE)
    for part in range(n_parts):
        bucket.seek(0)
        waiting = [np.empty(0, dtype=HASHED)]
        while some := bucket.read(HASHED.itemsize * AT_ONCE):
            hashed = np.frombuffer(some, dtype=HASHED)
            waiting.append(hashed[hashed["low"] % n_parts == part])
            if sum(map(len, waiting)) > 2 * AT_ONCE:
                firsts, again = _firsts(np.concatenate(waiting))
                yield again
                waiting = [firsts]
        yield _firsts(np.concatenate(waiting))[1]


def _firsts(hashed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first records with their hash (f,), and the numbers (k,) of the others."""
    hashed = hashed[np.lexsort((hashed["low"], hashed["high"]))]  # stable: of equal ones the first stays the first
    high, low = hashed["high"], hashed["low"]
    is_again = np.zeros(len(hashed), dtype=bool)
    is_again[1:] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    return hashed[~is_again], hashed["number"][is_again]


def _divide(numbers: np.ndarray, spans: Sequence[IO[bytes]]) -> None:
    """Append each of the numbers (k,) to the file of its span."""
    numbers = np.sort(numbers)
    ends = np.searchsorted(numbers, SPAN * np.arange(1, len(spans)))
    for part, span in zip(np.split(numbers, ends), spans, strict=True):
        span.write(part)


def _flags(span: IO[bytes], start: int, n_records: int) -> np.ndarray:
    """Of so many records from ``start`` on whether each is repeated, by the numbers that the file holds."""
    is_repeated = np.zeros(n_records, dtype=bool)
    span.seek(0)
    while some := span.read(8 * AT_ONCE):
        is_repeated[np.frombuffer(some, dtype="<i8") - start] = True
    return is_repeated


def _write(path: Path, whole: IO[bytes], starts: range) -> None:
    """Write the marks of one shard, of whose blocks the first records are given, out of those of the corpus."""
    with open(path, "wb") as file:
        for start in starts:
            whole.seek(start)
            file.write(whole.read(tsv.BLOCK))


def marked(found: Iterator[list[str]], marks: Path | None) -> Iterator[tuple[list[str], bool]]:
    """The records of a shard, each with whether it is repeated; without ``marks`` none is.

    Raises:
        CorpusError: the marks are damaged, or of another shard.
    """
    if marks is None:
        yield from ((fields, False) for fields in found)
        return
    with open(marks, "rb") as file:
        for fields, byte in zip_longest(found, iter(lambda: file.read(1), b"")):
            if fields is None or byte is None:
                n_marks = marks.stat().st_size
                raise CorpusError(f"{marks}: {n_marks} marks, expected one per record; remove the file and rerun")
            if byte not in MARKS:
                raise CorpusError(f"{marks}: no marks of duplicates (byte {byte!r}); remove the file and rerun")
            yield fields, byte == MARKS[1]
