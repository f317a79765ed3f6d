"""The Moses chain beside sacremoses and Moses' own Perl scripts, and by hand where it departs from either."""

import shutil
import subprocess
import sys
import unicodedata
from functools import cache
from importlib import resources

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from sacremoses import MosesPunctNormalizer
from sacremoses import MosesTokenizer as Sacremoses

from xlm_core.text.moses import UNICODE_PUNCTUATION, MosesTokenizer, PunctuationNormalizer

RULES = ["en", "fr", "it", "de", "ru", "hi"]  # languages whose rules differ
PUNCTUATION = list(""".,'"`-?!:;()[]%&$/«»„“”‘’´…–—，。、：（）！？．１＂ \u00a0""")
WORDS = [
    "Mr.",
    "No.",
    "e.g.",
    "z.B.",
    "a.m.",
    "3,500",
    "1990's",
    "l'été",
    "isn't",
    "o'clock",
    "...",
    "nº",
    "cm",
    "हिन्दी",
]


@cache
def tokenizer(language: str, published: bool = False) -> MosesTokenizer:
    return MosesTokenizer(language, published=published)


@cache
def normalizer(language: str, published: bool = False) -> PunctuationNormalizer:
    return PunctuationNormalizer(language, published=published)


@cache
def sacremoses(language: str) -> tuple[MosesPunctNormalizer, Sacremoses]:
    options = {"pre_replace_unicode_punct": True, "post_remove_control_chars": True}
    return MosesPunctNormalizer(language, **options), Sacremoses(language)


def tokens(language: str, line: str, *, published: bool = False) -> str:
    return " ".join(tokenizer(language, published)(normalizer(language, published)(line)))


@cache
def shared_characters() -> list[str]:
    """The characters that belong to the same classes in sacremoses, whose tables are of an older Unicode."""
    classes = (
        (set(Sacremoses.IsAlnum), regex.compile(r"[\p{Alphabetic}\p{M}\p{Nd}]")),
        (set(Sacremoses.IsAlpha), regex.compile(r"[\p{Alphabetic}\p{M}]")),
        (set(Sacremoses.IsN), regex.compile(r"\p{N}")),
        (set(Sacremoses.IsLower), regex.compile(r"\p{Lowercase}")),
    )
    return [
        character
        for character in map(chr, range(0x20, 0xFFFF))
        if unicodedata.category(character)[0] != "C"
        and all((character in old) == bool(new.match(character)) for old, new in classes)
    ]


def random_lines(number: int, seed: int = 0) -> list[str]:
    """Lines of words, marks and letters of all scripts; the last word has no period, whose rule is new."""
    rng = np.random.default_rng(seed)
    characters = [c for c in shared_characters() if c not in PUNCTUATION]
    lines = []
    for _ in range(number):
        kinds = rng.choice(4, size=rng.integers(1, 30), p=[0.25, 0.35, 0.25, 0.15])
        pools = (WORDS, PUNCTUATION, list("abcXYZ éñß012"), characters)
        lines.append("".join(str(rng.choice(pools[kind])) for kind in kinds) + " end")
    return lines


LINES = st.lists(
    st.sampled_from(PUNCTUATION) | st.sampled_from(WORDS) | st.sampled_from(shared_characters()), max_size=40
)


@pytest.mark.parametrize("language", RULES)
@given(LINES)
@settings(max_examples=150, deadline=None)
def test_tokens_are_those_of_sacremoses(language: str, parts: list[str]):
    normalize, tokenize = sacremoses(language)
    line = normalize.normalize("".join(parts) + " end")
    assert tokenizer(language)(line) == tokenize.tokenize(line, escape=False)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "cs"])  # sacremoses has the quotes of these
@given(LINES)
@settings(max_examples=150, deadline=None)
def test_punctuation_is_that_of_sacremoses(language: str, parts: list[str]):
    line = "".join(parts) + " end"
    assert normalizer(language)(line) == sacremoses(language)[0].normalize(line)


def perl(script: str, language: str, lines: list[str], *options: str) -> list[str]:
    """What one of Moses' scripts makes of lines."""
    pytest.importorskip("mosestokenizer", reason="it brings Moses' Perl scripts")
    if shutil.which("perl") is None:
        pytest.skip("Perl is not installed")
    command = ["perl", str(resources.files("mosestokenizer") / script), "-l", language, *options]
    text = "\n".join(lines) + "\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=True)
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("language", ["en", "it", "de", "es", "cs", "el", "ro", "nl", "pl", "tr"])
def test_published_tokens_are_those_of_the_script(language: str):
    """Languages whose abbreviations are the same. The script is older than the rule for the last word of a line."""
    lines = [normalizer(language, published=True)(line) for line in random_lines(1500)]
    theirs = perl("tokenizer-v1.1.perl", language, lines, "-q", "-no-escape")
    assert [tokenizer(language, published=True)(line) for line in lines] == [line.split() for line in theirs]


@pytest.mark.parametrize("language", ["en", "fr", "de", "cs", "ru", "tr"])
def test_published_punctuation_is_that_of_the_script(language: str):
    """The script runs after another one that replaces these marks, and its older version has other apostrophes."""
    other = dict.fromkeys([*UNICODE_PUNCTUATION, *map(ord, "。．‘‚´\u00a0")])
    lines = [line.translate(other) for line in random_lines(1500)]
    theirs = perl("normalize-punctuation.perl", language, lines)
    normalized = [normalizer(language, published=True)(line) for line in lines]
    assert normalized == [line.strip() for line in theirs]


@pytest.mark.parametrize(
    ("language", "line", "expected"),
    [
        ("fi", "USA:n 20:een klo 10:30", "USA:n 20:een klo 10 : 30"),
        ("sv", "EU:s S:t: x", "EU:s S:t : x"),
        ("ca", "l'il·lusió d'aquí · X·Y", "l' il·lusió d' aquí · X · Y"),
        ("ga", "d'fhéach", "d' fhéach"),
        ("so", "lo'da 'x", "lo'da ' x"),
        ("tdt", "ha'u 'X", "ha'u ' X"),
        ("en", "He met Mr. Smith in the U.S.", "He met Mr. Smith in the U.S ."),  # the last word is no abbreviation
        ("de", "z.B. Dr. Müller usw.", "z.B. Dr. Müller usw ."),
        ("en", "See No. 5, not No. Five", "See No. 5 , not No . Five"),  # an abbreviation before numbers alone
        ("ru", '"a," b', '" a " , b'),  # as in all languages but Czech and English
        ("cs", '"a," b', '" a , " b'),
        ("fr", 'Il dit "oui."', 'Il dit " oui " .'),
    ],
)
def test_rules_of_todays_scripts(language: str, line: str, expected: str):
    """Worked out by hand from the scripts."""
    assert tokens(language, line) == expected
    assert tokens(language, line, published=True) == expected


@pytest.mark.parametrize(
    ("language", "line", "expected", "published"),
    [
        ("hi", "हिन्दी में", "हिन्दी में", "हिन ् दी में"),  # virama
        ("hi", "ज़रा", "ज\u093cरा", "ज \u093c रा"),  # nukta, which NFC does not compose
        ("km", "ភាសាខ្មែរ", "ភាសាខ្មែរ", "ភាសាខ ្ មែរ"),  # coeng
        ("my", "မြန်မာ", "မြန်မာ", "မြန ် မာ"),  # asat
        ("ml", "നന്‍മ", "നന്മ", "നന ് മ"),  # chillu with a joiner
        ("fa", "می\u200cخواهم", "میخواهم", "می خواهم"),
        ("km", "ភាសា\u200bខ", "ភាសា ខ", "ភាសា ខ"),  # zero-width space
        ("en", "𐐘𐐙, 𝒳!", "𐐘𐐙 , 𝒳 !", "𐐘𐐙 , 𝒳 !"),  # letters beyond U+FFFF
        ("en", "soft\u00adhyphen", "softhyphen", "soft hyphen"),
        ("yo", "gb\u0301à", "gb\u0301à", "gb \u0301 à"),  # there is no composed form
    ],
)
def test_what_belongs_to_a_word(language: str, line: str, expected: str, published: str):
    assert tokens(language, line) == expected
    assert tokens(language, line, published=True) == published


def test_letters_and_marks_of_every_script_stay_in_their_word():
    categories = ("L", "M", "Nd", "Nl")
    for code in range(0x300, sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character).startswith(categories):
            assert tokenizer("xx")(f"a{character}b") == [f"a{character}b"], hex(code)
