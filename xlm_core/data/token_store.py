"""Token stores: a corpus as token ids, memory-mapped, one file per shard and split.

A file is a row of raw little-endian arrays, then a JSON description of them, its length, and a magic word:

    tokens of column 0 | ... | offsets of column 0 | ... | labels | description | length (8 bytes) | MAGIC

so that it can be written as a stream and be read without being parsed.
"""

import hashlib
import json
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from xlm_core import tsv
from xlm_core.errors import CorpusError, StoreError
from xlm_core.io import atomic, atomic_many
from xlm_core.text.hold_out import split_of_record
from xlm_core.text.vocabulary import Vocabulary, batched

MAGIC = b"XLMSTOR1"
TAIL = 8 + len(MAGIC)
SMALL = 1 << 16  # vocabularies up to this size fit into two bytes per token
CHUNK_BYTES = 1 << 16  # read at a time when arrays are put together
HELD = 1 << 12  # values of a growing array that are held in memory
TYPECODES = {"<u2": "H", "<u4": "I", "<i8": "q", "<f8": "d"}  # numpy's name of a type -> that of the module array


@dataclass(frozen=True)
class TokenStore:
    """Sentences, pairs or labelled pairs as token ids.

    tokens      per column, (n_tokens,) uint16 or uint32: ids of all sentences, back to back, without special symbols
    offsets     per column, (N + 1,) int64: sentence ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``
    languages   per column
    labels      (N,) int64 ids of classes or float64 scores, or None where nothing is labelled
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
        header = _description(Path(path))
        if header["vocabulary"] != vocabulary:
            raise StoreError(
                f"{path} was built with vocabulary {header['vocabulary']}, expected {vocabulary}; remove it and rerun"
            )
        arrays = {name: _mapped(path, *where) for name, where in header["arrays"].items()}
        columns = range(len(header["languages"]))
        return cls(
            tuple(arrays[f"tokens{column}"] for column in columns),
            tuple(arrays[f"offsets{column}"] for column in columns),
            tuple(header["languages"]),
            arrays.get("labels"),
            header["vocabulary"],
            header["digest"],
        )


class TokenStoreWriter:
    """Writes a store sentence by sentence; the file is made when the ``with`` block ends well.

    Its path is to be one from ``atomic`` or ``atomic_many``, so that it has its name only when it is whole. Everything
    goes to temporary files as it comes, so that memory does not grow with the text.
    """

    def __init__(
        self,
        path: Path,
        languages: Sequence[str],
        vocabulary: Vocabulary,
        *,
        labelled: bool = False,
        scored: bool = False,
    ) -> None:
        """Begin a store; where it is ``labelled`` with classes or ``scored``, each record wants its label."""
        self._path = path
        self._languages = list(languages)
        self._vocabulary = vocabulary
        self._dtype = np.dtype("<u2" if len(vocabulary) <= SMALL else "<u4")
        self._label_dtype = "<f8" if scored else "<i8" if labelled else None

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._tokens = [self._growing(self._dtype.str) for _ in self._languages]
        self._offsets = [self._growing("<i8") for _ in self._languages]
        self._labels = self._growing(self._label_dtype) if self._label_dtype else None
        for offsets in self._offsets:
            offsets.extend([0])
        return self

    def _growing(self, dtype: str) -> "_SpillArray":
        file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 (closed with the stack)
        return _SpillArray(self._stack.enter_context(file), dtype)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with self._stack:
                self._assemble()
        else:
            self._stack.__exit__(kind, error, trace)

    def add(self, sentences: Sequence[Sequence[int]], label: float | None = None) -> None:
        """Append one record: the ids of its sentence in each column, and its label where records have one."""
        for tokens, offsets, ids in zip(self._tokens, self._offsets, sentences, strict=True):
            tokens.extend(ids)
            offsets.extend([tokens.count])
        if self._labels is not None:
            assert label is not None, "a labelled store wants a label for each record"
            self._labels.extend([label])

    def _assemble(self) -> None:
        """Put tokens, offsets, labels and their description into one file."""
        grown = {f"tokens{number}": tokens for number, tokens in enumerate(self._tokens)}
        grown |= {f"offsets{number}": offsets for number, offsets in enumerate(self._offsets)}
        if self._labels is not None:
            grown["labels"] = self._labels
        content = hashlib.sha256()
        with open(self._path, "wb") as file:
            arrays = {name: array.move(file, content) for name, array in grown.items()}
            header = {
                "languages": self._languages,
                "vocabulary": self._vocabulary.digest,
                "arrays": arrays,
                "digest": content.hexdigest()[:16],
            }
            description = json.dumps(header).encode()
            file.write(description + len(description).to_bytes(8, "little") + MAGIC)


class _SpillArray:
    """An array of numbers that grows in a temporary file; only its last values are held in memory."""

    def __init__(self, file: IO[bytes], dtype: str) -> None:
        self.count = 0
        self._file, self._dtype = file, dtype
        self._last: array[Any] = array(TYPECODES[dtype])

    def extend(self, values: Sequence[float]) -> None:
        """Append ``values``."""
        self._last.extend(values)
        self.count += len(values)
        if len(self._last) >= HELD:
            self._write()

    def move(self, target: IO[bytes], content: Any) -> tuple[str, int, int]:
        """Copy all of it into ``target`` and into a digest; returns its type, where it lies there, and its length."""
        self._write()
        # Every array lies at a multiple of 8 bytes, where the processor reads it fast.
        target.write(b"\0" * (-target.tell() % 8))
        start = target.tell()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            content.update(chunk)
            target.write(chunk)
        return self._dtype, start, self.count

    def _write(self) -> None:
        self._file.write(np.array(self._last, dtype=self._dtype).tobytes())
        del self._last[:]


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
        stored: the languages among them that are stored, as the columns. A model that does not know the language of one
            side of translations reads the other one alone; which lines are held out goes by the whole record.
        vocabulary: encodes what is stored.
        valid_fraction, test_fraction: of all lines, approximately.
        statistics: JSON: records read and kept; those without any known piece are dropped.
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
                writers[split_of_record(fields, languages, valid_fraction, test_fraction)].add(ids)
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
        classes: the labels in the order of their ids; None where they are scores.
        statistics: JSON: records read and kept.
        n_sentences: how many of the two are stored.

    Raises:
        CorpusError: a label is not one of ``classes``, or no number where it is a score.
    """
    encoder = Vocabulary.read(vocabulary)
    counts = tsv.FilterStats()
    languages = (language,) * n_sentences
    is_scored = classes is None
    with (
        atomic(output) as partial,
        TokenStoreWriter(partial, languages, encoder, labelled=True, scored=is_scored) as writer,
    ):
        for fields, ids in _encoded(tsv.read(tokens, 3), list(enumerate(languages)), encoder):
            counts.kept += 1
            writer.add(ids, _label(fields[2], classes, f"{tokens}, line {counts.kept}"))
    counts.write(statistics)


def _label(word: str, classes: Sequence[str] | None, location: str) -> float:
    """The id of a class, or a score."""
    if classes is None:
        try:
            return float(word)
        except ValueError as error:
            raise CorpusError(f"{location}: label '{word}', expected a number") from error
    if word not in classes:
        raise CorpusError(f"{location}: label '{word}', expected one of {list(classes)}")
    return classes.index(word)


def _encoded(
    lines: Iterable[list[str]], columns: Sequence[tuple[int, str]], vocabulary: Vocabulary
) -> Iterator[tuple[list[str], tuple[list[int], ...]]]:
    """Each record with the ids of its sentences in some columns, which are given with their languages."""
    for batch in batched(iter(lines)):
        fields = list(zip(*batch, strict=True))
        encoded = [vocabulary.encode(fields[column], language) for column, language in columns]
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
            description: dict[str, Any] = json.loads(file.read(length))
            return description
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); remove it and rerun") from error


def _mapped(path: Path, dtype: str, start: int, count: int) -> np.ndarray:
    """An array of a store; an empty one cannot be mapped."""
    if not count:
        return np.empty(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=(count,))
