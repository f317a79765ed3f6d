"""Filter records by their text, and then by their tokens.

Letters are counted by Unicode's properties: categories L and M, because vowel signs of Hindi and Thai are marks, and
of the script only category L, because separate accents belong to no script. Digits, punctuation and symbols belong to
no script either, so a line without letters passes the script filter.
"""

from collections.abc import Sequence
from functools import cache

import regex

from xlm_core.config import Text
from xlm_core.languages import SCRIPTS

MAX_CHARS_PER_WORD = 50  # times max_words: longer lines are not worth the time of tokenizing them
SHORT = 5  # words; shorter pairs are not compared by length: "yes" may well be a clause in another language
LETTERS_AND_MARKS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
LETTERS = regex.compile(r"\p{L}+", regex.V1)


def text_filter_reason(sides: Sequence[str], languages: Sequence[str], text: Text) -> str | None:
    """Return why to drop a record before it is tokenized; None: keep it.

    Args:
        sides: of the record, one or two.
        languages: of the sides.
        text: the thresholds.
    """
    if max(map(len, sides)) > MAX_CHARS_PER_WORD * text.max_words:
        return "over-long line"
    if text.min_letter_ratio and not all(has_letters(side, text.min_letter_ratio) for side in sides):
        return "few letters"
    pairs = zip(sides, languages, strict=True)
    if text.min_script_ratio and not all(is_in_script(side, lang, text.min_script_ratio) for side, lang in pairs):
        return "other script"
    return None


def token_filter_reason(sides: Sequence[str], text: Text) -> str | None:
    """Return why to drop a tokenized record: a side is empty, too short or over-long, or the lengths are unequal."""
    lengths = [len(side.split()) for side in sides]
    if not min(lengths):
        return "empty"
    if min(lengths) < text.min_words:
        return "too short"
    if max(lengths) > text.max_words:
        return "over-long"
    if max(lengths) > SHORT and max(lengths) > text.max_ratio * min(lengths):
        return "unequal"
    return None


def has_letters(side: str, share: float) -> bool:
    """Return whether at least ``share`` of the characters other than blanks are letters or their marks."""
    return _count(LETTERS_AND_MARKS, side) >= share * (len(side) - side.count(" "))


def is_in_script(side: str, language: str, share: float) -> bool:
    """Return whether at least ``share`` of the letters are of a script in which the language is written."""
    return _count(_letters_of(language), side) >= share * _count(LETTERS, side)


@cache
def _letters_of(language: str) -> regex.Pattern[str]:
    scripts = "".join(rf"\p{{Script_Extensions={script}}}" for script in SCRIPTS[language])
    return regex.compile(rf"[\p{{L}}&&[{scripts}]]+", regex.V1)


def _count(letters: regex.Pattern[str], side: str) -> int:
    return sum(map(len, letters.findall(side)))
