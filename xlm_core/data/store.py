"""Token stores: a corpus as token ids, memory-mapped, one file per shard and split.

A file is a row of raw little-endian arrays, then a JSON description of them, its length, and a magic word:

    tokens of column 0 | ... | offsets of column 0 | ... | labels | description | length (8 bytes) | MAGIC

so that it can be written as a stream and be read without being parsed.
"""

import hashlib
import json
import shutil
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from xlm_core import records
from xlm_core.errors import CorpusError, StoreError
from xlm_core.files import atomic, together
from xlm_core.text.split import split_of_record
from xlm_core.text.vocabulary import Vocabulary, batches

MAGIC = b"XLMSTOR1"
TAIL = 8 + len(MAGIC)
SMALL = 1 << 16  # vocabularies up to this size fit into two bytes per token


@dataclass(frozen=True)
class TokenStore:
    """Sentences, pairs or labelled pairs as token ids.

    tokens      per column, (n_tokens,) uint16 or uint32: ids of all sentences, back to back, without special symbols
    offsets     per column, (N + 1,) int64: sentence ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``
    languages   per column
    labels      (N,) int64, or None where nothing is labelled
    vocabulary  digest of the vocabulary that the ids belong to
    digest      of the content
    """

    tokens: tuple[np.ndarray, ...]
    offsets: tuple[np.ndarray, ...]
    languages: tuple[str, ...]
    labels: np.ndarray | None
    vocabulary: str
    digest: str

    def __len__(self) -> int:
        return len(self.offsets[0]) - 1

    def sentence(self, column: int, number: int) -> np.ndarray:
        """The ids of one sentence."""
        offsets = self.offsets[column]
        return self.tokens[column][offsets[number] : offsets[number + 1]]

    def lengths(self, column: int) -> np.ndarray:
        """Tokens (N,) of every sentence of a column."""
        return np.diff(self.offsets[column])

    @classmethod
    def open(cls, path: Path, vocabulary: str) -> "TokenStore":
        """Map a store into memory.

        Raises:
            StoreError: it is damaged, or was built with another vocabulary than that of digest ``vocabulary``.
        """
        about = _description(Path(path))
        if about["vocabulary"] != vocabulary:
            raise StoreError(
                f"{path} was built with vocabulary {about['vocabulary']}, expected {vocabulary}; remove it and rerun"
            )
        arrays = {name: _mapped(path, *where) for name, where in about["arrays"].items()}
        columns = range(len(about["languages"]))
        return cls(
            tuple(arrays[f"tokens{column}"] for column in columns),
            tuple(arrays[f"offsets{column}"] for column in columns),
            tuple(about["languages"]),
            arrays.get("labels"),
            about["vocabulary"],
            about["digest"],
        )


class StoreWriter:
    """Writes a store sentence by sentence; the file is made when the ``with`` block ends well.

    Its path is to be one from ``atomic`` or ``together``, so that it has its name only when it is whole. Token ids go
    to temporary files as they come. Only offsets and labels, 8 bytes each, are held in memory.
    """

    def __init__(self, path: Path, languages: Sequence[str], vocabulary: Vocabulary, *, labelled: bool = False) -> None:
        self._path = path
        self._languages = list(languages)
        self._vocabulary = vocabulary
        self._dtype = np.dtype("<u2" if len(vocabulary) <= SMALL else "<u4")
        self._offsets = [array("q", [0]) for _ in languages]
        self._labels = array("q") if labelled else None

    def __enter__(self) -> Self:
        self._stack, folder = ExitStack(), self._path.parent
        self._spools = [
            self._stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 (closed with the stack)
            for _ in self._languages
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self._stack:
                self._assemble()
        else:
            self._stack.__exit__(kind, error, trace)

    def add(self, sentences: Sequence[Sequence[int]], label: int | None = None) -> None:
        """Append one record: the ids of its sentence in each column, and its label where records have one."""
        for spool, offsets, ids in zip(self._spools, self._offsets, sentences, strict=True):
            spool.write(np.asarray(ids, dtype=self._dtype).tobytes())
            offsets.append(offsets[-1] + len(ids))
        if self._labels is not None:
            assert label is not None, "a labelled store wants a label for each record"
            self._labels.append(label)

    def _assemble(self) -> None:
        """Put spooled tokens, offsets, labels and their description into one file."""
        arrays: dict[str, tuple[str, int, int]] = {}
        content = hashlib.sha256()
        with open(self._path, "wb") as file:
            for number, (spool, offsets) in enumerate(zip(self._spools, self._offsets, strict=True)):
                spool.seek(0)
                arrays[f"tokens{number}"] = (self._dtype.str, _align(file), offsets[-1])
                _copy(spool, file, content)
            for number, offsets in enumerate(self._offsets):
                arrays[f"offsets{number}"] = _append(file, offsets, content)
            if self._labels is not None:
                arrays["labels"] = _append(file, self._labels, content)
            about = {
                "languages": self._languages,
                "vocabulary": self._vocabulary.digest,
                "arrays": arrays,
                "digest": content.hexdigest()[:16],
            }
            description = json.dumps(about).encode()
            file.write(description + len(description).to_bytes(8, "little") + MAGIC)


def build(
    tokens: Path,
    outputs: dict[str, Path],
    *,
    languages: Sequence[str],
    vocabulary: Path,
    valid_share: float,
    test_share: float,
    statistics: Path,
) -> None:
    """Encode one shard of a corpus and split it into train, valid and test by a hash of its lines.

    Args:
        tokens: records with one field per language.
        outputs: split -> store.
        languages: of the fields.
        vocabulary: encodes them.
        valid_share, test_share: of all lines, approximately.
        statistics: JSON: records read and kept; those without any known piece are dropped.
    """
    encoder = Vocabulary.read(vocabulary)
    counts = records.Counts()
    with ExitStack() as stack:
        partials = zip(outputs, stack.enter_context(together(list(outputs.values()))), strict=True)
        writers = {split: stack.enter_context(StoreWriter(path, languages, encoder)) for split, path in partials}
        for fields, ids in _encoded(records.read(tokens, len(languages)), languages, encoder):
            counts.read += 1
            if all(ids):
                writers[split_of_record(fields, languages, valid_share, test_share)].add(ids)
            else:
                counts.drop("empty")
    counts.write(statistics)


def build_labelled(
    tokens: Path, output: Path, *, language: str, vocabulary: Path, classes: Sequence[str], statistics: Path
) -> None:
    """Encode labelled pairs of sentences; none is dropped.

    Args:
        tokens: records of two sentences and a label.
        output: the store.
        language: of both sentences.
        vocabulary: encodes them.
        classes: the labels in the order of their ids.
        statistics: JSON: records read and kept.

    Raises:
        CorpusError: a label is not one of ``classes``.
    """
    encoder = Vocabulary.read(vocabulary)
    counts = records.Counts()
    languages = (language, language)
    with atomic(output) as partial, StoreWriter(partial, languages, encoder, labelled=True) as writer:
        for fields, ids in _encoded(records.read(tokens, 3), languages, encoder):
            counts.read += 1
            if fields[2] not in classes:
                raise CorpusError(f"{tokens}, line {counts.read}: label '{fields[2]}', expected one of {list(classes)}")
            writer.add(ids, classes.index(fields[2]))
    counts.write(statistics)


def _encoded(
    lines: Iterable[list[str]], languages: Sequence[str], vocabulary: Vocabulary
) -> Iterator[tuple[list[str], tuple[list[int], ...]]]:
    """Each record with the ids of its sentences."""
    for batch in batches(iter(lines)):
        columns = zip(*batch, strict=True)
        encoded = [vocabulary.encode(column, language) for column, language in zip(columns, languages, strict=False)]
        yield from zip(batch, zip(*encoded, strict=True), strict=True)


def _description(path: Path) -> dict[str, Any]:
    """What a store says about itself."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            file.seek(max(0, size - TAIL))
            tail = file.read(TAIL)
            length = int.from_bytes(tail[:8], "little")
            if tail[8:] != MAGIC or length > size - TAIL:
                raise StoreError(f"{path} is no token store, or is cut off; remove it and rerun")
            file.seek(size - TAIL - length)
            return json.loads(file.read(length))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); remove it and rerun") from error


def _mapped(path: Path, dtype: str, start: int, count: int) -> np.ndarray:
    """An array of a store; an empty one cannot be mapped."""
    if not count:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=(count,))


def _align(file: IO[bytes]) -> int:
    """Fill up to a multiple of 8 bytes, so that every array lies where the processor reads it fast."""
    file.write(b"\0" * (-file.tell() % 8))
    return file.tell()


def _append(file: IO[bytes], values: "array[int]", content: Any) -> tuple[str, int, int]:
    start = _align(file)
    data = np.frombuffer(values, dtype=np.int64).astype("<i8").tobytes() if len(values) else b""
    content.update(data)
    file.write(data)
    return ("<i8", start, len(values))


def _copy(source: IO[bytes], target: IO[bytes], content: Any) -> None:
    """Copy a file into another and into a digest."""
    while chunk := source.read(shutil.COPY_BUFSIZE):
        content.update(chunk)
        target.write(chunk)
