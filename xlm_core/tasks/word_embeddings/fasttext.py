"""Vectors of words: learned by skip-gram on tokenized text, or put together from the vectors of a model's pieces.

Letters: N words, D dimensions.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from gensim.models import FastText, KeyedVectors, Word2Vec

from xlm_core import tsv
from xlm_core.config import WordVectors
from xlm_core.errors import CheckpointError, CorpusError
from xlm_core.io import atomic
from xlm_core.model import checkpoint
from xlm_core.tasks.inference.encoder import vocabulary_of
from xlm_core.text.bpe import TokenFile
from xlm_core.text.vocabulary import UNK, Vocabulary

LOG = logging.getLogger(__name__)
SAMPLE = 1e-3  # words above this share of the text are now and then passed over; fastText's default is a tenth of it


class Sentences:
    """The words of tokenized files, language after language, again and again."""

    def __init__(self, files: Mapping[str, Sequence[TokenFile]]) -> None:
        self._files = files

    def __iter__(self) -> Iterator[list[str]]:
        for language, files in self._files.items():
            for file in files:
                column = file.languages.index(language)
                for fields in tsv.read(file.path, len(file.languages)):
                    yield fields[column].split()


def train(files: Mapping[str, Sequence[TokenFile]], settings: WordVectors, seed: int, output: Path) -> None:
    """Learn the vectors of the most frequent words by skip-gram; of several languages in one text, one vocabulary.

    With ``settings.subwords`` a word's vector is made from those of its parts, as in fastText, else it is its own.

    Args:
        files: language -> its tokenized text.
        seed: of the first vectors and of what is drawn; with one thread they decide everything.
        output: word2vec's binary format, the most frequent word first.

    Raises:
        CorpusError: no word is frequent enough.
    """
    kind = FastText if settings.subwords else Word2Vec
    model = kind(
        sg=1, vector_size=settings.dim, window=settings.window, negative=settings.negative, sample=SAMPLE,
        min_count=settings.min_count, max_final_vocab=settings.max_words, epochs=settings.epochs, seed=seed,
        workers=settings.threads,
    )  # fmt: skip
    text = Sentences(files)
    model.build_vocab(text)
    if not model.wv.index_to_key:
        raise CorpusError(
            f"languages {', '.join(files)}: no word occurs {settings.min_count} times; give more text, or lower "
            "embeddings.vectors.min_count"
        )
    model.train(text, total_examples=model.corpus_count, epochs=model.epochs)
    LOG.info("vectors of %d words in %s", len(model.wv), ", ".join(files))
    plain = KeyedVectors(settings.dim)
    plain.add_vectors(model.wv.index_to_key, model.wv.vectors)
    with atomic(output) as partial:
        plain.save_word2vec_format(str(partial), binary=True)


class Words(Protocol):
    """Whatever has vectors for the words of a language."""

    def knows(self, words: str, language: str) -> bool:
        """Whether there is a vector for ``words``, one or several that are separated by blanks."""

    def of(self, phrases: Sequence[str], language: str) -> np.ndarray:
        """The vectors (n, D) of n known words or phrases, float32."""


@dataclass(frozen=True)
class LearnedWords:
    """Words with vectors of their own.

    words    (N,) the most frequent first
    vectors  (N, D) float32
    """

    words: tuple[str, ...]
    vectors: np.ndarray

    @classmethod
    def read(cls, path: Path) -> "LearnedWords":
        """Read what ``train`` wrote.

        Raises:
            CheckpointError: it is no file of vectors.
        """
        try:
            found = KeyedVectors.load_word2vec_format(str(path), binary=True)
        except (ValueError, EOFError, OSError) as error:
            raise CheckpointError(f"{path} holds no vectors of words ({error}); remove it and rerun") from error
        return cls(tuple(found.index_to_key), found.vectors)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Word -> its row."""
        return {word: row for row, word in enumerate(self.words)}

    def knows(self, words: str, language: str) -> bool:
        """Whether every one of ``words``, separated by blanks, has a vector."""
        return all(word in self.rows for word in words.split())

    def of(self, phrases: Sequence[str], language: str) -> np.ndarray:
        """Vectors (n, D) of known words or phrases; that of a phrase is the mean of its words'."""
        rows = [[self.rows[word] for word in phrase.split()] for phrase in phrases]
        return _means(self.vectors, rows)


@dataclass(frozen=True)
class InputEmbeddings:
    """The rows of a model's embedding matrix, as vectors of words: no context, and no language.

    vocabulary  of the model
    vectors     (V, D) float32
    config      digest of the settings of its training
    data        digest of what it was trained on
    """

    vocabulary: Vocabulary
    vectors: np.ndarray
    config: str
    data: str

    @classmethod
    def read(cls, model: Path, vocabulary: Path) -> "InputEmbeddings":
        """Read a model's embedding matrix.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
        """
        transformer, about = checkpoint.load(model)
        vectors = transformer.embeddings.weight.detach().numpy()
        return cls(vocabulary_of(model, about, vocabulary), vectors, about["config"], about["data"])

    def knows(self, words: str, language: str) -> bool:
        """Whether ``words`` can be written with pieces of the vocabulary."""
        pieces = self.vocabulary.encode([words], language)[0]
        return bool(pieces) and UNK not in pieces

    def of(self, phrases: Sequence[str], language: str) -> np.ndarray:
        """Vectors (n, D) of known words or phrases: the means of their pieces'."""
        return _means(self.vectors, self.vocabulary.encode(phrases, language))


def _means(vectors: np.ndarray, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """The mean of some ``vectors`` (N, D) for each of n lists of rows: (n, D)."""
    return np.stack([vectors[list(some)].mean(axis=0) for some in rows])
