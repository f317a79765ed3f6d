"""Vocabulary: pieces, their counts and ids, and the encoding of text into them.

One file holds everything, including the serialized models of the encoding, so that a trained model and this file can
encode any text. If each language has its own encoding, the ids of their pieces follow one another.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sentencepiece

from xlm_core.config import Text, to_dict
from xlm_core.errors import ConfigError, CorpusError
from xlm_core.io import read_json, read_problem, write_json
from xlm_core.text.fastbpe import CONTINUES, FastBpe, read_pieces
from xlm_core.text.huggingface_tokenizer import HuggingfaceTokenizer, read_tokenizer_json
from xlm_core.text.special_symbols import N_SPECIAL, SPECIAL, UNK, XLM_SYMBOLS, SpecialSymbols

WORD_START = "\u2581"  # sentencepiece's mark of a piece that begins a word
KINDS = ("sentencepiece", "fastbpe", "huggingface")
INVALID = (ValueError, LookupError, TypeError, OverflowError, RuntimeError)  # raised by JSON that is not a vocabulary
PREPARATION = {"tokenization", "lowercase", "strip_accents", "romanian", "moses"}  # settings that change letters
BATCH = 1000  # sentences that are encoded at once

Item = TypeVar("Item")
Ids = npt.NDArray[np.integer[Any]]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """All pieces of all languages.

    pieces    by id, the special symbols first
    counts    (V,) how often each occurs in the sample that the encoding was learned on; 0 for special symbols
    models    serialized sentencepiece models, the published codes, or a tokenizer.json
    offsets   model -> number that is added to the ids of its pieces
    model_of  language -> index of its model
    kind      of the models: "sentencepiece", "fastbpe", or "huggingface", which reads raw text
    symbols   the special symbols
    text      how text is prepared before it is encoded; None where the file does not say it

    Raises:
        ValueError, RuntimeError: parts do not fit together, or an encoding cannot be read.
    """

    pieces: tuple[str, ...]
    counts: Counts
    models: tuple[bytes, ...]
    offsets: tuple[int, ...]
    model_of: Mapping[str, int]
    kind: str = "sentencepiece"
    symbols: SpecialSymbols = XLM_SYMBOLS
    text: Text | None = None

    def __post_init__(self) -> None:
        if not all(isinstance(piece, str) for piece in self.pieces) or self.counts.shape != (len(self.pieces),):
            raise ValueError("expected pieces, and as many counts")
        if self.kind not in KINDS or len(self.models) != len(self.offsets):
            raise ValueError(f"expected encodings by {' or '.join(KINDS)}, and an offset for each")
        indices = set(range(len(self.models)))
        if not all(isinstance(offset, int) for offset in self.offsets) or not set(self.model_of.values()) <= indices:
            raise ValueError("expected an encoding for each language")
        _ = self._encoders

    def __len__(self) -> int:
        return len(self.pieces)

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read a vocabulary.

        Raises:
            CorpusError: the file is not a vocabulary.
        """
        try:
            data = read_json(path)
            return cls(
                tuple(data["pieces"]),
                np.array(data["counts"], dtype=np.int64),
                tuple(base64.b64decode(model) for model in data["models"]),
                tuple(data["offsets"]),
                dict(data["languages"]),
                data.get("kind", "sentencepiece"),
                SpecialSymbols.model_validate(data.get("symbols", {})),
                Text.model_validate(data["text"]) if "text" in data else None,
            )
        except OSError as error:
            raise CorpusError(f"{path} {read_problem(path, error)}; expected a vocabulary.json") from error
        except INVALID as error:
            raise CorpusError(
                f"{path} is not a vocabulary ({error}); give another file, or remove it and rerun"
            ) from error

    @classmethod
    def from_fastbpe(
        cls, codes: Path, vocab: Path, languages: Sequence[str], max_size: int | None = None
    ) -> "Vocabulary":
        """Return the published vocabulary in ``vocab`` with its ``codes``, shared by ``languages``.

        ``max_size`` truncates it, special symbols counted: the published models were trained with the first 95,000 or
        200,000 pieces of longer files.

        Raises:
            CorpusError: a file does not have its format.
        """
        pieces, counts = read_pieces(vocab)
        all_counts = [*[0] * N_SPECIAL, *counts][:max_size]
        return cls.from_codes((*SPECIAL, *pieces)[:max_size], all_counts, codes, languages)

    @classmethod
    def from_codes(
        cls, pieces: Sequence[str], counts: Sequence[int], codes: Path, languages: Sequence[str]
    ) -> "Vocabulary":
        """Return a vocabulary with fastBPE's codes in the file ``codes``.

        Raises:
            CorpusError: the file does not hold codes.
        """
        models, model_of = (Path(codes).read_bytes(),), dict.fromkeys(languages, 0)
        try:
            return cls(tuple(pieces), np.array(counts, dtype=np.int64), models, (0,), model_of, "fastbpe")
        except ValueError as error:
            raise CorpusError(f"{codes} does not hold byte-pair codes ({error}); download it again") from error

    @classmethod
    def from_tokenizer(cls, folder: Path, languages: Sequence[str]) -> "Vocabulary":
        """Return the vocabulary of a folder's ``tokenizer.json``; the counts of its pieces are not known, and zero.

        Raises:
            CorpusError: there is none, or it is none.
        """
        content, settings = read_tokenizer_json(folder)
        try:
            tokenizer = HuggingfaceTokenizer(content)
            pieces, counts = tokenizer.pieces, np.zeros(len(tokenizer.pieces), dtype=np.int64)
            model_of, symbols = dict.fromkeys(languages, 0), tokenizer.symbols(settings)
            return cls(pieces, counts, (content,), (0,), model_of, "huggingface", symbols, Text(tokenization="none"))
        except INVALID as error:
            raise CorpusError(f"{folder} does not hold a tokenizer ({error}); take a whole copy of it") from error

    def write(self, path: Path) -> None:
        """Write the vocabulary as JSON, for ``read``."""
        data = {
            "pieces": self.pieces,
            "counts": self.counts.tolist(),
            "models": [base64.b64encode(model).decode() for model in self.models],
            "offsets": self.offsets,
            "languages": dict(self.model_of),
        }
        if self.kind != "sentencepiece":
            data["kind"] = self.kind
        if self.symbols != XLM_SYMBOLS:
            data["symbols"] = to_dict(self.symbols)
        if self.text is not None:
            data["text"] = self.text.model_dump(include=PREPARATION)
        write_json(path, data)

    def check_symbols(self, purpose: str) -> None:
        """Refuse special symbols other than XLM's.

        Args:
            purpose: what needs XLM's symbols; the message names it.

        Raises:
            ConfigError: they are others.
        """
        if self.symbols != XLM_SYMBOLS:
            raise ConfigError(
                f"{purpose}: the vocabulary is the tokenizer of another model; take a setup of XLM's kind"
            )

    @cached_property
    def digest(self) -> str:
        """Identify the encoding: two vocabularies of the same digest encode the same text with the same ids."""
        parts: list[Any] = [self.pieces, self.offsets, dict(self.model_of)]
        if self.symbols != XLM_SYMBOLS:
            parts.append(to_dict(self.symbols))
        content = json.dumps(parts).encode() + b"".join(self.models)
        return hashlib.sha256(content).hexdigest()[:16]

    @cached_property
    def _encoders(self) -> tuple[sentencepiece.SentencePieceProcessor | FastBpe | HuggingfaceTokenizer, ...]:
        if self.kind == "huggingface":
            return tuple(map(HuggingfaceTokenizer, self.models))
        if self.kind == "fastbpe":
            ids = {piece: id_ for id_, piece in enumerate(self.pieces) if id_ >= N_SPECIAL}
            return tuple(FastBpe(model, ids, UNK) for model in self.models)
        return tuple(sentencepiece.SentencePieceProcessor(model_proto=model, num_threads=1) for model in self.models)

    def encode(self, sentences: Sequence[str], language: str) -> list[list[int]]:
        """Return the ids of tokenized sentences; text never gets the id of a special symbol."""
        index = self.model_of[language]
        offset = self.offsets[index]
        encoder = self._encoders[index]
        if isinstance(encoder, HuggingfaceTokenizer):
            return encoder.encode(list(sentences), self.symbols.unk)
        encoded: list[list[int]] = encoder.encode(list(sentences))
        if not offset:
            return encoded
        return [[id_ + offset if id_ >= N_SPECIAL else id_ for id_ in ids] for ids in encoded]

    def encode_masked(self, sentence: str, mask: str, language: str) -> list[int] | None:
        """Return the ids of a raw sentence in which ``mask`` stands for the mask symbol; None: the kind has no such."""
        encoder = self._encoders[self.model_of[language]]
        if not isinstance(encoder, HuggingfaceTokenizer):
            return None
        return encoder.encode_with_symbols(sentence.replace(mask, self.pieces[self.symbols.mask]))

    def decode(self, ids: Sequence[int], language: str) -> str:
        """Return the tokenized text of ids, without special symbols and unknown characters."""
        index = self.model_of[language]
        offset = self.offsets[index]
        return self._encoders[index].decode([int(id_) - offset for id_ in ids if id_ not in self.symbols.special])

    def begins_word(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Return which of ``ids`` (n,), of one sentence or of several, begin a word: (n,).

        A fastBPE piece is marked if the word continues after it, so the first of ``ids`` begins one.
        """
        if self.kind == "sentencepiece":
            return self._is_marked[ids]
        return np.concatenate([[True], ~self._is_marked[ids[:-1]]])[: len(ids)]

    @cached_property
    def _is_marked(self) -> npt.NDArray[np.bool_]:
        """Which pieces (V,) carry the mark of a word's begin, or fastBPE's of a word that continues."""
        if self.kind == "sentencepiece":
            return np.array([piece.startswith(WORD_START) for piece in self.pieces])
        return np.array([piece.endswith(CONTINUES) for piece in self.pieces])

    @cached_property
    def n_bytes(self) -> Counts:
        """Bytes (V,) of UTF-8 of each piece in a tokenized text; a blank or the end of a line counts to its word.

        Special symbols and unknown characters have none.
        """
        if self.kind == "sentencepiece":
            texts = [piece.replace(WORD_START, " ") for piece in self.pieces]
        else:
            texts = [f"{piece} ".removesuffix(f"{CONTINUES} ") for piece in self.pieces]
        return np.array([0] * N_SPECIAL + [len(text.encode()) for text in texts[N_SPECIAL:]])


def build(
    languages: Sequence[str], models: Sequence[Path], samples: Sequence[Path], output: Path, text: Text | None = None
) -> None:
    """Join the models of all languages in one vocabulary and count its pieces.

    Args:
        languages: their codes.
        models: of each language; languages that share one have the same file.
        samples: the text that each model was learned on, one sentence per line.
        output: the vocabulary, as JSON.
        text: how the samples were prepared.
    """
    parts = list(zip(models, samples, strict=True))
    distinct = list(dict.fromkeys(parts))
    pieces, counts, offsets = list(SPECIAL), [np.zeros(N_SPECIAL, dtype=np.int64)], []
    for model, sample in distinct:
        encoder = sentencepiece.SentencePieceProcessor(model_file=str(model))
        offsets.append(len(pieces) - N_SPECIAL)
        pieces += [encoder.id_to_piece(id_) for id_ in range(N_SPECIAL, len(encoder))]
        counts.append(_count_pieces(encoder, sample)[N_SPECIAL:])
    Vocabulary(
        tuple(pieces),
        np.concatenate(counts),
        tuple(Path(model).read_bytes() for model, _ in distinct),
        tuple(offsets),
        {language: distinct.index(part) for language, part in zip(languages, parts, strict=True)},
        text=text,
    ).write(output)


def _count_pieces(encoder: sentencepiece.SentencePieceProcessor, sample: Path) -> Counts:
    """Return how often each piece (V,) occurs in a text."""
    counts = np.zeros(len(encoder), dtype=np.int64)
    for lines in batched(nonblank_lines(sample)):
        ids = list(itertools.chain.from_iterable(encoder.encode(lines, num_threads=1)))
        counts += np.bincount(np.array(ids, dtype=np.int64), minlength=len(counts))
    return counts


def nonblank_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text, without their ends and without blank ones."""
    with open(path, encoding="utf-8", newline="\n") as file:
        yield from (line.rstrip("\n") for line in file if line.strip())


def batched(items: Iterator[Item]) -> Iterator[list[Item]]:
    """Yield lists of ``BATCH`` items, the last one shorter, because text is encoded faster by the list."""
    while batch := list(itertools.islice(items, BATCH)):
        yield batch
