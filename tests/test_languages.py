"""Language codes, pairs and sampling."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core import languages


def test_pairs():
    assert languages.pair("fr", "en") == languages.pair("en", "fr") == "en-fr"
    assert languages.sides("en-fr") == ("en", "fr")
    assert languages.sides("fr") == ("fr",)
    assert languages.is_pair("en-fr") and not languages.is_pair("fr")


def test_ids_of_the_published_fifteen_languages():
    codes = ["en", "fr", "es", "de", "el", "bg", "ru", "tr", "ar", "vi", "th", "zh", "hi", "sw", "ur"]
    published = ["ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"]
    assert languages.language_ids(codes) == {code: number for number, code in enumerate(published)}


def test_smoothing_by_hand():
    # shares 0.8 and 0.2; their roots stand 2 : 1
    assert languages.smoothed({"en": 80, "sw": 20}, 0.5) == pytest.approx({"en": 2 / 3, "sw": 1 / 3})
    assert languages.smoothed({"en": 80, "sw": 20}, 1.0) == pytest.approx({"en": 0.8, "sw": 0.2})
    assert languages.smoothed({"en": 80, "sw": 20}, 0.0) == pytest.approx({"en": 0.5, "sw": 0.5})


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 10**9), min_size=1), st.floats(0, 1))
def test_smoothing_gives_probabilities_that_keep_the_order(counts, alpha):
    drawn = languages.smoothed(counts, alpha)
    assert sum(drawn.values()) == pytest.approx(1)
    by_count, by_share = (
        sorted(counts, key=counts.__getitem__),
        [drawn[key] for key in sorted(counts, key=counts.__getitem__)],
    )
    assert by_count and all(first <= second * (1 + 1e-9) for first, second in itertools.pairwise(by_share))
