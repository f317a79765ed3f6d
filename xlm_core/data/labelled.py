"""Labelled sentences and pairs of sentences as the encoder reads them (paper, section 4.1).

Shapes: B rows of a batch, T tokens of the longest row, N examples of a dataset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import TrainingError
from xlm_core.languages import language_ids
from xlm_core.text.special_symbols import XLM_SYMBOLS, SpecialSymbols

POOL = 10  # batches that are sorted by length together: enough to pad little, few enough to mix


class DatasetPart(NamedTuple):
    """Labelled sentences or pairs of one language.

    store        one sentence or two, and a label, per record
    language_id  row of the model's language embeddings
    records      (n,) indices of the records in use
    symbols      of the vocabulary
    """

    store: TokenStore
    language_id: int
    records: np.ndarray
    symbols: SpecialSymbols = XLM_SYMBOLS

    @property
    def n_special(self) -> int:
        """Special symbols of an example."""
        return 2 if len(self.store.languages) == 1 else self.symbols.n_pair

    def sequence(self, record: int, max_tokens: int) -> tuple[np.ndarray, int]:
        """Return the tokens of one example as ``join_sentences`` does."""
        sentences = [self.store.sentence(column, record) for column in range(len(self.store.languages))]
        return join_sentences(sentences, max_tokens, self.symbols)


@dataclass(frozen=True)
class LabelledDataset:
    """Labelled sentences or pairs of one or several languages, numbered from 0 to N - 1, part after part."""

    parts: tuple[DatasetPart, ...]

    @classmethod
    def open(cls, path: Path, metadata: Mapping[str, Any], n: int | None = None) -> Self:
        """Open a store for a model.

        Args:
            metadata: of the model: "vocabulary", its digest, "symbols", and "languages".
            n: examples to draw at random, the same ones every time; None for all.

        Raises:
            StoreError: the store is damaged, or was built with another vocabulary.
            TrainingError: it has fewer examples than ``n``.
        """
        store = TokenStore.open(path, metadata["vocabulary"])
        records = np.arange(len(store))
        if n is not None:
            if n > len(store):
                raise TrainingError(f"{n} training examples are asked for, but there are {len(store)}; lower n_train")
            records = np.sort(np.random.default_rng([0, len(store)]).choice(len(store), n, replace=False))
        language_id = language_ids(metadata["languages"])[store.languages[0]]
        return cls((DatasetPart(store, language_id, records, SpecialSymbols.of_model(metadata)),))

    def __len__(self) -> int:
        return len(self._records)

    def batch(self, indices: np.ndarray, max_tokens: int) -> Batch:
        """Batch the examples ``indices`` (B,): of XLM ``</s> a </s>`` or ``</s> a </s> b </s>``, positions counted on.

        An example of more than ``max_tokens`` is truncated: a single sentence loses its end, a pair as in
        ``truncate_pair``.
        """
        parts = [self.parts[index] for index in self._part_indices[indices]]
        records = self._records[indices]
        rows = [part.sequence(record, max_tokens) for part, record in zip(parts, records, strict=True)]
        return joined_batch(rows, np.array([[part.language_id] for part in parts]), parts[0].symbols)

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels (N,): int64 ids of classes, or float64 scores."""
        labels = [part.store.labels for part in self.parts if part.store.labels is not None]
        return np.concatenate([of_store[part.records] for of_store, part in zip(labels, self.parts, strict=True)])

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens (N,) of all sentences of each example, end symbols left out."""
        lengths = [np.sum([np.diff(offsets) for offsets in part.store.offsets], axis=0) for part in self.parts]
        return np.concatenate([of_store[part.records] for of_store, part in zip(lengths, self.parts, strict=True)])

    def n_truncated(self, max_tokens: int) -> int:
        """Count the examples that ``batch`` truncates."""
        n_special = np.array([part.n_special for part in self.parts])[self._part_indices]
        return int((self.lengths + n_special > max_tokens).sum())

    @cached_property
    def _records(self) -> np.ndarray:
        return np.concatenate([part.records for part in self.parts])

    @cached_property
    def _part_indices(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.parts)), [len(part.records) for part in self.parts])


def join_sentences(sentences: Sequence[np.ndarray], max_tokens: int, symbols: SpecialSymbols) -> tuple[np.ndarray, int]:
    """Join the tokens of one sentence or two; the symbols before and after are left out, but counted.

    Returns:
        The sentence, or the pair with the symbols between, so much of them that with all symbols they have
        ``max_tokens`` at most; and how many tokens come before the second sentence.
    """
    if len(sentences) == 1:
        return sentences[0][: max_tokens - 2], max_tokens
    first, second = truncate_pair(sentences[0], sentences[1], max_tokens - symbols.n_pair)
    return np.concatenate([first, symbols.between, second]), len(first) + len(symbols.between)


def joined_batch(rows: Sequence[tuple[np.ndarray, int]], languages: np.ndarray, symbols: SpecialSymbols) -> Batch:
    """Batch results (B) of ``join_sentences``; ``languages`` (B, 1) are ids."""
    starts_of_second = np.array([[start + 1] for _, start in rows])
    return sentence_batch(PackedSequences.from_lists([row for row, _ in rows]), languages, symbols, starts_of_second)


def truncate_pair(first: np.ndarray, second: np.ndarray, n_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Truncate two sentences to ``n_tokens`` together, the longer one first.

    >>> [len(sentence) for sentence in truncate_pair(np.arange(10), np.arange(4), 11)]
    [7, 4]
    """
    half = n_tokens // 2
    first_length = min(len(first), max(n_tokens - len(second), n_tokens - half))
    second_length = min(len(second), n_tokens - first_length)
    return first[:first_length], second[:second_length]


def epoch_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Draw the batches of one epoch, each as indices of examples; the same for the same arguments.

    Every example occurs once. Examples of similar length share a batch, which pads little; which ones, and in which
    order, is drawn anew for every epoch.

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
    return [batches[index] for index in rng.permutation(len(batches))]
