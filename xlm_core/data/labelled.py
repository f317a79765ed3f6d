"""Sentences and labelled pairs of sentences as the encoder reads them (paper, section 4.1).

Letters: B rows, T tokens of the longest row.
"""

from collections.abc import Sequence

import numpy as np

from xlm_core.data.batch import Batch, from_arrays
from xlm_core.data.store import TokenStore
from xlm_core.text.vocabulary import EOS, PAD

END = np.array([EOS])
POOL = 10  # batches that are sorted by length together: enough to pad little, few enough to mix
N_ENDS = 3  # the end symbols of a classified pair: </s> a </s> b </s>


def sentence_batch(store: TokenStore, column: int, rows: Sequence[int], language: int, max_tokens: int) -> Batch:
    """Single sentences ``</s> a </s>``; one that is longer than ``max_tokens`` loses its end.

    Args:
        column: which sentence of each record.
        rows: (B,) numbers of the records.
        language: id of their language.
    """
    sentences = [store.sentence(column, row)[: max_tokens - 2] for row in rows]
    return _padded([np.concatenate([END, sentence, END]) for sentence in sentences], language)


def pair_batch(store: TokenStore, rows: Sequence[int], language: int, max_tokens: int) -> Batch:
    """Pairs ``</s> a </s> b </s>``, positions counted on, one language; see ``cut`` for those that are too long."""
    pairs = [cut(store.sentence(0, row), store.sentence(1, row), max_tokens - N_ENDS) for row in rows]
    return _padded([np.concatenate([END, first, END, second, END]) for first, second in pairs], language)


def cut(first: np.ndarray, second: np.ndarray, n_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """The beginnings of two sentences that together have at most ``n_tokens``; the longer one is cut first.

    >>> [len(side) for side in cut(np.arange(10), np.arange(4), 11)]
    [7, 4]
    """
    half = n_tokens // 2
    first_length = min(len(first), max(n_tokens - len(second), n_tokens - half))
    second_length = min(len(second), n_tokens - first_length)
    return first[:first_length], second[:second_length]


def n_too_long(store: TokenStore, max_tokens: int) -> int:
    """How many pairs of a store lose their ends in ``pair_batch``."""
    return int((store.lengths(0) + store.lengths(1) + N_ENDS > max_tokens).sum())


def epoch_batches(store: TokenStore, rows: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, each as numbers of records; the same for every caller.

    Every record of ``rows`` (N,) comes once. Records of similar length share a batch, so that little is padded, but
    which ones and in which order is drawn anew for every epoch.
    """
    rng = np.random.default_rng([seed, epoch])
    lengths = store.lengths(0) + store.lengths(1)
    shuffled = rng.permutation(rows)
    batches = []
    for start in range(0, len(shuffled), POOL * batch_size):
        pool = shuffled[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
    return [batches[number] for number in rng.permutation(len(batches))]


def labels(store: TokenStore, rows: Sequence[int]) -> np.ndarray:
    """The labels (B,) of the records ``rows``."""
    assert store.labels is not None, "a store of labelled pairs has labels"
    return store.labels[np.asarray(rows)]


def _padded(rows: list[np.ndarray], language: int) -> Batch:
    lengths = np.array([len(row) for row in rows])
    is_token = np.arange(lengths.max())[None, :] < lengths[:, None]
    tokens = np.full(is_token.shape, PAD)
    tokens[is_token] = np.concatenate(rows)
    positions = np.where(is_token, np.arange(lengths.max())[None, :], 0)
    return from_arrays(tokens, positions, np.full((1, 1), language), lengths)
