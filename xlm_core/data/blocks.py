"""Fixed-length blocks of the text of one language, for CLM and MLM (paper, sections 3.2, 3.3 and 5.1).

The sentences of a language form one stream, ``w w w </s> w w </s> ...``, which is never materialized: an index of the
stream is converted to an index of a store when it is read. A block is ``</s>`` followed by a slice of the stream, so it
may begin within a sentence and holds any number of sentences.

Shapes: B blocks of T tokens.
"""

from collections.abc import Sequence

import numpy as np

from xlm_core.data.sampling import cached_by_epoch
from xlm_core.data.token_store import Records
from xlm_core.errors import CorpusError
from xlm_core.text.special_symbols import XLM_SYMBOLS, SpecialSymbols

RANDOM_STREAM = 1  # each module that draws numbers has another


class TokenStream:
    """The sentences of one language in several stores, each sentence followed by ``</s>``, as one sequence."""

    def __init__(self, records: Records, symbols: SpecialSymbols = XLM_SYMBOLS) -> None:
        """Concatenate the sentences of ``records``, which have one column, of this language."""
        self.symbols = symbols
        self._parts = [(store.tokens[column], store.offsets[column]) for store, (column,) in records if len(store)]
        sizes = [int(offsets[-1]) + len(offsets) - 1 for _, offsets in self._parts]
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        """Count the tokens, ends of sentences included."""
        return int(self._starts[-1])

    def tokens_at(self, indices: np.ndarray) -> np.ndarray:
        """Read the tokens (…) at ``indices`` (…) of the stream."""
        parts = np.searchsorted(self._starts, indices, side="right") - 1
        tokens = np.empty(indices.shape, dtype=np.int64)
        for part in np.unique(parts):
            in_part = parts == part
            of_part, offsets = self._parts[part]
            tokens[in_part] = _read(of_part, offsets, indices[in_part] - self._starts[part], self.symbols.end)
        return tokens


def _read(tokens: np.ndarray, offsets: np.ndarray, indices: np.ndarray, end: int) -> np.ndarray:
    """Read the tokens (n,) at ``indices`` (n,) of the stream of one store, whose sentences have ``end`` after them."""
    sentences = _sentences(offsets, indices)
    stream = np.full(indices.shape, end, dtype=np.int64)
    is_word = indices < offsets[sentences + 1] + sentences
    stream[is_word] = tokens[(indices - sentences)[is_word]]
    return stream


def _sentences(offsets: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Find the sentences (n,) that contain ``indices`` (n,), by a binary search of all indices at once.

    Sentence ``i`` begins at ``offsets[i] + i`` of the stream, because of the ``</s>`` after each one before it;
    ``np.searchsorted`` would need those sums as an array, a second copy of the offsets.
    """
    low = np.zeros(indices.shape, dtype=np.int64)
    step = 1 << (len(offsets) - 1).bit_length()
    last = len(offsets) - 2
    while step := step >> 1:
        candidate = np.minimum(low + step, last)
        low = np.where(offsets[candidate] + candidate <= indices, candidate, low)
    return low


class FixedLengthBlocks:
    """Blocks of text in random order, each once per epoch; batch ``batch_index`` is the same for every caller.

    ``seq_len`` is smaller than requested if the whole stream is.
    """

    def __init__(self, stream: TokenStream, seq_len: int, batch_size: int, seed: Sequence[int], name: str) -> None:
        """Cut ``stream`` into blocks.

        Args:
            stream: the text.
            seq_len: T, the first ``</s>`` counted.
            batch_size: B.
            seed: of the run, followed by numbers that distinguish this stream from its other data.
            name: of the text, for the error message.

        Raises:
            CorpusError: the stream is empty.
        """
        if not len(stream):
            raise CorpusError(f"{name}: found no sentence, expected at least one; check the corpora it is made of")
        self._stream = stream
        self._width = min(seq_len - 1, len(stream))
        self._seed = seed
        self._order = cached_by_epoch(self._permutation)  # one epoch serves many batches
        self.batch_size = batch_size
        self.seq_len = self._width + 1
        self.n_blocks = -(-len(stream) // self._width)

    def batch(self, batch_index: int) -> np.ndarray:
        """Read batch ``batch_index``, (B, T) ids; an epoch that ends within the batch is followed by the next."""
        draws = np.arange(batch_index * self.batch_size, (batch_index + 1) * self.batch_size)
        epochs, within = np.divmod(draws, self.n_blocks)
        chosen = [self._order(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)]
        return self.blocks(np.concatenate(chosen))

    def blocks(self, indices: np.ndarray) -> np.ndarray:
        """Read the blocks (B, T) of ``indices`` (B,) in the order of the text.

        The last block is moved back until it is full: it repeats some tokens instead of needing padding.
        """
        starts = np.minimum(indices * self._width, len(self._stream) - self._width)
        rows = np.empty((len(indices), self.seq_len), dtype=np.int64)
        rows[:, 0] = self._stream.symbols.begin
        rows[:, 1:] = self._stream.tokens_at(starts[:, None] + np.arange(self._width))
        return rows

    def _permutation(self, epoch: int) -> np.ndarray:
        """Draw the order (n_blocks,) of an epoch."""
        rng = np.random.default_rng([self._seed[0], RANDOM_STREAM, *self._seed[1:], epoch])
        return rng.permutation(self.n_blocks)
