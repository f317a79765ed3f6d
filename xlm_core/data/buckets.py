"""Batches of sentences, or of pairs of sentences, of similar length (paper, sections 3.4 and 5.1).

Shapes: B records (sentences or pairs), C sides of a record (1 or 2).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from xlm_core.data.batch import PackedSequences, gather_indices
from xlm_core.data.sampling import cached_by_epoch
from xlm_core.data.token_store import Records
from xlm_core.errors import CorpusError

RANDOM_STREAM = 2  # each module that draws numbers has another
MOST = 1 << 32  # records whose numbers fit into four bytes: a corpus of news has hundreds of millions
N_ENDS = 2  # end symbols of a side: </s> a </s>


class LengthBucketedDataset:
    """The records of several stores, grouped by length; batch ``batch_index`` is the same for every caller.

    Records of similar length share a batch. Each epoch has another order of the batches, and of records of equal
    length. ``n_filtered`` counts the records that are skipped, by reason.
    """

    def __init__(
        self,
        records: Records,
        *,
        max_tokens: int,
        max_positions: int,
        micro_batch_tokens: int,
        seed: Sequence[int],
        name: str,
    ) -> None:
        """Group the records.

        Args:
            records: all have the same number of sides, one for sentences, two for pairs.
            max_tokens: longer records are skipped (all sides and their end symbols counted).
            max_positions: records with a longer side are skipped (its end symbols counted).
            micro_batch_tokens: bound of B times the tokens of the longest record.
            seed: of the run, followed by numbers that distinguish these records from its other data.
            name: of the records, for the error message.

        Raises:
            CorpusError: no record is left.
        """
        self._n_sides = len(records[0][1]) if records else 1
        self._starts = np.cumsum([0, *(len(store) for store, _ in records)])
        # all sides of the first store, of the second, and so on
        self._columns = [
            (store.tokens[column], store.offsets[column]) for store, columns in records for column in columns
        ]
        self._seed = seed
        none = np.zeros((0, self._n_sides), dtype=np.int32)
        sizes = (np.stack([store.lengths(i) for i in columns], axis=1, dtype=np.int32) for store, columns in records)
        lengths = np.concatenate([none, *sizes])  # (n, C)
        total = lengths.sum(axis=1, dtype=np.int32) + np.int32(N_ENDS * self._n_sides)
        too_long = (total > max_tokens) | (lengths.max(axis=1, initial=0) + N_ENDS > max_positions)
        empty = lengths.min(axis=1, initial=1) == 0
        self.n_filtered = Counter(too_long=int(too_long.sum()), empty_side=int((empty & ~too_long).sum()))
        self._kept = np.flatnonzero(~too_long & ~empty).astype(np.uint32 if len(total) <= MOST else np.int64)
        self._total = total[self._kept]
        if not len(self._kept):
            raise CorpusError(
                f"{name}: found {len(total)}, {self.n_filtered['too_long']} of them too long (more than {max_tokens} "
                f"tokens, or {max_positions} in one sentence) and {self.n_filtered['empty_side']} with an empty side; "
                f"expected at least one to learn from: check the corpora, or raise the lengths that are allowed"
            )
        self._cuts = _cut(np.sort(self._total), micro_batch_tokens)
        self._order = cached_by_epoch(self._shuffle)  # one epoch serves many batches

    def __len__(self) -> int:
        """Count the records that are kept."""
        return len(self._kept)

    @property
    def n_batches(self) -> int:
        """Number of batches per epoch."""
        return len(self._cuts) - 1

    def indices(self, batch_index: int) -> np.ndarray:
        """Return the indices (B,) of the records of batch ``batch_index``."""
        epoch, number = divmod(batch_index, self.n_batches)
        batches, records = self._order(epoch)
        number = batches[number]
        return records[self._cuts[number] : self._cuts[number + 1]]

    def column(self, indices: np.ndarray, which: np.ndarray | int = 0) -> PackedSequences:
        """Read the sentences of column ``which`` (B,) of the records ``indices`` (B,)."""
        numbers = self._kept[indices].astype(np.int64)
        stores = np.searchsorted(self._starts, numbers, side="right") - 1
        sources = stores * self._n_sides + which
        begins, ends = np.empty_like(numbers), np.empty_like(numbers)
        for source in np.unique(sources):
            in_source = sources == source
            _, offsets = self._columns[source]
            local = numbers[in_source] - self._starts[source // self._n_sides]
            begins[in_source], ends[in_source] = offsets[local], offsets[local + 1]
        lengths = ends - begins
        indices, sources = gather_indices(begins, lengths), np.repeat(sources, lengths)
        tokens = np.empty(len(indices), dtype=np.int64)
        for source in np.unique(sources):
            in_source = sources == source
            tokens[in_source] = self._columns[source][0][indices[in_source]]
        return PackedSequences(tokens, lengths)

    def _shuffle(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the order of the batches (n_batches,) and of the records (n,) of an epoch."""
        rng = np.random.default_rng([self._seed[0], RANDOM_STREAM, *self._seed[1:], epoch])
        shuffled = rng.permutation(np.arange(len(self._kept), dtype=self._kept.dtype))
        by_length = shuffled[np.argsort(self._total[shuffled], kind="stable")]
        return rng.permutation(self.n_batches), by_length


def _cut(lengths: np.ndarray, micro_batch_tokens: int) -> np.ndarray:
    """Divide sorted ``lengths`` (n,) so that rows times longest row is at most ``micro_batch_tokens``.

    Returns:
        (n_batches + 1,) borders. A row that is longer than ``micro_batch_tokens`` is one batch.
    """
    cuts = [0]
    while (start := cuts[-1]) < len(lengths):
        most = max(1, micro_batch_tokens // int(lengths[start]))
        candidates = lengths[start : start + most]
        fits = candidates * np.arange(1, len(candidates) + 1) <= micro_batch_tokens
        cuts.append(start + max(1, int(fits.sum())))
    return np.array(cuts)
