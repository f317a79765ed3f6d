"""Sentences and labelled pairs of sentences as the encoder reads them (paper, section 4.1).

Letters: B rows, T tokens of the longest row, N examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from xlm_core.data.batch import Batch, from_arrays
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch
from xlm_core.data.token_store import TokenStore
from xlm_core.text.vocabulary import EOS, PAD

END = np.array([EOS])
POOL = 10  # batches that are sorted by length together: enough to pad little, few enough to mix


def stored_sentences(store: TokenStore, column: int, rows: Sequence[int], language: int, max_tokens: int) -> Batch:
    """Single sentences ``</s> a </s>``; one that is longer than ``max_tokens`` loses its end.

    Args:
        column: which sentence of each record.
        rows: (B,) numbers of the records.
        language: id of their language.
    """
    return sentence_batch(PackedSequences.of([store.sentence(column, row)[: max_tokens - 2] for row in rows]), language)


class Part(NamedTuple):
    """Some labelled sentences or pairs of one language.

    store     one sentence or two, and a label per record
    language  id of the language, for the model's language embeddings
    rows      (n,) the records in use
    """

    store: TokenStore
    language: int
    rows: np.ndarray

    @property
    def n_ends(self) -> int:
        """The end symbols of an example: ``</s> a </s>``, ``</s> a </s> b </s>``."""
        return len(self.store.languages) + 1


@dataclass(frozen=True)
class Examples:
    """Labelled sentences or pairs of one language or of several, numbered from 0 to N - 1 part after part."""

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, numbers: Sequence[int], max_tokens: int) -> Batch:
        """The examples ``numbers`` (B,), positions counted on, each long one cut.

        ``</s> a </s> b </s>``, of which ``cut`` says what is left, or ``</s> a </s>``, which loses its end.
        """
        rows, languages = [], []
        for number in numbers:
            part = self.parts[self._part_of[number]]
            row = self._rows[number]
            room = max_tokens - part.n_ends
            sentences = [part.store.sentence(column, row) for column in range(len(part.store.languages))]
            kept = cut(*sentences, room) if len(sentences) == 2 else [sentences[0][:room]]
            rows.append(np.concatenate([END, *(piece for sentence in kept for piece in (sentence, END))]))
            languages.append([part.language])
        return _padded(rows, np.array(languages))

    def labels(self, numbers: Sequence[int]) -> np.ndarray:
        """The labels (B,) of the examples ``numbers``: int64 ids of classes, or float64 scores."""
        return self._labels[np.asarray(numbers)]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens (N,) of all sentences, end symbols left out."""
        return self._of_all(lambda part: _n_tokens(part.store)[part.rows])

    def n_too_long(self, max_tokens: int) -> int:
        """How many examples lose their ends in ``batch``."""
        n_ends = self._of_all(lambda part: np.full(len(part.rows), part.n_ends))
        return int((self.lengths + n_ends > max_tokens).sum())

    @cached_property
    def _rows(self) -> np.ndarray:
        return self._of_all(lambda part: part.rows)

    @cached_property
    def _part_of(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.parts)), [len(part.rows) for part in self.parts])

    @cached_property
    def _labels(self) -> np.ndarray:
        return self._of_all(lambda part: _labels_of(part.store)[part.rows])

    def _of_all(self, values: Callable[[Part], np.ndarray]) -> np.ndarray:
        """What each part has, one after the other (N,)."""
        return np.concatenate([values(part) for part in self.parts])


def cut(first: np.ndarray, second: np.ndarray, n_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """The beginnings of two sentences that together have at most ``n_tokens``; the longer one is cut first.

    >>> [len(side) for side in cut(np.arange(10), np.arange(4), 11)]
    [7, 4]
    """
    half = n_tokens // 2
    first_length = min(len(first), max(n_tokens - len(second), n_tokens - half))
    second_length = min(len(second), n_tokens - first_length)
    return first[:first_length], second[:second_length]


def epoch_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, each as numbers of examples; the same for every caller.

    Every example comes once. Those of similar length share a batch, so that little is padded, but which ones and in
    which order is drawn anew for every epoch.

    Args:
        lengths: (N,) of the examples.
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(shuffled), POOL * batch_size):
        pool = shuffled[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
    return [batches[number] for number in rng.permutation(len(batches))]


def _n_tokens(store: TokenStore) -> np.ndarray:
    """Tokens (N,) of each record."""
    return np.sum([store.lengths(column) for column in range(len(store.languages))], axis=0)


def _labels_of(store: TokenStore) -> np.ndarray:
    assert store.labels is not None, "a store of labelled pairs has labels"
    return store.labels


def _padded(rows: list[np.ndarray], languages: np.ndarray) -> Batch:
    """A batch of ``rows``, padded; ``languages`` broadcasts to its shape (B, T)."""
    lengths = np.array([len(row) for row in rows])
    is_token = np.arange(lengths.max())[None, :] < lengths[:, None]
    tokens = np.full(is_token.shape, PAD)
    tokens[is_token] = np.concatenate(rows)
    positions = np.where(is_token, np.arange(lengths.max())[None, :], 0)
    return from_arrays(tokens, positions, languages, lengths)
