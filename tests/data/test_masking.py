import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE
from xlm_core.data.masking import MaskSampler, masking_weights
from xlm_core.text.special_symbols import EOS, MASK, N_SPECIAL, PAD, UNK

N_TOKENS = 100
COUNTS = np.arange(N_TOKENS)


def window(rows=100, columns=50, seed=0):
    tokens = np.random.default_rng(seed).integers(N_SPECIAL, N_TOKENS, (rows, columns))
    tokens[:, 0] = EOS
    tokens[:, columns // 2] = EOS
    tokens[::2, -5:] = PAD
    return tokens


def masked(tokens, masking, seed=0):
    return MaskSampler(COUNTS, masking).mask(tokens, np.random.default_rng(seed))


def test_weights_fall_with_the_root_of_the_count_and_are_zero_for_specials():
    weights = masking_weights(np.array([0] * N_SPECIAL + [0, 1, 4, 100]), 0.5)
    assert weights.tolist() == [0.0] * N_SPECIAL + [1.0, 1.0, 0.5, 0.1]


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_labels_are_the_hidden_tokens_and_the_rest_is_untouched(alpha):
    tokens = window()
    inputs, labels = masked(tokens, Masking(frequency_exponent=alpha))
    chosen = labels != IGNORE
    assert (labels[chosen] == tokens[chosen]).all()
    assert (inputs[~chosen] == tokens[~chosen]).all()


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_fates_are_80_10_10(alpha):
    tokens = window(rows=1000)
    inputs, labels = masked(tokens, Masking(frequency_exponent=alpha))
    chosen = labels != IGNORE
    hidden, truth = inputs[chosen], tokens[chosen]
    replaced = hidden[(hidden != MASK) & (hidden != truth)]
    assert (hidden == MASK).mean() == pytest.approx(0.8, abs=0.015)
    assert (hidden == truth).mean() == pytest.approx(0.1, abs=0.015)
    assert replaced.min() == N_SPECIAL
    assert replaced.max() == N_TOKENS - 1


def test_even_masking_draws_each_token_alike_and_ends_of_sentences_too():
    tokens = window(rows=1000)
    _, labels = masked(tokens, Masking(frequency_exponent=0.0))
    chosen = labels != IGNORE
    assert not chosen[:, 0].any()
    assert not chosen[tokens == PAD].any()
    assert chosen[:, 25].mean() == pytest.approx(0.15, abs=0.04)
    assert chosen[:, 1:][tokens[:, 1:] != PAD].mean() == pytest.approx(0.15, abs=0.01)


@given(share=st.floats(0.01, 0.99), rows=st.integers(1, 5), seed=st.integers(0, 50))
def test_weighted_masking_hides_an_exact_number_of_pieces(share, rows, seed):
    tokens = window(rows, 12, seed)
    tokens[:, 3] = UNK
    _, labels = masked(tokens, Masking(mask_prob=share, frequency_exponent=0.5), seed)
    chosen = labels != IGNORE
    assert chosen.sum() == math.ceil(share * (tokens >= N_SPECIAL).sum())
    assert (tokens[chosen] >= N_SPECIAL).all()


def test_weighted_masking_follows_the_weights():
    """One of two tokens is drawn: one with count 1, one with count 16, whose weight is a quarter."""
    masks = MaskSampler(np.array([0] * N_SPECIAL + [1, 16]), Masking(mask_prob=0.4, frequency_exponent=0.5))
    tokens = np.array([[EOS, N_SPECIAL, N_SPECIAL + 1]])
    rng = np.random.default_rng(0)
    drawn = [masks.mask(tokens, rng)[1].max() for _ in range(4000)]
    assert np.mean(np.array(drawn) == N_SPECIAL) == pytest.approx(0.8, abs=0.02)


def test_weighted_masking_is_numpys_weighted_choice():
    """Two of three without replacement, as ``numpy.random.choice`` draws them."""
    counts = np.array([0] * N_SPECIAL + [100, 25, 4])  # weights of 1 to 2 to 5
    masks = MaskSampler(counts, Masking(mask_prob=0.6, frequency_exponent=0.5))
    tokens = N_SPECIAL + np.array([[0, 1, 2]])
    rng = np.random.default_rng(0)
    ours = np.mean([masks.mask(tokens, rng)[1] != IGNORE for _ in range(6000)], axis=0)[0]
    theirs = np.mean([np.isin([0, 1, 2], rng.choice(3, 2, False, [1 / 8, 2 / 8, 5 / 8])) for _ in range(6000)], axis=0)
    assert ours == pytest.approx(theirs, abs=0.03)


def test_something_is_predicted_even_in_a_tiny_batch():
    tokens = np.array([[EOS, 20, EOS]])
    for seed in range(50):
        assert (masked(tokens, Masking(frequency_exponent=0.0), seed)[1] != IGNORE).any()


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_batch_without_a_piece_is_left_as_it_is(alpha):
    tokens = np.array([[EOS, PAD]])
    inputs, labels = masked(tokens, Masking(frequency_exponent=alpha))
    assert inputs.tolist() == tokens.tolist()
    assert (labels == IGNORE).all()


def test_the_entropy_is_that_of_hidden_tokens():
    """Hidden tokens have frequencies count * count ** -0.5: of 1, 4 and 9 those are 1, 2 and 3 of 6."""
    counts = np.array([50] * N_SPECIAL + [1, 4, 9])
    expected = -sum(share * math.log(share) for share in (1 / 6, 2 / 6, 3 / 6))
    assert MaskSampler(counts, Masking(frequency_exponent=0.5)).unigram_entropy() == pytest.approx(expected)
