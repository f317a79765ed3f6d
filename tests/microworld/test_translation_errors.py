"""Errors of translation: as many as stated, and of the stated kinds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from microworld.nli import add_translation_errors

SENTENCES = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8).map(lambda words: [*words, "."]))


@given(SENTENCES)
def test_at_a_rate_of_zero_nothing_goes_wrong(sentences):
    assert list(add_translation_errors(sentences, 0.0, np.random.default_rng(0))) == sentences


@given(SENTENCES, st.integers(0, 9))
def test_every_sentence_stays_a_sentence(sentences, seed):
    translations = add_translation_errors(sentences, 0.9, np.random.default_rng(seed))
    known = {word for sentence in sentences for word in sentence}
    for before, after in zip(sentences, translations, strict=True):
        assert len(before) >= len(after) >= 2 and after[-1] == "." and set(after) <= known


def test_the_rate_is_that_of_the_words_and_the_three_kinds_are_alike():
    """Words of their own, so that what happened to each can be told."""
    n = 3000
    sentences = [[f"{i}a", f"{i}b", f"{i}c", "."] for i in range(n)]
    translations = list(add_translation_errors(sentences, 0.1, np.random.default_rng(0)))
    left_out = sum(len(after) == 3 for after in translations)
    exchanged = sum(
        sorted(after) == sorted(before) != after and after != before
        for before, after in zip(sentences, translations, strict=True)
    )
    replaced = sum(
        len(after) == 4 and not set(after) <= set(before) for before, after in zip(sentences, translations, strict=True)
    )
    wrong = sum(after != before for before, after in zip(sentences, translations, strict=True))
    assert abs(wrong / n - (1 - 0.9**3)) < 0.025
    assert min(left_out, exchanged, replaced) > 0.2 * wrong
