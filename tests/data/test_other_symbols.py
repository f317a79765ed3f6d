"""Batches for models of other programs, by eye: what stands around sentences is what their vocabulary says."""

import numpy as np
import pytest
import torch
from token_stores import make_store

from xlm_core.config import Masking
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.data.labelled import DatasetPart, LabelledDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import concat_pairs
from xlm_core.data.token_store import TokenStore
from xlm_core.text.special_symbols import SpecialSymbols

XLM_R = SpecialSymbols(pad=1, unk=3, mask=29, begin=0, end=2, between=[2, 2], special=[0, 1, 2, 3, 29])
BERT = SpecialSymbols(
    pad=0, unk=7, mask=9, begin=5, end=6, between=[6], has_segments=True, special=[0, 5, 6, 7, 9]
)  # fmt: skip
FIRST, SECOND = PackedSequences.from_lists([[20, 21], [22]]), PackedSequences.from_lists([[23], [24, 25]])


def pairs(symbols: SpecialSymbols) -> LabelledDataset:
    columns = [(np.array([20, 21, 22]), np.array([0, 2, 3])), (np.array([23, 24, 25]), np.array([0, 1, 3]))]
    store = TokenStore(
        tokens=tuple(tokens for tokens, _ in columns),
        offsets=tuple(offsets for _, offsets in columns),
        languages=("en", "en"),
        labels=np.array([0, 1]),
        vocabulary="v",
        digest="d",
    )
    return LabelledDataset((DatasetPart(store, 0, np.arange(2), symbols),))


def test_sentences() -> None:
    assert sentence_batch(FIRST, 0, XLM_R).tokens.tolist() == [[0, 20, 21, 2], [0, 22, 2, 1]]
    batch = sentence_batch(FIRST, 0, BERT)
    assert batch.tokens.tolist() == [[5, 20, 21, 6], [5, 22, 6, 0]] and batch.segments is None


def test_labelled_pairs() -> None:
    batch = pairs(XLM_R).batch(np.arange(2), 20)
    assert batch.tokens.tolist() == [[0, 20, 21, 2, 2, 23, 2, 1][:7], [0, 22, 2, 2, 24, 25, 2]]
    assert batch.segments is None and batch.positions.tolist() == [[*range(7)]] * 2
    batch = pairs(BERT).batch(np.arange(2), 20)
    assert batch.tokens.tolist() == [[5, 20, 21, 6, 23, 6], [5, 22, 6, 24, 25, 6]]
    assert batch.segments is not None and batch.segments.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize(("symbols", "n_special"), [(XLM_R, 4), (BERT, 3)])
def test_pairs_are_cut_to_a_length_that_counts_their_symbols(symbols: SpecialSymbols, n_special: int) -> None:
    dataset = pairs(symbols)
    assert [dataset.n_truncated(n) for n in (n_special + 2, n_special + 3)] == [2, 0]
    assert dataset.batch(np.arange(2), n_special + 2).tokens.shape == (2, n_special + 2)


def test_segments_go_with_their_rows() -> None:
    batch = pairs(BERT).batch(np.arange(2), 20)
    selected = batch.select(np.array([1]))
    assert selected.segments is not None and selected.segments.tolist() == [[0, 0, 0, 1, 1, 1]]
    moved = batch.to(torch.device("meta"))
    assert moved.segments is not None and moved.segments.device.type == moved.labels.device.type == "meta"


def test_both_sentences_of_a_translation_have_their_symbols() -> None:
    tokens, positions, is_second, lengths = concat_pairs(FIRST, SECOND, XLM_R)
    assert tokens.tolist() == [[0, 20, 21, 2, 0, 23, 2], [0, 22, 2, 0, 24, 25, 2]]
    assert positions.tolist() == [[0, 1, 2, 3, 0, 1, 2], [0, 1, 2, 0, 1, 2, 3]]
    assert is_second.sum(axis=1).tolist() == [3, 4] and lengths.tolist() == [7, 7]
    assert concat_pairs(FIRST, PackedSequences.from_lists([[23], []]), BERT)[0].tolist() == [
        [5, 20, 21, 6, 5, 23, 6],
        [5, 22, 6, 5, 6, 0, 0],
    ]


def test_blocks() -> None:
    stream = TokenStream([(make_store([[20, 21], [22], [23, 24, 25]]), (0,))], XLM_R)
    assert stream.tokens_at(np.arange(9)).tolist() == [20, 21, 2, 22, 2, 23, 24, 25, 2]
    blocks = FixedLengthBlocks(stream, 4, 1, (0,), "text")
    assert blocks.blocks(np.arange(3)).tolist() == [[0, 20, 21, 2], [0, 22, 2, 23], [0, 24, 25, 2]]


def test_masks_and_random_pieces_are_of_the_vocabulary() -> None:
    masks = MaskSampler(np.ones(30), Masking(mask_prob=0.9, mask=0.5, random=0.5, keep=0.0), XLM_R)
    tokens = np.full((200, 20), 10)
    tokens[:, 0], tokens[:, -1] = 0, 1
    inputs, labels = masks.mask(tokens, np.random.default_rng(0))
    drawn = set(inputs[labels >= 0].tolist())
    assert drawn == {29, *range(4, 29)}
    assert (labels[:, [0, -1]] < 0).all() and (inputs[:, -1] == 1).all()
    by_frequency = MaskSampler(np.ones(30), Masking(mask_prob=0.9, frequency_exponent=0.5), BERT)
    _, labels = by_frequency.mask(np.tile([5, 20, 6, 21, 0], (50, 1)), np.random.default_rng(0))
    assert set(labels[labels >= 0].tolist()) == {20, 21}
