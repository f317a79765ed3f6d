"""Vectors of words, from a word2vec file or as means of a model's input embeddings, and MUSE (Conneau et al. 2018).

MUSE aligns the vectors of two languages from words that are spelled alike. A rotation, the solution of the orthogonal
Procrustes problem for pairs of words taken as translations, maps the vectors of one language into the space of another.
The first pairs are the words that both languages spell alike. In rounds of refinement the pairs are mutual nearest
neighbors after the rotation, by CSLS: cosine less the mean cosine of either vector to its neighborhood, since otherwise
a few vectors (hubs) are the nearest neighbors of very many.

Shapes: N vectors of the source, M of the target, D dimensions; V subwords of a vocabulary, n words or phrases that are
looked up.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from gensim.models import KeyedVectors
from scipy.linalg import orthogonal_procrustes

from xlm_core.config import Refinement
from xlm_core.errors import CheckpointError, CorpusError
from xlm_core.model import checkpoint
from xlm_core.text.special_symbols import UNK

LOG = logging.getLogger(__name__)
BLOCK = 512  # vectors that are compared with all others at once


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


class InputEmbeddings:
    """The embedding matrix of a model as vectors of words, without context and language embeddings.

    vocabulary     of the model
    vectors        (V, D) float32
    config_digest  of the settings of the model's training
    data_digest    of the model's training data
    """

    def __init__(self, model: Path, vocabulary: Path) -> None:
        """Read the embedding matrix of a model.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
        """
        transformer, metadata = checkpoint.load(model)
        self.vocabulary = checkpoint.load_vocabulary(vocabulary, model, metadata)
        self.vectors = transformer.embeddings.weight.detach().numpy()
        self.config_digest, self.data_digest = metadata["config"], metadata["data"]

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


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors (N, D) to length 1; a vector of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalized: np.ndarray = vectors / np.where(lengths == 0, 1, lengths)
    return normalized


def cosine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the cosines (N, M) of vectors (N, D) and (M, D)."""
    cosines: np.ndarray = normalize(source) @ normalize(target).T
    return cosines


def cosine_blocks(source: np.ndarray, target: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of up to ``BLOCK`` of the vectors ``source`` (N, D), and their cosines to ``target`` (M, D)."""
    candidates = normalize(target).T
    for start in range(0, len(source), BLOCK):
        block = slice(start, start + BLOCK)
        yield block, normalize(source[block]) @ candidates


def csls_neighborhood(source: np.ndarray, target: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Average the cosine of each of ``source`` (N, D) to its nearest neighbors among ``target`` (M, D): (N,)."""
    n, blocks = min(n_neighbors, len(target)), cosine_blocks(source, target)
    return np.concatenate([np.partition(cosines, -n, axis=1)[:, -n:].mean(axis=1) for _, cosines in blocks])


def csls(similarity: np.ndarray, of_source: np.ndarray, of_target: np.ndarray) -> np.ndarray:
    """Compute CSLS (N, M): twice the cosines (N, M) less the ``csls_neighborhood`` (N,) and (M,) of either vector."""
    scores: np.ndarray = 2 * similarity - of_source[:, None] - of_target[None, :]
    return scores


def mutual_neighbors(source: np.ndarray, target: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of ``source`` (N, D) and ``target`` (M, D) that are each other's nearest neighbors by CSLS."""
    of_source = csls_neighborhood(source, target, n_neighbors)
    of_target = csls_neighborhood(target, source, n_neighbors)
    forward = _nearest(source, target, of_source, of_target)
    backward = _nearest(target, source, of_target, of_source)
    is_mutual = backward[forward] == np.arange(len(source))
    return np.flatnonzero(is_mutual), forward[is_mutual]


def _nearest(source: np.ndarray, target: np.ndarray, of_source: np.ndarray, of_target: np.ndarray) -> np.ndarray:
    """Find the row (N,) of ``target`` (M, D) that is nearest to each row of ``source`` (N, D) by CSLS."""
    blocks = cosine_blocks(source, target)
    return np.concatenate([csls(cosines, of_source[block], of_target).argmax(axis=1) for block, cosines in blocks])


def procrustes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find the orthogonal R (D, D) that minimizes the distance of ``source @ R`` from ``target``, both (N, D)."""
    rotation: np.ndarray = orthogonal_procrustes(normalize(source), normalize(target))[0]
    return rotation


def align(source: WordEmbeddings, target: WordEmbeddings, settings: Refinement) -> np.ndarray:
    """Find the rotation (D, D) that maps the vectors of ``source`` into the space of ``target``.

    Raises:
        CorpusError: no word is spelled alike.
    """
    first, second = source.vectors[: settings.max_dictionary_words], target.vectors[: settings.max_dictionary_words]
    shared = [word for word in source.words[: len(first)] if target.rows.get(word, len(second)) < len(second)]
    if not shared:
        raise CorpusError(
            f"MUSE: none of the {len(first)} and {len(second)} most frequent words is spelled alike in both languages, "
            "and there is nothing to begin with; take 'muse' out of embeddings.systems"
        )
    rotation = procrustes(first[[source.rows[word] for word in shared]], second[[target.rows[word] for word in shared]])
    LOG.info("MUSE: begins with %d words spelled alike", len(shared))
    for number in range(settings.rounds):
        pairs = mutual_neighbors(first @ rotation, second, settings.neighbors)
        rotation = procrustes(first[pairs[0]], second[pairs[1]])
        LOG.info("MUSE: round %d: %d pairs of mutual neighbors", number + 1, len(pairs[0]))
    return rotation
