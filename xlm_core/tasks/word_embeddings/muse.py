"""Alignment of the vectors of two languages, as MUSE does it (Conneau et al. 2018), from words that are spelled alike.

A rotation brings the vectors of one language into the space of another: Procrustes' solution for pairs of words that
are taken for translations. The first pairs are the words that both languages spell alike. Then, in rounds, the pairs
are the words that are each other's nearest neighbors after the rotation. Nearest is meant by CSLS, cosine less how near
a vector is to everything, for else a few vectors, the hubs, are the nearest neighbors of very many.

Letters: N vectors of the source, M of the target, D dimensions.
"""

import logging

import numpy as np
from scipy.linalg import orthogonal_procrustes

from xlm_core.config import Refinement
from xlm_core.errors import CorpusError
from xlm_core.tasks.word_embeddings.fasttext import LearnedWords

LOG = logging.getLogger(__name__)
BLOCK = 512  # vectors that are compared with all others at once


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1; a vector of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def cosine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Cosines (N, M) of vectors (N, D) and (M, D)."""
    return normalized(source) @ normalized(target).T


def nearness(source: np.ndarray, target: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Mean cosine (N,) of each vector of ``source`` (N, D) to its nearest neighbors among ``target`` (M, D)."""
    n, among = min(n_neighbors, len(target)), normalized(target).T
    parts = (normalized(source[start : start + BLOCK]) @ among for start in range(0, len(source), BLOCK))
    return np.concatenate([np.partition(part, -n, axis=1)[:, -n:].mean(axis=1) for part in parts])


def csls(similarity: np.ndarray, of_source: np.ndarray, of_target: np.ndarray) -> np.ndarray:
    """CSLS (N, M): twice the cosines ``similarity`` (N, M) less the ``nearness`` (N,) and (M,) of either vector."""
    return 2 * similarity - of_source[:, None] - of_target[None, :]


def mutual_neighbors(source: np.ndarray, target: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ``source`` (N, D) and of ``target`` (M, D) that are each other's nearest neighbors by CSLS."""
    of_source, of_target = nearness(source, target, n_neighbors), nearness(target, source, n_neighbors)
    forward = _nearest(source, target, of_source, of_target)
    backward = _nearest(target, source, of_target, of_source)
    is_mutual = backward[forward] == np.arange(len(source))
    return np.flatnonzero(is_mutual), forward[is_mutual]


def _nearest(source: np.ndarray, target: np.ndarray, of_source: np.ndarray, of_target: np.ndarray) -> np.ndarray:
    """The row (N,) of ``target`` (M, D) that is nearest to each row of ``source`` (N, D) by CSLS."""
    among = normalized(target).T
    parts = (slice(start, start + BLOCK) for start in range(0, len(source), BLOCK))
    scores = (csls(normalized(source[part]) @ among, of_source[part], of_target) for part in parts)
    return np.concatenate([some.argmax(axis=1) for some in scores])


def rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal R (D, D) with the least distance of ``source @ R`` from ``target``, both (N, D)."""
    return orthogonal_procrustes(normalized(source), normalized(target))[0]


def align(source: LearnedWords, target: LearnedWords, settings: Refinement) -> np.ndarray:
    """The rotation (D, D) that brings the vectors of ``source`` into the space of ``target``.

    Raises:
        CorpusError: no word is spelled alike.
    """
    first, second = source.vectors[: settings.max_rank], target.vectors[: settings.max_rank]
    alike = [word for word in source.words[: len(first)] if target.rows.get(word, len(second)) < len(second)]
    if not alike:
        raise CorpusError(
            f"MUSE: none of the {len(first)} and {len(second)} most frequent words is spelled alike in both languages, "
            "so that there is nothing to begin with; take 'muse' out of embeddings.rows"
        )
    rows = ([source.rows[word] for word in alike], [target.rows[word] for word in alike])
    found = rotation(first[rows[0]], second[rows[1]])
    LOG.info("MUSE: begins with %d words spelled alike", len(alike))
    for number in range(settings.rounds):
        pairs = mutual_neighbors(first @ found, second, settings.neighbors)
        found = rotation(first[pairs[0]], second[pairs[1]])
        LOG.info("MUSE: round %d: %d pairs of mutual neighbors", number + 1, len(pairs[0]))
    return found
