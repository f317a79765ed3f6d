"""Pairs of sentences in batches of similar length, for TLM (paper, sections 3.4 and 5.1).

Letters: B pairs, T tokens of the longest joined pair.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlm_core.data.store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.text.vocabulary import EOS, PAD

TAG = 2  # keeps these random numbers apart from those of the other modules
N_ENDS = 4  # the end symbols of a joined pair: </s> a </s> </s> b </s>


@dataclass(frozen=True)
class Joined:
    """Pairs as one sequence each: ``</s> a </s> </s> b </s>``.

    tokens     (B, T)  ids
    positions  (B, T)  restart at 0 in the second half
    in_second  (B, T)  bool, true from the second half's first ``</s>`` on
    lengths    (B,)    tokens that are not padding
    swapped    (B,)    bool, true where the second column's sentence comes first
    """

    tokens: np.ndarray
    positions: np.ndarray
    in_second: np.ndarray
    lengths: np.ndarray
    swapped: np.ndarray


class Buckets:
    """The pairs of several stores, grouped by length; batch ``ordinal`` is the same for every caller.

    Pairs of similar length share a batch. In each epoch the batches come in another order, and pairs of equal
    length change places. ``skipped`` counts the pairs that are left out, by reason.
    """

    def __init__(
        self,
        stores: Sequence[TokenStore],
        *,
        max_pair_tokens: int,
        max_positions: int,
        tokens_per_batch: int,
        seed: Sequence[int],
        place: str,
    ) -> None:
        """Group the pairs.

        Args:
            stores: of two columns each.
            max_pair_tokens: longer joined pairs are skipped (end symbols counted).
            max_positions: pairs with a longer half are skipped (end symbols counted).
            tokens_per_batch: bound of B * T, padding counted.
            seed: of the run, followed by what tells these pairs from its other data.
            place: what the pairs are, for the error message.

        Raises:
            CorpusError: no pair is left.
        """
        stores = [store for store in stores if len(store)]
        self._starts = np.cumsum([0, *(len(store) for store in stores)])
        # Both columns of the first store, of the second, and so on. asarray: a plain view of the memory map.
        self._columns = [
            (np.asarray(store.tokens[column]), np.asarray(store.offsets[column]))
            for store in stores
            for column in (0, 1)
        ]
        self._seed = seed
        lengths = self._lengths()
        total = lengths.sum(axis=1) + N_ENDS
        too_long = (total > max_pair_tokens) | (lengths.max(axis=1, initial=0) + N_ENDS // 2 > max_positions)
        empty = lengths.min(axis=1, initial=1) == 0
        self.skipped = Counter(too_long=int(too_long.sum()), empty_side=int((empty & ~too_long).sum()))
        self._pairs = np.flatnonzero(~too_long & ~empty)
        self._total = total[self._pairs]
        if not len(self._pairs):
            raise CorpusError(
                f"{place}: found {len(total)} pairs, {self.skipped['too_long']} of them too long ({max_pair_tokens} "
                f"tokens for both sides, {max_positions} for one) and {self.skipped['empty_side']} with an empty side; "
                f"expected at least one to learn from: check the corpora, or raise max_pair_tokens"
            )
        self._cuts = _cut(np.sort(self._total), tokens_per_batch)
        self._order: tuple[int, np.ndarray, np.ndarray] = (-1, np.empty(0), np.empty(0))

    def __len__(self) -> int:
        """Pairs that are kept."""
        return len(self._pairs)

    @property
    def n_batches(self) -> int:
        """Batches per epoch."""
        return len(self._cuts) - 1

    def batch(self, ordinal: int, rng: np.random.Generator) -> Joined:
        """Batch ``ordinal``; ``rng`` draws which side of each pair comes first."""
        epoch, number = divmod(ordinal, self.n_batches)
        if self._order[0] != epoch:
            self._order = (epoch, *self._shuffle(epoch))
        _, batches, pairs = self._order
        number = batches[number]
        chosen = pairs[self._cuts[number] : self._cuts[number + 1]]
        return self.joined(chosen, swapped=rng.random(len(chosen)) < 0.5)

    def joined(self, numbers: np.ndarray, swapped: np.ndarray) -> Joined:
        """Join the kept pairs ``numbers`` (B,), with the second column first where ``swapped`` (B,)."""
        numbers = self._pairs[numbers]
        first, first_lengths = self._gather(numbers, swapped.astype(np.int64))
        second, second_lengths = self._gather(numbers, 1 - swapped.astype(np.int64))
        border = (first_lengths + 2)[:, None]
        lengths = first_lengths + second_lengths + N_ENDS
        column = np.arange(lengths.max())[None, :]
        in_second = column >= border
        is_padding = column >= lengths[:, None]
        positions = np.where(is_padding, 0, column - border * in_second)
        tokens = np.where(is_padding, PAD, EOS)
        tokens[(column > 0) & (column < border - 1)] = first
        tokens[(column > border) & (column < lengths[:, None] - 1)] = second
        return Joined(tokens, positions, in_second, lengths, swapped)

    def _lengths(self) -> np.ndarray:
        """Tokens (n, 2) of both sides of every pair."""
        sides = [np.diff(offsets) for _, offsets in self._columns]
        none = np.zeros(0, dtype=np.int64)
        return np.stack([np.concatenate([none, *sides[0::2]]), np.concatenate([none, *sides[1::2]])], axis=1)

    def _shuffle(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The order of the batches (n_batches,) and of the pairs (n,) of an epoch."""
        rng = np.random.default_rng([self._seed[0], TAG, *self._seed[1:], epoch])
        shuffled = rng.permutation(len(self._pairs))
        by_length = shuffled[np.argsort(self._total[shuffled], kind="stable")]
        return rng.permutation(self.n_batches), by_length

    def _gather(self, pairs: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sentences in ``columns`` (B,) of ``pairs`` (B,): all their tokens back to back, and lengths (B,)."""
        stores = np.searchsorted(self._starts, pairs, side="right") - 1
        sources = stores * 2 + columns
        begins, ends = np.empty_like(pairs), np.empty_like(pairs)
        for source in np.unique(sources):
            here = sources == source
            _, offsets = self._columns[source]
            local = pairs[here] - self._starts[source // 2]
            begins[here], ends[here] = offsets[local], offsets[local + 1]
        lengths = ends - begins
        places = np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        flat_sources = np.repeat(sources, lengths)
        flat = np.empty(len(places), dtype=np.int64)
        for source in np.unique(sources):
            here = flat_sources == source
            flat[here] = self._columns[source][0][places[here]]
        return flat, lengths


def _cut(lengths: np.ndarray, tokens_per_batch: int) -> np.ndarray:
    """Where to cut sorted ``lengths`` (n,) so that rows times longest row stays within ``tokens_per_batch``.

    Returns:
        (n_batches + 1,) borders. A row that is longer than ``tokens_per_batch`` is a batch of its own.
    """
    cuts = [0]
    while (start := cuts[-1]) < len(lengths):
        most = max(1, tokens_per_batch // int(lengths[start]))
        candidates = lengths[start : start + most]
        fits = candidates * np.arange(1, len(candidates) + 1) <= tokens_per_batch
        cuts.append(start + max(1, int(fits.sum())))
    return np.array(cuts)
