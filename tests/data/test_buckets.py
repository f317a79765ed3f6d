import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_stores import make_store

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE, PackedSequences
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import concat_pairs, tlm_batch
from xlm_core.errors import CorpusError
from xlm_core.text.special_symbols import EOS, PAD

LIMITS = {
    "max_tokens": 60,
    "max_positions": 40,
    "micro_batch_tokens": 100,
    "seed": (0,),
    "name": "pairs of 'de-en'",
}
MASKS = MaskSampler(np.ones(6000), Masking())


def buckets_of(stores, **changed):
    """The pairs of some stores of two columns."""
    return LengthBucketedDataset([(store, (0, 1)) for store in stores], **{**LIMITS, **changed})


def random_pairs(n, seed=0):
    """Two stores of ``n`` pairs; the first token of a pair's sides tells which pair it is: 100 + i and 5000 + i."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 20, (2 * n, 2))
    first = [[100 + i, *rng.integers(14, 99, lengths[i, 0])] for i in range(2 * n)]
    second = [[5000 + i, *rng.integers(14, 99, lengths[i, 1])] for i in range(2 * n)]
    return [make_store(first[:n], second[:n]), make_store(first[n:], second[n:])], first, second


def shown(buckets, number, seed=0):
    """Tokens, lengths and languages of a TLM batch, what is hidden shown."""
    batch = tlm_batch(buckets, number, (0, 1), MASKS, np.random.default_rng(seed))
    tokens = np.where(batch.labels != IGNORE, batch.labels, batch.tokens)
    return tokens, batch.lengths.numpy(), batch.languages.numpy()


def test_a_joined_pair_by_eye():
    first, second = (
        PackedSequences.from_lists([[20, 21], [22], [30]]),
        PackedSequences.from_lists([[30], [31, 32], [20, 21]]),
    )
    tokens, positions, is_second, lengths = concat_pairs(first, second)
    assert tokens.tolist() == [
        [EOS, 20, 21, EOS, EOS, 30, EOS],
        [EOS, 22, EOS, EOS, 31, 32, EOS],
        [EOS, 30, EOS, EOS, 20, 21, EOS],
    ]
    assert positions.tolist() == [[0, 1, 2, 3, 0, 1, 2], [0, 1, 2, 0, 1, 2, 3], [0, 1, 2, 0, 1, 2, 3]]
    assert is_second.tolist() == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]]
    assert lengths.tolist() == [7, 7, 7]


def test_padding_by_eye():
    first, second = PackedSequences.from_lists([[20], [22, 23]]), PackedSequences.from_lists([[30], [31]])
    tokens, positions, _, lengths = concat_pairs(first, second)
    assert tokens.tolist() == [[EOS, 20, EOS, EOS, 30, EOS, PAD], [EOS, 22, 23, EOS, EOS, 31, EOS]]
    assert positions.tolist() == [[0, 1, 2, 0, 1, 2, 0], [0, 1, 2, 3, 0, 1, 2]]
    assert lengths.tolist() == [6, 7]


def test_each_pair_is_seen_once_per_epoch_and_stays_a_pair():
    stores, first, second = random_pairs(60)
    buckets = buckets_of(stores)
    for epoch in range(2):
        seen = []
        for number in range(buckets.n_batches):
            batch, lengths, languages = shown(buckets, epoch * buckets.n_batches + number, seed=number)
            for tokens, length, swapped in zip(batch, lengths, languages[:, 0], strict=True):
                identity = int(tokens[1]) - (5000 if swapped else 100)
                sides = (second[identity], first[identity]) if swapped else (first[identity], second[identity])
                assert tokens[:length].tolist() == [EOS, *sides[0], EOS, EOS, *sides[1], EOS]
                seen.append(identity)
        assert sorted(seen) == list(range(120))


def test_both_orders_of_a_pair_occur():
    stores, *_ = random_pairs(300)
    buckets = buckets_of(stores)
    swapped = np.concatenate([shown(buckets, i, seed=i)[2][:, 0] for i in range(buckets.n_batches)])
    assert 0.4 < swapped.mean() < 0.6


def test_batches_are_bounded_and_hold_little_padding():
    stores, *_ = random_pairs(500)
    buckets = buckets_of(stores, micro_batch_tokens=200)
    batches = [shown(buckets, number)[0] for number in range(buckets.n_batches)]
    assert max(tokens.size for tokens in batches) <= 200
    padding = sum((tokens == PAD).sum() for tokens in batches) / sum(tokens.size for tokens in batches)
    assert padding < 0.02


def test_epochs_differ_in_order_and_numbers_do_not_depend_on_history():
    stores, *_ = random_pairs(100)
    batches = [shown(buckets_of(stores), 7)[0].tolist() for _ in range(2)]
    assert batches[0] == batches[1]
    buckets = buckets_of(stores)
    later = shown(buckets, 7 + buckets.n_batches)[0].tolist()
    assert later != batches[0]
    assert shown(buckets, 7)[0].tolist() == batches[0]


def test_pairs_that_do_not_fit_are_skipped_and_counted():
    # 4 + 30 + 30 tokens are too many; a half of 2 + 39 too; 2 + 38 fits; an empty side teaches nothing
    lengths = [(30, 30), (39, 1), (38, 1), (0, 3), (2, 2)]
    store = make_store([[20] * first for first, _ in lengths], [[30] * second for _, second in lengths])
    buckets = buckets_of([store])
    assert buckets.n_filtered == {"too_long": 2, "empty_side": 1}
    assert len(buckets) == 2


@given(
    lengths=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), min_size=1, max_size=30),
    micro_batch_tokens=st.integers(1, 200),
)
def test_no_pair_is_lost_without_being_counted(lengths, micro_batch_tokens):
    store = make_store([[20] * first for first, _ in lengths], [[30] * second for _, second in lengths])
    try:
        buckets = buckets_of([store], micro_batch_tokens=micro_batch_tokens)
    except CorpusError:
        assert all(min(pair) == 0 or sum(pair) + 4 > 60 or max(pair) + 2 > 40 for pair in lengths)
        return
    assert sum(
        len(shown(buckets, number)[0]) for number in range(buckets.n_batches)
    ) + buckets.n_filtered.total() == len(lengths)


@pytest.mark.parametrize("columns", [([], []), ([[20] * 90], [[30]])])
def test_nothing_to_learn_from_is_refused(columns):
    with pytest.raises(CorpusError, match="pairs of 'de-en': found"):
        buckets_of([make_store(*columns)])
