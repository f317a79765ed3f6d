import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.config import Noise
from xlm_core.data.batch import PackedSequences
from xlm_core.data.noise import add_noise
from xlm_core.text.special_symbols import MASK

NONE = {"shuffle_distance": 0, "drop_prob": 0, "mask_prob": 0}


class Draws:
    """A random generator that draws what it is told, call after call."""

    def __init__(self, *draws):
        self._draws = list(draws)

    def random(self, n):
        draw = self._draws.pop(0)
        assert len(draw) == n
        return np.array(draw)


def noisy(sentences, begins, noise, rng):
    """Sentences as lists; ``begins`` says of each token whether it begins a word."""
    corrupted = add_noise(PackedSequences.from_lists(sentences), np.array(begins, dtype=bool), noise, rng)
    return [part.tolist() for part in np.split(corrupted.tokens, np.cumsum(corrupted.lengths)[:-1])]


# Two sentences of three words and two; the pieces of a word: 20 21 | 22 | 23 24 and 30 | 31 32.
SENTENCES, BEGINS = [[20, 21, 22, 23, 24], [30, 31, 32]], [1, 0, 1, 1, 0, 1, 1, 0]
STILL, STAY, SHOWN = [0.0] * 5, [0.9] * 5, [0.9] * 5


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        ((STILL, STAY, SHOWN), [[20, 21, 22, 23, 24], [30, 31, 32]]),
        # places 0, 1, 2 | 3, 4 and three times the draw: 2.7, 1, 2.3 | 3.3, 4
        (([0.9, 0, 0.1, 0.1, 0], STAY, SHOWN), [[22, 23, 24, 20, 21], [30, 31, 32]]),
        (([0.4, 0, 0, 0.4, 0], STAY, SHOWN), [[22, 20, 21, 23, 24], [31, 32, 30]]),
        ((STILL, [0.9, 0.05, 0.9, 0.9, 0.05], SHOWN), [[20, 21, 23, 24], [30]]),
        ((STILL, [0.01, 0.03, 0.02, 0.05, 0.04], SHOWN), [[22], [30]]),  # all would be left out: the highest stays
        ((STILL, STAY, [0.05, 0.9, 0.9, 0.9, 0.05]), [[MASK, MASK, 22, 23, 24], [30, MASK, MASK]]),
    ],
)
def test_noise_by_eye(draws, expected):
    noise = Noise(shuffle_distance=3, drop_prob=0.1, mask_prob=0.1)
    assert noisy(SENTENCES, BEGINS, noise, Draws(*draws)) == expected


def test_the_published_noise_is_of_tokens():
    noise = Noise(unit="token", shuffle_distance=3, drop_prob=0.1, mask_prob=0.1)
    draws = Draws([0.0, 0.4, 0, 0, 0, 0, 0, 0], [0.9, 0.9, 0.9, 0.05, 0.9, 0.9, 0.9, 0.9], [0.05, *[0.9] * 7])
    assert noisy(SENTENCES, BEGINS, noise, draws) == [[MASK, 22, 21, 24], [30, 31, 32]]


sentences_of_words = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=12), min_size=1, max_size=6)


def tokenize_line(words):
    """Sentences out of words of so many pieces; all tokens differ."""
    counter = iter(range(100, 10_000))
    text = [[[next(counter) for _ in range(size)] for size in sentence] for sentence in words]
    begins = [position == 0 for sentence in text for word in sentence for position in range(len(word))]
    return text, [[token for word in sentence for token in word] for sentence in text], begins


@given(words=sentences_of_words, shuffle=st.integers(0, 5), seed=st.integers(0, 1000))
def test_words_move_whole_and_not_far(words, shuffle, seed):
    text, flat, begins = tokenize_line(words)
    shuffled = noisy(flat, begins, Noise(**{**NONE, "shuffle_distance": shuffle}), np.random.default_rng(seed))
    for sentence, moved in zip(text, shuffled, strict=True):
        first = {word[0]: (position, word) for position, word in enumerate(sentence)}
        places, rest = [], list(moved)
        while rest:
            position, word = first[rest[0]]
            assert rest[: len(word)] == word
            places.append(position)
            rest = rest[len(word) :]
        assert sorted(places) == list(range(len(sentence)))
        assert all(abs(position - now) < max(shuffle, 1) for now, position in enumerate(places))


@given(words=sentences_of_words, drop=st.floats(0, 0.99), seed=st.integers(0, 1000))
def test_words_are_left_out_whole_and_one_stays(words, drop, seed):
    text, flat, begins = tokenize_line(words)
    shortened = noisy(flat, begins, Noise(**{**NONE, "drop_prob": drop}), np.random.default_rng(seed))
    for sentence, left in zip(text, shortened, strict=True):
        kept = [word for word in sentence if word[0] in left]
        assert kept and [token for word in kept for token in word] == left


def test_the_shares_are_those_asked_for():
    text = [[*range(100, 120)]] * 2000
    begins = [1] * 40_000
    dropped = noisy(text, begins, Noise(**{**NONE, "drop_prob": 0.1}), np.random.default_rng(0))
    blanked = noisy(text, begins, Noise(**{**NONE, "mask_prob": 0.2}), np.random.default_rng(0))
    assert sum(map(len, dropped)) / 40_000 == pytest.approx(0.9, abs=0.01)
    assert sum(sentence.count(MASK) for sentence in blanked) / 40_000 == pytest.approx(0.2, abs=0.01)
