"""Sentences of different lengths, back to back in one array.

Letters: B sentences, n tokens of all of them, T tokens of the longest row.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xlm_core.data.batch import IGNORE, Batch, from_arrays
from xlm_core.text.vocabulary import EOS, PAD


class PackedSequences(NamedTuple):
    """Some sentences.

    tokens   (n,) int64 ids, without special symbols
    lengths  (B,) int64 tokens of each
    """

    tokens: np.ndarray
    lengths: np.ndarray

    @classmethod
    def from_lists(cls, sentences: Sequence[Sequence[int]]) -> "PackedSequences":
        """Sentences that are given one by one."""
        tokens = np.concatenate([np.zeros(0, dtype=np.int64), *sentences])
        return cls(tokens.astype(np.int64), np.array([len(sentence) for sentence in sentences], dtype=np.int64))


def gather_indices(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Where the tokens (n,) of pieces lie that begin at ``begins`` (B,) and have ``lengths`` (B,)."""
    return np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())


def sentence_batch(sentences: PackedSequences, language: int) -> Batch:
    """Sentences as an encoder reads them, ``</s> a </s>``; ``language`` is their id."""
    return _batch(sentences, language, n_ends=2)


def target_batch(sentences: PackedSequences, language: int) -> Batch:
    """Sentences as a decoder learns to say them: ``</s> a``, labelled with ``a </s>``; ``language`` is their id."""
    batch = _batch(sentences, language, n_ends=1)
    tokens = batch.tokens.numpy()
    is_token = np.arange(tokens.shape[1]) < batch.lengths.numpy()[:, None]
    labels = np.full(tokens.shape, EOS)
    labels[:, :-1] = np.where(is_token[:, 1:], tokens[:, 1:], EOS)
    labels[~is_token] = IGNORE
    return from_arrays(tokens, batch.positions.numpy(), np.array(language), batch.lengths.numpy(), labels)


def _batch(sentences: PackedSequences, language: int, n_ends: int) -> Batch:
    """A batch (B, T) with ``</s>`` before each sentence, and after it where there are two ends."""
    lengths = sentences.lengths + n_ends
    column = np.arange(lengths.max())[None, :]
    is_token = column < lengths[:, None]
    tokens = np.where(is_token, EOS, PAD)
    tokens[(column > 0) & (column <= sentences.lengths[:, None])] = sentences.tokens
    return from_arrays(tokens, np.where(is_token, column, 0), np.array(language), lengths)
