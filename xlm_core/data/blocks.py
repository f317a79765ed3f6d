"""Fixed-length blocks of the text of one language, for CLM and MLM (paper, sections 3.2, 3.3 and 5.1).

The sentences of a language form one stream, ``w w w </s> w w </s> ...``, which is laid out nowhere: a place in the
stream is turned into a place in a store when it is read. A block is ``</s>`` followed by a piece of the stream, so it
may begin within a sentence and holds any number of sentences.

Shapes: B blocks of T tokens.
"""

from collections.abc import Sequence

import numpy as np

from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CorpusError
from xlm_core.text.vocabulary import EOS

TAG = 1  # keeps these random numbers apart from those of the other modules


class TokenStream:
    """The sentences of one language in several stores, each sentence followed by ``</s>``, as one sequence."""

    def __init__(self, sides: Sequence[tuple[TokenStore, int]]) -> None:
        """``sides``: stores, each with the column of this language."""
        kept = [(store, column) for store, column in sides if len(store)]
        # asarray: a plain view of the memory map, without the cost of np.memmap's own indexing
        self._parts = [(np.asarray(store.tokens[column]), np.asarray(store.offsets[column])) for store, column in kept]
        sizes = [int(offsets[-1]) + len(offsets) - 1 for _, offsets in self._parts]
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        """Tokens, ends of sentences included."""
        return int(self._starts[-1])

    def tokens_at(self, places: np.ndarray) -> np.ndarray:
        """The tokens (…) at ``places`` (…) of the stream."""
        parts = np.searchsorted(self._starts, places, side="right") - 1
        output = np.empty(places.shape, dtype=np.int64)
        for part in np.unique(parts):
            here = parts == part
            tokens, offsets = self._parts[part]
            output[here] = _read(tokens, offsets, places[here] - self._starts[part])
        return output


def _read(tokens: np.ndarray, offsets: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The tokens (n,) at ``places`` (n,) of the stream of one store."""
    sentence = _sentence(offsets, places)
    output = np.full(places.shape, EOS, dtype=np.int64)
    is_word = places < offsets[sentence + 1] + sentence
    output[is_word] = tokens[(places - sentence)[is_word]]
    return output


def _sentence(offsets: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The sentence (n,) that each of ``places`` (n,) lies in: a binary search of all places at once.

    Sentence ``i`` begins at ``offsets[i] + i`` of the stream, because of the ``</s>`` after each one before it;
    ``np.searchsorted`` would need those sums as an array, a second copy of the offsets.
    """
    low = np.zeros(places.shape, dtype=np.int64)
    step = 1 << (len(offsets) - 1).bit_length()
    last = len(offsets) - 2
    while step := step >> 1:
        candidate = np.minimum(low + step, last)
        low = np.where(offsets[candidate] + candidate <= places, candidate, low)
    return low


class FixedLengthBlocks:
    """Blocks of text in random order, each once per epoch; batch ``batch_index`` is the same for every caller.

    ``seq_len`` is smaller than asked for where the whole stream is.
    """

    def __init__(self, stream: TokenStream, seq_len: int, batch_size: int, seed: Sequence[int], name: str) -> None:
        """Cut ``stream`` into blocks.

        Args:
            stream: the text.
            seq_len: T, the ``</s>`` in front counted.
            batch_size: B.
            seed: of the run, followed by what tells this stream from its other data.
            name: of the text, for the error message.

        Raises:
            CorpusError: the stream is empty.
        """
        if not len(stream):
            raise CorpusError(f"{name}: found no sentence, expected at least one; check the corpora it is made of")
        self._stream = stream
        self._width = min(seq_len - 1, len(stream))
        self._seed = seed
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0))
        self.batch_size = batch_size
        self.seq_len = self._width + 1
        self.n_blocks = -(-len(stream) // self._width)

    def batch(self, batch_index: int) -> np.ndarray:
        """Batch ``batch_index``: (B, T) ids; an epoch that ends within the batch is followed by the next."""
        draws = np.arange(batch_index * self.batch_size, (batch_index + 1) * self.batch_size)
        epochs, within = np.divmod(draws, self.n_blocks)
        chosen = [self._permutation(int(epoch))[within[epochs == epoch]] for epoch in np.unique(epochs)]
        return self.blocks(np.concatenate(chosen))

    def blocks(self, indices: np.ndarray) -> np.ndarray:
        """Read the blocks (B, T) of ``indices`` (B,) in the order of the text.

        The last block is moved back until it is full: it repeats some tokens instead of needing padding.
        """
        starts = np.minimum(indices * self._width, len(self._stream) - self._width)
        rows = np.empty((len(indices), self.seq_len), dtype=np.int64)
        rows[:, 0] = EOS
        rows[:, 1:] = self._stream.tokens_at(starts[:, None] + np.arange(self._width))
        return rows

    def _permutation(self, epoch: int) -> np.ndarray:
        """The order (n_blocks,) of an epoch; the last one is kept, for it serves many batches."""
        if self._order[0] != epoch:
            rng = np.random.default_rng([self._seed[0], TAG, *self._seed[1:], epoch])
            self._order = (epoch, rng.permutation(self.n_blocks))
        return self._order[1]
