"""Vectors of words: from a word2vec file, or as means of a model's input embeddings.

Shapes: N words, V subwords of a vocabulary, D dimensions, n words or phrases that are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from gensim.models import KeyedVectors

from xlm_core.errors import CheckpointError
from xlm_core.model import checkpoint
from xlm_core.text.vocabulary import UNK, Vocabulary


@dataclass(frozen=True)
class WordEmbeddings:
    """One vector for each word.

    words    (N,) the most frequent first
    vectors  (N, D) float32
    """

    words: tuple[str, ...]
    vectors: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file in word2vec's binary format.

        Raises:
            CheckpointError: the file has another format.
        """
        try:
            keyed_vectors = KeyedVectors.load_word2vec_format(str(path), binary=True)
        except (ValueError, EOFError, OSError) as error:
            raise CheckpointError(f"{path} holds no vectors of words ({error}); remove it and rerun") from error
        return cls(tuple(keyed_vectors.index_to_key), keyed_vectors.vectors)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Word -> its row."""
        return {word: row for row, word in enumerate(self.words)}

    def covers(self, phrase: str, language: str) -> bool:
        """Return whether every word of ``phrase``, separated by blanks, has a vector; ``language`` does not matter."""
        return all(word in self.rows for word in phrase.split())

    def vectors_of(self, phrases: Sequence[str], language: str) -> np.ndarray:
        """Return vectors (n, D) of covered words or phrases; the vector of a phrase is the mean over its words."""
        return _means(self.vectors, [[self.rows[word] for word in phrase.split()] for phrase in phrases])


@dataclass(frozen=True)
class InputEmbeddings:
    """The embedding matrix of a model as vectors of words, without context and language embeddings.

    vocabulary     of the model
    vectors        (V, D) float32
    config_digest  of the settings of the model's training
    data_digest    of the model's training data
    """

    vocabulary: Vocabulary
    vectors: np.ndarray
    config_digest: str
    data_digest: str

    @classmethod
    def read(cls, model: Path, vocabulary: Path) -> Self:
        """Read the embedding matrix of a model.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
        """
        transformer, metadata = checkpoint.load(model)
        vectors = transformer.embeddings.weight.detach().numpy()
        vocab = checkpoint.load_vocabulary(vocabulary, model, metadata)
        return cls(vocab, vectors, metadata["config"], metadata["data"])

    def covers(self, phrase: str, language: str) -> bool:
        """Return whether ``phrase`` can be written with subwords of the vocabulary."""
        ids = self.vocabulary.encode([phrase], language)[0]
        return bool(ids) and UNK not in ids

    def vectors_of(self, phrases: Sequence[str], language: str) -> np.ndarray:
        """Return vectors (n, D) of covered words or phrases: the means over their subwords."""
        return _means(self.vectors, self.vocabulary.encode(phrases, language))


EmbeddingTable = WordEmbeddings | InputEmbeddings


def _means(vectors: np.ndarray, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Average the ``vectors`` (N, D) of each of n lists of rows: (n, D)."""
    return np.stack([vectors[list(each)].mean(axis=0) for each in rows])
