"""The small world's dictionary and its ratings of words."""

from collections import Counter

import numpy as np
import pytest

from microworld import word_lists, write
from xlm_core.config import GeneratedFile, Microworld
from xlm_core.errors import ConfigError

WORLD = Microworld(
    documents={"en": 1}, dictionaries=["en-fr"], similarity={"en-fr": 60}, nli_train=1, nli_valid=1, nli_test=1
)


def test_a_dictionary_has_each_translation_of_a_word_and_single_words_only():
    pairs = list(word_lists.translations("en-fr"))
    assert len(set(pairs)) == len(pairs) > 250
    assert {target for source, target in pairs if source == "teacher"} == {"professeur", "professeure"}
    assert {target for source, target in pairs if source == "small"} == {"petit", "petite", "petits", "petites"}
    assert {("dogs", "chiens"), ("park", "parc"), ("sleeps", "dort"), ("anna", "anna"), ("berlin", "berlin")} <= set(
        pairs
    )
    assert not any(source == "cheap" for source, _ in pairs)  # "bon marché"
    assert all(word == word.lower() and " " not in word for pair in pairs for word in pair)


def test_other_languages_lack_what_they_say_in_several_words():
    german, hindi = (dict(word_lists.translations(f"en-{language}")) for language in ("de", "hi"))
    assert german["big"] == "groß" and german["dogs"] == "hunde"
    assert hindi["dog"] == "कुत्ता" and "beach" not in hindi and "sleeps" not in hindi


@pytest.mark.parametrize(
    ("concept", "other", "expected"),
    [
        ("dog", "dog", 4.0),
        ("dog", "cat", 2.67),  # animal and mammal above both, three deep each: 4 * 2 * 2 / 6
        ("dog", "mammal", 3.2),  # 4 * 2 * 2 / 5
        ("dog", "duck", 1.33),  # 4 * 2 * 1 / 6
        ("dog", "piano", 0.0),
    ],
)
def test_ratings_follow_the_taxonomy(concept, other, expected):
    assert word_lists.rating(concept, other) == expected == word_lists.rating(other, concept)


def test_rated_pairs_are_different_and_of_all_grades():
    pairs = list(word_lists.ratings(np.random.default_rng(0), "en-fr", 200))
    assert len({pair[:2] for pair in pairs}) == 200
    counts = Counter(rating for *_, rating in pairs)
    assert set(counts) >= {0.0, 2.67, 3.2, 4.0} and min(counts.values()) > 10


def test_more_pairs_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"microworld\.similarity\.en-fr: 1000000 pairs, but its nouns make"):
        list(word_lists.ratings(np.random.default_rng(0), "en-fr", 1_000_000))


def test_files_have_the_published_forms(tmp_path):
    outputs = {GeneratedFile(name, "en-fr"): tmp_path / name for name in ("dictionaries", "similarity")}
    write(WORLD, ["en"], outputs)
    before = {name: path.read_bytes() for name, path in outputs.items()}
    assert "dog chien\n" in before["dictionaries", "en-fr"].decode()
    rows = [line.split("\t") for line in before["similarity", "en-fr"].decode().splitlines()]
    assert len(rows) == 60 and all(0 <= float(rating) <= 4 for _, _, rating in rows)
    write(WORLD, ["en"], outputs)
    assert before == {name: path.read_bytes() for name, path in outputs.items()}
