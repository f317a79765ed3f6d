import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_stores import make_store

from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.errors import CorpusError
from xlm_core.text.special_symbols import EOS

SENTENCES = st.lists(st.lists(st.integers(14, 99), max_size=5), max_size=6)


def windows(stream: TokenStream, seq_len: int, batch_size: int = 2, seed: int = 0) -> FixedLengthBlocks:
    return FixedLengthBlocks(stream, seq_len, batch_size, (seed,), "text of 'en'")


def test_windows_by_eye():
    stream = TokenStream([(make_store([[20, 21], [22], [23, 24, 25]]), (0,))])
    assert len(stream) == 9
    rows = windows(stream, seq_len=5).blocks(np.arange(3))
    assert rows.tolist() == [
        [EOS, 20, 21, EOS, 22],
        [EOS, EOS, 23, 24, 25],
        [EOS, 23, 24, 25, EOS],  # the last one is moved back until it is full
    ]


@given(shards=st.lists(SENTENCES, max_size=4))
def test_several_stores_read_as_one_stream(shards):
    stream = TokenStream([(make_store(sentences), (0,)) for sentences in shards])
    expected = [token for sentences in shards for sentence in sentences for token in (*sentence, EOS)]
    assert stream.tokens_at(np.arange(len(stream))).tolist() == expected


def test_the_column_of_the_language_is_read():
    store = make_store([[20], [21]], [[30, 31], [32]])
    assert TokenStream([(store, (1,))]).tokens_at(np.arange(5)).tolist() == [30, 31, EOS, 32, EOS]


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_each_window_is_seen_once_per_epoch(batch_size):
    numbers = list(range(14, 14 + 105))
    cut = windows(TokenStream([(make_store([numbers[:50], numbers[50:]]), (0,))]), 8, batch_size)
    n_batches = -(-3 * cut.n_blocks // batch_size)
    seen = np.concatenate([cut.batch(batch_index) for batch_index in range(n_batches)])
    all_windows = sorted(cut.blocks(np.arange(cut.n_blocks)).tolist())
    epochs = [seen[first : first + cut.n_blocks].tolist() for first in range(0, 3 * cut.n_blocks, cut.n_blocks)]
    assert all(sorted(epoch) == all_windows for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_a_batch_depends_on_seed_and_number_only():
    stream = TokenStream([(make_store([list(range(14, 214))]), (0,))])
    straight = [windows(stream, 8).batch(batch_index).tolist() for batch_index in range(40)]
    jumping = windows(stream, 8)
    assert [jumping.batch(batch_index).tolist() for batch_index in (39, 0, 17)] == [
        straight[39],
        straight[0],
        straight[17],
    ]
    assert windows(stream, 8, seed=1).batch(0).tolist() != straight[0]


def test_a_corpus_shorter_than_a_window_is_one_short_window():
    cut = windows(TokenStream([(make_store([[20, 21]]), (0,))]), seq_len=64)
    assert (cut.seq_len, cut.n_blocks) == (4, 1)
    assert cut.batch(5).tolist() == [[EOS, 20, 21, EOS]] * 2


def test_an_empty_corpus_is_refused():
    with pytest.raises(CorpusError, match="text of 'en': found no sentence"):
        windows(TokenStream([(make_store([]), (0,))]), seq_len=8)
