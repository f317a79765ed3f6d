"""The vocabulary: pieces, how often each occurs, their ids, and the encoding of text into them.

One file holds all of it, the encoding's models included, so that a trained model and this file can encode any text.
Where each language has an encoding of its own, the ids of their pieces follow one another.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import sentencepiece

from xlm_core.errors import CorpusError
from xlm_core.io import read_json, write_json
from xlm_core.text.fastbpe import FastBpe, read_pieces

BOS, EOS, PAD, UNK, SEPARATOR, MASK = range(6)
SPECIAL = ("<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10)))
N_SPECIAL = len(SPECIAL)
WORD, GOES_ON = "\u2581", "@@"  # marks of sentencepiece and fastBPE
KINDS = ("sentencepiece", "fastbpe")
BROKEN = (ValueError, LookupError, TypeError, OverflowError, RuntimeError)  # what JSON that is no vocabulary leads to
BATCH = 1000  # sentences that are encoded at once

Item = TypeVar("Item")


@dataclass(frozen=True)
class Vocabulary:
    """All pieces of all languages.

    pieces   by id, the special symbols first
    counts   (V,) int64, how often each occurs in the sample that the encoding was learned on; 0 for special symbols
    models   serialized sentencepiece models, or the published codes
    offsets  model -> what is added to the ids of its pieces
    of       language -> number of its model
    kind     of the models: "sentencepiece" or "fastbpe"
    """

    pieces: tuple[str, ...]
    counts: np.ndarray
    models: tuple[bytes, ...]
    offsets: tuple[int, ...]
    of: Mapping[str, int]
    kind: str = "sentencepiece"

    def __len__(self) -> int:
        return len(self.pieces)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read a vocabulary.

        Raises:
            CorpusError: the file is no vocabulary.
        """
        try:
            data = read_json(path)
            vocabulary = cls(
                tuple(data["pieces"]),
                np.array(data["counts"], dtype=np.int64),
                tuple(base64.b64decode(model) for model in data["models"]),
                tuple(data["offsets"]),
                dict(data["languages"]),
                data.get("kind", "sentencepiece"),
            )
            vocabulary.check()
        except BROKEN as error:
            raise CorpusError(f"{path} is not a vocabulary ({error}); remove it and rerun") from error
        return vocabulary

    @classmethod
    def from_fastbpe(
        cls, codes: Path, vocab: Path, languages: Sequence[str], max_size: int | None = None
    ) -> "Vocabulary":
        """The published vocabulary in ``vocab`` with its ``codes``, shared by ``languages``.

        ``max_size`` cuts it, special symbols counted: the published models were trained with the first 95,000 or
        200,000 pieces of longer files.

        Raises:
            CorpusError: a file does not have its format.
        """
        pieces, counts = read_pieces(vocab)
        vocabulary = cls(
            (*SPECIAL, *pieces)[:max_size],
            np.array([*[0] * N_SPECIAL, *counts][:max_size], dtype=np.int64),
            (Path(codes).read_bytes(),),
            (0,),
            dict.fromkeys(languages, 0),
            "fastbpe",
        )
        try:
            vocabulary.check()
        except ValueError as error:
            raise CorpusError(f"{codes} does not hold byte-pair codes ({error}); give the file 'codes'") from error
        return vocabulary

    def write(self, path: Path) -> None:
        """Write the vocabulary as JSON, for ``read``."""
        data = {
            "pieces": self.pieces,
            "counts": self.counts.tolist(),
            "models": [base64.b64encode(model).decode() for model in self.models],
            "offsets": self.offsets,
            "languages": dict(self.of),
        }
        write_json(path, data if self.kind == "sentencepiece" else {**data, "kind": self.kind})

    def check(self) -> None:
        """Refuse parts that do not fit together, or encodings that cannot be read.

        Raises:
            ValueError, RuntimeError: saying what is wrong.
        """
        if not all(isinstance(piece, str) for piece in self.pieces) or self.counts.shape != (len(self.pieces),):
            raise ValueError("expected pieces, and as many counts")
        if self.kind not in KINDS or len(self.models) != len(self.offsets):
            raise ValueError(f"expected encodings by {' or '.join(KINDS)}, and an offset for each")
        if not all(isinstance(offset, int) for offset in self.offsets) or not {*self.of.values()} <= {
            *range(len(self.models))
        }:
            raise ValueError("expected an encoding for each language")
        _ = self._encoders

    @cached_property
    def digest(self) -> str:
        """A short name for the encoding: the same text has the same ids where it is the same."""
        content = json.dumps([self.pieces, self.offsets, dict(self.of)]).encode() + b"".join(self.models)
        return hashlib.sha256(content).hexdigest()[:16]

    @cached_property
    def _encoders(self) -> tuple[sentencepiece.SentencePieceProcessor | FastBpe, ...]:
        if self.kind == "fastbpe":
            ids = {piece: id_ for id_, piece in enumerate(self.pieces) if id_ >= N_SPECIAL}
            return tuple(FastBpe(model, ids, UNK) for model in self.models)
        return tuple(sentencepiece.SentencePieceProcessor(model_proto=model, num_threads=1) for model in self.models)

    def encode(self, sentences: Sequence[str], language: str) -> list[list[int]]:
        """The ids of tokenized sentences; no special symbol ever comes from text."""
        number = self.of[language]
        offset = self.offsets[number]
        encoded = self._encoders[number].encode(list(sentences))
        if not offset:
            return encoded
        return [[id_ + offset if id_ >= N_SPECIAL else id_ for id_ in ids] for ids in encoded]

    def begins_word(self, ids: np.ndarray) -> np.ndarray:
        """Which of ``ids`` (n,), those of one sentence or of several, begin a word: (n,) bool.

        In the published form a piece says whether the word goes on after it, so the first of ``ids`` begins one.
        """
        if self.kind == "sentencepiece":
            return self._marked[ids]
        return np.concatenate([[True], ~self._marked[ids[:-1]]])[: len(ids)]

    @cached_property
    def _marked(self) -> np.ndarray:
        """Which pieces (V,) have the mark of a word's begin, or of one that goes on in the published form."""
        if self.kind == "sentencepiece":
            return np.array([piece.startswith(WORD) for piece in self.pieces])
        return np.array([piece.endswith(GOES_ON) for piece in self.pieces])

    @cached_property
    def n_bytes(self) -> np.ndarray:
        """Bytes (V,) of UTF-8 of each piece in a tokenized text; a blank or the end of a line is counted to its word.

        Special symbols have none, and so have unknown characters.
        """
        if self.kind == "sentencepiece":
            pieces = [piece.replace(WORD, " ") for piece in self.pieces]
        else:
            pieces = [piece.removesuffix(GOES_ON) if piece.endswith(GOES_ON) else f"{piece} " for piece in self.pieces]
        return np.array([0] * N_SPECIAL + [len(piece.encode()) for piece in pieces[N_SPECIAL:]])

    def decode(self, ids: Sequence[int], language: str) -> str:
        """The tokenized text of ids; special symbols stand for no text, and unknown characters are lost."""
        number = self.of[language]
        offset = self.offsets[number]
        return self._encoders[number].decode([int(id_) - offset for id_ in ids if id_ >= N_SPECIAL])


def build(languages: Sequence[str], models: Sequence[Path], samples: Sequence[Path], output: Path) -> None:
    """Put the models of all languages into one vocabulary and count its pieces.

    Args:
        languages: their codes.
        models: of each language, the same file for all where they share one.
        samples: the text that each model was learned on, one sentence per line.
        output: the vocabulary, as JSON.
    """
    distinct = list(dict.fromkeys(zip(models, samples, strict=True)))
    pieces, counts, offsets = list(SPECIAL), [np.zeros(N_SPECIAL, dtype=np.int64)], []
    for model, sample in distinct:
        encoder = sentencepiece.SentencePieceProcessor(model_file=str(model))
        offsets.append(len(pieces) - N_SPECIAL)
        pieces += [encoder.id_to_piece(id_) for id_ in range(N_SPECIAL, len(encoder))]
        counts.append(_count(encoder, sample)[N_SPECIAL:])
    Vocabulary(
        tuple(pieces),
        np.concatenate(counts),
        tuple(Path(model).read_bytes() for model, _ in distinct),
        tuple(offsets),
        {
            language: distinct.index(part)
            for language, part in zip(languages, zip(models, samples, strict=True), strict=True)
        },
    ).write(output)


def _count(encoder: sentencepiece.SentencePieceProcessor, sample: Path) -> np.ndarray:
    """How often each piece (V,) occurs in a text."""
    counts = np.zeros(len(encoder), dtype=np.int64)
    with open(sample, encoding="utf-8", newline="\n") as file:
        for lines in batches(line.rstrip("\n") for line in file):
            ids = list(itertools.chain.from_iterable(encoder.encode(lines, num_threads=1)))
            counts += np.bincount(np.array(ids, dtype=np.int64), minlength=len(counts))
    return counts


def batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Lists of ``BATCH`` items, the last one shorter: text is encoded faster by the list than by the line."""
    while batch := list(itertools.islice(items, BATCH)):
        yield batch
