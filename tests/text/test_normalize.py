"""Normalization against Moses' rules and the published definition of accent removal."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.config import Text
from xlm_core.text.moses import PunctuationNormalizer
from xlm_core.text.tokenize import lower_and_strip, normalize_letters, tokenize_line


def stripped(text: str) -> str:
    return lower_and_strip(text, lowercase=True, strip_accents=True)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "“Well” – said…", '"Well" - said...'),  # the quotes, dashes and dots of normalize-punctuation.perl
        ("fr", "c’est l’été", "c'est l'été"),
        ("zh", "你好，世界。", "你好,世界."),  # replace-unicode-punctuation.perl
        ("en", "bell\x07 and\u200btab", "bell and tab"),  # remove-non-printing-char.perl
    ],
)
def test_punctuation_is_unified(language: str, text: str, expected: str):
    assert PunctuationNormalizer(language, published=False)(text).strip() == expected.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Élève À L'ÉCOLE", "eleve a l'ecole"),
        ("Ångström Straße", "angstrom straße"),
        ("İstanbul", "istanbul"),  # lower case leaves a combining dot, which is a mark
        ("Ёлка Йод", "елка иод"),
        ("हिन्दी", "हिनदी"),  # the virama is a mark and goes, the vowel signs are not and stay
        ("Tiếng Việt", "tieng viet"),
    ],
)
def test_accents_go_as_published(text: str, expected: str):
    assert stripped(text) == expected


@given(st.text())
def test_nothing_with_a_mark_is_left_and_twice_is_once(text: str):
    once = stripped(text)
    assert not any(unicodedata.category(char) == "Mn" for char in unicodedata.normalize("NFD", once))
    assert stripped(once) == once


@given(st.text())
def test_both_switches_off_change_nothing(text: str):
    assert lower_and_strip(text, lowercase=False, strip_accents=False) == text


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", 'He said "no", twice.', 'He said "no," twice.'),
        ("de", "Er sagte „nein,“ zweimal.", 'Er sagte "nein", zweimal.'),
        ("fr", "1\u00a0000", "1,000"),
        ("ru", "1\u00a0000", "1.000"),
        ("en", "a( b )c 5 % d : e", "a (b) c 5% d: e"),
    ],
)
def test_punctuation_by_the_rules_of_a_language(language: str, text: str, expected: str):
    """Worked out by hand from the published normalize-punctuation.perl."""
    assert PunctuationNormalizer(language, published=False)(text) == expected


@given(st.text())
def test_accents_go_as_in_transformers(text: str):
    """Its port of the published script, which takes and returns words."""
    xlm = pytest.importorskip("transformers.models.xlm.tokenization_xlm")
    assert stripped(text) == " ".join(xlm.lowercase_and_remove_accent([text]))


def test_twice_is_once_for_every_character():
    for code in range(sys.maxunicode + 1):
        once = stripped(chr(code))
        assert stripped(once) == once, hex(code)


ROMANIAN = "Şi ţara, Ţări ş Și țară; în Înalt, Â â"  # with cedillas, then with commas
DECOMPOSED = unicodedata.normalize("NFD", ROMANIAN)


@pytest.mark.parametrize("text", [ROMANIAN, DECOMPOSED])
@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("normalized", "Și țara, Țări ș Și țară; în Înalt, Â â"),
        ("stripped", "Si tara, Tari s Si tara; in Inalt, A a"),
    ],
)
def test_the_letters_of_romanian(text: str, letters: str, expected: str):
    assert normalize_letters(text, "ro", letters) == expected


@given(st.text() | st.just(ROMANIAN) | st.just(DECOMPOSED))
def test_romanian_as_it_is_is_only_composed(text: str):
    assert normalize_letters(text, "ro", "keep") == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("letters", ["normalized", "stripped"])
def test_letters_that_are_not_romanian_stay(letters: str):
    assert normalize_letters("café Müller ñ č 你好 ё", "ro", letters) == "café Müller ñ č 你好 ё"


@pytest.mark.parametrize("already_tokenized", [True, False])
def test_only_romanian_is_spelled_like_romanian(already_tokenized: bool):
    def tokens(language: str, letters: str) -> str:
        text = Text(lowercase=False, strip_accents=False, romanian=letters)
        return tokenize_line("Şi ţară", language, text, already_tokenized)

    expected = {"keep": "Şi ţară", "normalized": "Și țară", "stripped": "Si tara"}
    assert {letters: tokens("ro", letters) for letters in expected} == expected
    assert {tokens(language, "stripped") for language in ("tr", "en", "fr", "de")} == {"Şi ţară"}
