"""Normalize punctuation by the rules of Moses, case and accents as published, and the letters of Romanian.

The published chain runs three Perl scripts of Moses. Their port, sacremoses, departs from them in three places:
control, format and unassigned characters vanish instead of becoming blanks, so a word with a joiner stays one word;
the no-break blanks around « and » vanish with them, which makes no difference once Moses has cut the tokens; and a
quotation mark and the comma or period beside it change places in English, German, Spanish and French only, where the
Perl script treats every other language but Czech like the latter three.
"""

import unicodedata
from functools import cache

from sacremoses import MosesPunctNormalizer


def compose(text: str) -> str:
    """Put letters and their accents together (NFC), before which no text is cut into words or pieces."""
    return unicodedata.normalize("NFC", text)


def normalize_punctuation(text: str, language: str) -> str:
    """Unify quotes, dashes and blanks, and remove control characters, by the Moses rules of a language."""
    normalized: str = _normalizer(language).normalize(text)
    return normalized


@cache
def _normalizer(language: str) -> MosesPunctNormalizer:
    return MosesPunctNormalizer(language, pre_replace_unicode_punct=True, post_remove_control_chars=True)


COMMAS = str.maketrans("ŞşŢţ", "ȘșȚț")  # cedillas, which old keyboards had instead
PLAIN = str.maketrans("ȘșȚțĂăÂâÎî", "SsTtAaAaIi")


def normalize_romanian(text: str, letters: str) -> str:
    """Unify the letters of Romanian, which differ between WMT's texts.

    Args:
        text: in Romanian.
        letters: ``keep``; ``normalized``: s and t with a cedilla get the comma that they should have; ``stripped``:
            and then all diacritics go, as in the text of the published models, their references included.
    """
    if letters == "keep":
        return text
    text = compose(text).translate(COMMAS)
    return text.translate(PLAIN) if letters == "stripped" else text


def lower_and_strip(text: str, *, lowercase: bool, strip_accents: bool) -> str:
    """Lower-case, and remove combining marks.

    Accents go by decomposition (NFD) and removal of all characters of category Mn. This is the published definition,
    and a blunt one: it also takes vowel signs and viramas from Hindi, tone marks from Thai and Vietnamese, and short
    vowels from Arabic. What is left stays decomposed.
    """
    if lowercase:
        text = text.lower()
    if strip_accents and not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFD", text) if unicodedata.category(char) != "Mn")
    return text.lower() if lowercase else text  # some characters have a lower case only after they lost their marks
