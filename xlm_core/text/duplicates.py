"""Duplicates: which records of a corpus are letter by letter, in both sides of a pair, the same as an earlier one.

Two passes whose memory hardly grows with the text. The first writes the hash and the number of each record to one of
many buckets on disk, chosen by the hash, so that equal records meet in one. The second sorts bucket after bucket, and
marks all of what is equal but the first. Hashes have 128 bits: among a thousand million different records there are
two with the same hash with a probability of 2e-21.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import IO

import numpy as np

from xlm_core import records
from xlm_core.errors import CorpusError
from xlm_core.files import together

HASHED = np.dtype([("high", "<u8"), ("low", "<u8"), ("number", "<i8")])  # what a bucket holds of a record
N_BUCKETS = 256  # the first byte of the hash chooses one


def mark(shards: Sequence[Path], marks: Sequence[Path]) -> None:
    """Mark the records of a corpus that are repeated.

    First is what came first before the records were dealt out, so the marks do not depend on the number of shards.
    While it works, 24 bytes of each record lie on the disk of the marks, without a name: they vanish with the process.

    Args:
        shards: all of the corpus, in the order in which ``records.write`` dealt it out.
        marks: of each shard (records of it,) bool, as npy.

    Raises:
        StorageError: the disk of ``marks`` has no room.
    """
    with together(marks) as partials, ExitStack() as stack:
        folder = Path(marks[0]).parent
        buckets = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(N_BUCKETS)]
        n_records = _hash(shards, buckets)
        is_repeated = np.zeros(n_records, dtype=bool)
        for bucket in buckets:
            is_repeated[_repeated(bucket)] = True
        for own, partial in zip(records.dealt(n_records, len(shards)), partials, strict=True):
            with open(partial, "wb") as file:
                np.save(file, np.concatenate([is_repeated[:0], *(is_repeated[block] for block in own)]))


def _hash(shards: Sequence[Path], buckets: Sequence[IO[bytes]]) -> int:
    """Fill the buckets; returns how many records there are."""
    n_records = 0
    for line in records.gathered(shards):
        digest = blake2b(line, digest_size=16).digest()
        buckets[digest[0]].write(digest + n_records.to_bytes(8, "little"))
        n_records += 1
    return n_records


def _repeated(bucket: IO[bytes]) -> np.ndarray:
    """The numbers (k,) of the records of a bucket that are not the first with their hash."""
    bucket.flush()
    bucket.seek(0)
    found = np.fromfile(bucket, dtype=HASHED)
    found = found[np.lexsort((found["low"], found["high"]))]  # stable: of equal ones the first stays the first
    high, low = found["high"], found["low"]
    return found["number"][1:][(high[1:] == high[:-1]) & (low[1:] == low[:-1])]


def marked(found: Iterator[list[str]], marks: Path | None) -> Iterator[tuple[list[str], bool]]:
    """The records of a shard, each with whether it is repeated; without ``marks`` none is.

    Raises:
        CorpusError: the marks are damaged, or of another shard.
    """
    if marks is None:
        yield from ((fields, False) for fields in found)
        return
    try:
        is_repeated = np.load(marks)
    except (ValueError, EOFError) as error:
        raise CorpusError(f"{marks}: no marks of duplicates ({error}); remove the file and rerun") from error
    for fields, mark in zip_longest(found, is_repeated):
        if fields is None or mark is None:
            raise CorpusError(f"{marks}: {len(is_repeated)} marks, expected one per record; remove the file and rerun")
        yield fields, bool(mark)
