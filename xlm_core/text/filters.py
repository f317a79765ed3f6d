"""Filters: why a record is dropped, judged by its text, and then by its tokens.

Letters are counted by Unicode's properties: categories L and M, for vowel signs of Hindi and Thai are marks, and of
the script only those of category L, for accents that stand alone belong to no script. Digits, punctuation and symbols
belong to none either, so a line without letters is no matter of its script.
"""

from collections.abc import Sequence
from functools import cache

import regex

from xlm_core.config import Text
from xlm_core.languages import SCRIPTS

MAX_CHARS_PER_WORD = 50  # times the most words a line may have: no such line is worth the time to tokenize it
SHORT = 5  # words; if neither side has more, the sides are not compared: "yes" may well be a clause elsewhere
LETTERS_AND_MARKS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
LETTERS = regex.compile(r"\p{L}+", regex.V1)


def fault_of_text(sides: Sequence[str], languages: Sequence[str], text: Text) -> str | None:
    """Why to drop a record before it is tokenized; None: nothing is wrong.

    Args:
        sides: of the record, one or two.
        languages: of the sides.
        text: what is asked of them.
    """
    if max(map(len, sides)) > MAX_CHARS_PER_WORD * text.max_words:
        return "over-long line"
    if text.min_letter_ratio and any(not has_letters(side, text.min_letter_ratio) for side in sides):
        return "few letters"
    if text.min_script_ratio and any(
        not is_in_script(side, language, text.min_script_ratio) for side, language in zip(sides, languages, strict=True)
    ):
        return "other script"
    return None


def fault_of_tokens(sides: Sequence[str], text: Text) -> str | None:
    """Why to drop a tokenized record: a side is empty, too short or over-long, or the sides are wildly unequal."""
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
    """Whether at least such a share of the characters, blanks aside, are letters or their marks."""
    return _count(LETTERS_AND_MARKS, side) >= share * (len(side) - side.count(" "))


def is_in_script(side: str, language: str, share: float) -> bool:
    """Whether at least such a share of the letters are of a script in which the language is written."""
    return _count(_letters_of(language), side) >= share * _count(LETTERS, side)


@cache
def _letters_of(language: str) -> regex.Pattern[str]:
    scripts = "".join(rf"\p{{Script_Extensions={script}}}" for script in SCRIPTS[language])
    return regex.compile(rf"[\p{{L}}&&[{scripts}]]+", regex.V1)


def _count(letters: regex.Pattern[str], side: str) -> int:
    return sum(map(len, letters.findall(side)))
