"""Token stores: a corpus as token ids, one memory-mapped file per shard and split; reading, writing, encoding.

A file holds raw little-endian arrays, then a JSON description of them, its length, and a magic word:

    tokens of column 0 | ... | offsets of column 0 | ... | labels | description | length (8 bytes) | MAGIC

so that it is written as a stream and read without parsing.
"""

import hashlib
import json
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

import numpy as np

from xlm_core import tsv
from xlm_core.errors import CorpusError, StoreError
from xlm_core.io import atomic, atomic_many, read_problem
from xlm_core.text.vocabulary import Vocabulary, batched

MAGIC = b"XLMSTOR1"
TAIL = 8 + len(MAGIC)
SMALL = 1 << 16  # vocabularies up to this size fit into two bytes per token
CHUNK_BYTES = 1 << 16  # read at a time when arrays are put together
STRUCT_FORMATS = {"<u2": "H", "<u4": "I", "<i8": "q", "<f8": "d"}  # numpy's name of a type -> ``struct``'s
LABEL_TYPES = {"classes": "<i8", "scores": "<f8"}


@dataclass(frozen=True)
class TokenStore:
    """Sentences, pairs or labelled pairs as token ids.

    tokens      per column, (n_tokens,) uint16 or uint32: ids of all sentences, back to back, without special symbols
    offsets     per column, (N + 1,) int64: sentence ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``
    languages   per column
    labels      (N,) int64 ids of classes or float64 scores; None in a store without labels
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
        """Return the ids of a sentence."""
        offsets = self.offsets[column]
        return self.tokens[column][offsets[number] : offsets[number + 1]]

    def lengths(self, column: int) -> np.ndarray:
        """Count the tokens (N,) of every sentence of a column."""
        return np.diff(self.offsets[column])

    @classmethod
    def open(cls, path: Path, vocabulary: str | None = None) -> "TokenStore":
        """Map a store into memory.

        Args:
            vocabulary: digest of the one that it must have been built with; None: any.

        Raises:
            StoreError: it is damaged, or was built with another vocabulary.
        """
        description = _read_description(path)
        if (actual := description["vocabulary"]) != vocabulary and vocabulary is not None:
            raise StoreError(f"{path} was built with vocabulary {actual}, expected {vocabulary}; remove it and rerun")
        arrays = {name: _map(path, *array) for name, array in description["arrays"].items()}
        columns = range(len(description["languages"]))
        return cls(
            tuple(arrays[f"tokens{column}"] for column in columns),
            tuple(arrays[f"offsets{column}"] for column in columns),
            tuple(description["languages"]),
            arrays.get("labels"),
            actual,
            description["digest"],
        )


Records = Sequence[tuple[TokenStore, Sequence[int]]]  # stores, each with the columns that are the sides of its records


class TokenStoreWriter:
    """Writes a store sentence by sentence; the file is assembled when the ``with`` block ends without an error.

    Its path must be one from ``atomic`` or ``atomic_many``, so that the store has its name only when it is whole.
    Everything goes to temporary files as it comes, so that memory does not grow with the text.
    """

    def __init__(
        self,
        path: Path,
        languages: Sequence[str],
        vocabulary: Vocabulary,
        labels: Literal["classes", "scores"] | None = None,
    ) -> None:
        """Begin a store; ``labels`` says what each record is labelled with."""
        self._path, self._languages, self._vocabulary = path, list(languages), vocabulary
        self._files = ExitStack()
        self._tokens = [self._array("<u2" if len(vocabulary) <= SMALL else "<u4") for _ in languages]
        self._offsets = [self._array("<i8") for _ in languages]
        self._labels = self._array(LABEL_TYPES[labels]) if labels else None
        for offsets in self._offsets:
            offsets.extend([0])

    def _array(self, dtype: str) -> "_SpilledArray":
        return _SpilledArray(self._files.enter_context(tempfile.TemporaryFile(dir=self._path.parent)), dtype)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._files:
            if kind is None:
                self._assemble()

    def add(self, sentences: Sequence[Sequence[int]], label: float | None = None) -> None:
        """Append a record: the ids of its sentence in each column, and its label if records have one."""
        for tokens, offsets, ids in zip(self._tokens, self._offsets, sentences, strict=True):
            tokens.extend(ids)
            offsets.extend([tokens.count])
        if self._labels is not None:
            assert label is not None, "a labelled store wants a label for each record"
            self._labels.extend([label])

    def _assemble(self) -> None:
        """Write tokens, offsets, labels and their description into one file."""
        spilled = {f"tokens{column}": tokens for column, tokens in enumerate(self._tokens)}
        spilled |= {f"offsets{column}": offsets for column, offsets in enumerate(self._offsets)}
        if self._labels is not None:
            spilled["labels"] = self._labels
        content = hashlib.sha256()
        with open(self._path, "wb") as file:
            arrays = {name: array.copy_to(file, content) for name, array in spilled.items()}
            description = {
                "languages": self._languages,
                "vocabulary": self._vocabulary.digest,
                "arrays": arrays,
                "digest": content.hexdigest()[:16],
            }
            encoded = json.dumps(description).encode()
            file.write(encoded + len(encoded).to_bytes(8, "little") + MAGIC)


class _SpilledArray:
    """An array of ``count`` numbers in a temporary file, where it grows."""

    def __init__(self, file: IO[bytes], dtype: str) -> None:
        self.count = 0
        self._file, self._dtype = file, dtype

    def extend(self, values: Sequence[float]) -> None:
        """Append ``values``."""
        self._file.write(struct.pack(f"<{len(values)}{STRUCT_FORMATS[self._dtype]}", *values))
        self.count += len(values)

    def copy_to(self, target: IO[bytes], content: Any) -> tuple[str, int, int]:
        """Copy all of it into ``target`` and a digest; return its type, its offset in ``target``, and its length."""
        # Every array begins at a multiple of 8 bytes, where the processor reads it fast.
        target.write(b"\0" * (-target.tell() % 8))
        start = target.tell()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            content.update(chunk)
            target.write(chunk)
        return self._dtype, start, self.count


def build(
    tokens: Path,
    outputs: dict[str, Path],
    *,
    languages: Sequence[str],
    stored: Sequence[str],
    vocabulary: Path,
    valid_fraction: float,
    test_fraction: float,
    statistics: Path,
) -> None:
    """Encode one shard of a corpus and split it into train, valid and test by a hash of its lines.

    Args:
        tokens: records with one field per language.
        outputs: split -> store.
        languages: of the fields.
        stored: the languages that are stored, as the columns. A model that does not know the language of one side of
            translations reads the other side alone; which lines are held out depends on the whole record.
        vocabulary: encodes the stored fields.
        valid_fraction, test_fraction: of all lines, approximately.
        statistics: JSON: records read and kept; records with an empty sentence are dropped.
    """
    encoder = Vocabulary.read(vocabulary)
    counts = tsv.FilterStats()
    columns = [(languages.index(language), language) for language in stored]
    with ExitStack() as stack:
        partials = zip(outputs, stack.enter_context(atomic_many(list(outputs.values()))), strict=True)
        writers = {split: stack.enter_context(TokenStoreWriter(path, stored, encoder)) for split, path in partials}
        for fields, ids in _encoded(tsv.read(tokens, len(languages)), columns, encoder):
            if all(ids):
                counts.kept += 1
                writers[tsv.split_of_record(fields, languages, valid_fraction, test_fraction)].add(ids)
            else:
                counts.drop("empty")
    counts.write(statistics)


def build_labelled(
    tokens: Path,
    output: Path,
    *,
    language: str,
    vocabulary: Path,
    classes: Sequence[str] | None,
    statistics: Path,
    n_sentences: int = 2,
) -> None:
    """Encode labelled pairs of sentences, or single ones; none is dropped.

    Args:
        tokens: records of two sentences and a label.
        output: the store.
        language: of the sentences.
        vocabulary: encodes them.
        classes: the labels in the order of their ids; None if they are scores.
        statistics: JSON: records read and kept.
        n_sentences: how many of the two are stored.

    Raises:
        CorpusError: a label is not one of ``classes``, or a score is no number.
    """
    encoder = Vocabulary.read(vocabulary)
    counts = tsv.FilterStats()
    languages = (language,) * n_sentences
    labels: Literal["classes", "scores"] = "scores" if classes is None else "classes"
    with atomic(output) as partial, TokenStoreWriter(partial, languages, encoder, labels) as writer:
        for fields, ids in _encoded(tsv.read(tokens, 3), list(enumerate(languages)), encoder):
            counts.kept += 1
            writer.add(ids, _label(fields[2], classes, f"{tokens}, line {counts.kept}"))
    counts.write(statistics)


def _label(word: str, classes: Sequence[str] | None, line: str) -> float:
    """Parse the label of a line: the id of a class, or a score."""
    if classes is None:
        try:
            return float(word)
        except ValueError as error:
            raise CorpusError(f"{line}: label '{word}', expected a number") from error
    if word not in classes:
        raise CorpusError(f"{line}: label '{word}', expected one of {list(classes)}")
    return classes.index(word)


def _encoded(
    lines: Iterable[list[str]], columns: Sequence[tuple[int, str]], vocabulary: Vocabulary
) -> Iterator[tuple[list[str], tuple[list[int], ...]]]:
    """Yield each record with the ids of its sentences in ``columns``, pairs of a field and its language."""
    for batch in batched(iter(lines)):
        fields = list(zip(*batch, strict=True))
        encoded = [vocabulary.encode(fields[column], language) for column, language in columns]
        yield from zip(batch, zip(*encoded, strict=True), strict=True)


def _read_description(path: Path) -> Any:
    """Read the description of a store."""
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
        raise StoreError(f"{path} {read_problem(path, error)}; remove what is there, and rerun") from error


def _map(path: Path, dtype: str, start: int, count: int) -> np.ndarray:
    """Map an array of a store into memory; an empty one cannot be mapped."""
    if not count:
        return np.empty(0, dtype=dtype)
    # asarray: a plain view, without the cost of the indexing of np.memmap
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=start, shape=(count,)))
