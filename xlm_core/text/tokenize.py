"""Filter, normalize and tokenize records: raw text becomes tokens separated by blanks.

Most languages: the Moses chain, which takes the general rules and English abbreviations for a language it does not
know. Chinese: jieba. Thai: pythainlp. Punctuation is normalized before the text is segmented, in all languages. For
Chinese this departs from the published chain, which segments first (and with another segmenter): normalizing a
segmented line would join colons, semicolons and parentheses to the words beside them again.

Turkish and Azeri are lower-cased with their two kinds of i. The published text was not: "published" of ``text.moses``.

Records are filtered by their text before it is tokenized, and then by their tokens. Letters are counted by Unicode's
properties: categories L and M, because vowel signs of Hindi and Thai are marks, and of the script only category L,
because separate accents belong to no script. Digits, punctuation and symbols belong to no script either, so a line
without letters passes the script filter.
"""

import logging
import math
import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import repeat
from pathlib import Path

import regex

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import ConfigError
from xlm_core.languages import CHARACTERS_PER_WORD, RAW_CHARACTERS_PER_WORD, base_language, scripts_of
from xlm_core.text.duplicates import with_marks
from xlm_core.text.moses import MosesTokenizer, PunctuationNormalizer
from xlm_core.tsv import FilterStats

LOG = logging.getLogger(__name__)
MAX_CHARS_PER_WORD = 50  # times max_words: longer lines are not worth the time of tokenizing them
SHORT = 5  # words; shorter pairs are not compared by length: "yes" may well be a clause in another language
LETTERS_AND_MARKS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
LETTERS = regex.compile(r"\p{L}+", regex.V1)
TWO_KINDS_OF_I = ("tr", "az")  # languages with a letter i without a dot; elsewhere I is the capital of i
LOWER_I = str.maketrans("Iİ", "ıi")
ROMANIAN = {
    "keep": {},
    "normalized": str.maketrans("ŞşŢţ", "ȘșȚț"),  # of cedillas, which old keyboards had instead of commas
    "stripped": str.maketrans("ŞşŢţȘșȚțĂăÂâÎî", "SsTtSsTtAaAaIi"),
}  # what is done with the letters of Romanian -> their replacements


class _CharactersToKeep(dict[int, int | None]):
    """A table for ``str.translate`` that fills itself: None for combining marks (Mn), which go, else the character."""

    def __missing__(self, character: int) -> int | None:
        self[character] = None if unicodedata.category(chr(character)) == "Mn" else character
        return self[character]


WITHOUT_MARKS = _CharactersToKeep()


def tokenize(
    source: Path,
    output: Path,
    *,
    languages: Sequence[str],
    n_fields: int,
    text: Text,
    already_tokenized: bool,
    keep_all: bool,
    statistics: Path,
    repeated: Path | None = None,
) -> None:
    """Tokenize the text of every record, and filter the records.

    Args:
        source: records whose first fields are text; further ones, such as labels, are copied.
        output: the same records with tokenized text.
        languages: of the fields with text.
        n_fields: fields per record.
        text: filters and normalization.
        already_tokenized: the text is only lower-cased and stripped of accents.
        keep_all: drop nothing, for evaluation sets.
        statistics: JSON: records read, kept, and dropped as duplicate, over-long line (too many characters to tokenize
            it), few letters or other script (of the text), empty, too short or over-long (in tokens), or unequal
            (the sides of a pair).
        repeated: marks of ``find_duplicates``; None: duplicates are not dropped.

    Raises:
        ConfigError: the package that segments a language is not installed.
        CorpusError: the records or the marks of repeated ones are damaged.
    """
    stats = FilterStats()
    n_sides = len(languages)

    def tokenized_records() -> Iterator[list[str]]:
        records = tsv.read(source, n_fields)
        for fields, is_repeated in with_marks(records, repeated) if repeated else zip(records, repeat(False)):
            reason = None
            if not keep_all:
                reason = "duplicate" if is_repeated else text_filter_reason(fields[:n_sides], languages, text)
            if reason is None:
                pairs = zip(fields, languages, strict=False)  # further fields have no language
                sides = [tokenize_line(side, language, text, already_tokenized) for side, language in pairs]
                reason = None if keep_all else token_filter_reason(sides, languages, text)
            if reason is None:
                stats.kept += 1
                yield [*sides, *fields[n_sides:]]
            else:
                stats.drop(reason)

    tsv.write(tokenized_records(), [output])
    warn_of_dropped(source, stats)
    stats.write(statistics)


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


def token_filter_reason(sides: Sequence[str], languages: Sequence[str], text: Text) -> str | None:
    """Return why to drop a tokenized record: a side is empty, too short or over-long, or the lengths are unequal.

    Where a language writes no blanks, and nothing else cuts its words, they are counted by their characters.
    """
    per_word = RAW_CHARACTERS_PER_WORD if text.tokenization == "none" else CHARACTERS_PER_WORD
    pairs = zip(sides, languages, strict=True)
    lengths = [_n_words(side, per_word.get(base_language(language))) for side, language in pairs]
    if not all(sides):
        return "empty"
    if min(lengths) < text.min_words:
        return "too short"
    if max(lengths) > text.max_words:
        return "over-long"
    if max(lengths) > SHORT and max(lengths) > text.max_ratio * min(lengths):
        return "unequal"
    return None


def _n_words(side: str, per_word: int | None) -> int:
    """Count the words of a side: between blanks, or as so many characters each."""
    return side.count(" ") + 1 if per_word is None else math.ceil((len(side) - side.count(" ")) / per_word)


def warn_of_dropped(source: Path, stats: FilterStats) -> None:
    """Warn on the screen of each reason for which many records were dropped."""
    for reason, share in stats.many_dropped.items():
        message = "%s: %d of %d records (%.0f %%) are dropped as '%s'; the section text of the configuration says so"
        n_dropped = stats.dropped[reason]
        LOG.warning(message, source, n_dropped, stats.read, 100 * share, reason, extra={"is_shown": True})


def has_letters(side: str, share: float) -> bool:
    """Return whether at least ``share`` of the characters other than blanks are letters or their marks."""
    return _count(LETTERS_AND_MARKS, side) >= share * (len(side) - side.count(" "))


def is_in_script(side: str, language: str, share: float) -> bool:
    """Return whether at least ``share`` of the letters are of a script in which the language is written."""
    return _count(_letters_of(language), side) >= share * _count(LETTERS, side)


@cache
def _letters_of(language: str) -> regex.Pattern[str]:
    scripts = "".join(rf"\p{{Script_Extensions={script}}}" for script in scripts_of(language))
    return regex.compile(rf"[\p{{L}}&&[{scripts}]]+", regex.V1)


def _count(letters: regex.Pattern[str], side: str) -> int:
    return sum(map(len, letters.findall(side)))


def normalize_letters(line: str, language: str, romanian: str) -> str:
    """Return a raw line in composed form (NFC), with unified letters of Romanian, which differ between WMT's texts.

    Args:
        line: in any language.
        language: its code.
        romanian: letters of this language: ``keep``; ``normalized``: s and t with a cedilla get the comma that they
            should have; ``stripped``: and then all diacritics go, as in the text of the published models, their
            references included.
    """
    line = unicodedata.normalize("NFC", line)
    return line.translate(ROMANIAN[romanian]) if base_language(language) == "ro" else line


def tokenize_line(line: str, language: str, text: Text, already_tokenized: bool = False) -> str:
    """Return the tokens of one line, separated by single blanks; or the line, where the section does not tokenize.

    Args:
        line: one sentence.
        language: its code.
        text: the normalization; the filters are not applied.
        already_tokenized: blanks already separate the tokens.

    Raises:
        ConfigError: the package that segments the language is not installed.
    """
    if text.tokenization == "none":
        return tsv.clean_field(line)
    published = text.moses == "published"
    line = normalize_letters(line, language, text.romanian)
    if not already_tokenized:
        line = " ".join(segmenter(language, published)(punctuation_normalizer(language, published)(line)))
    if text.lowercase and not published and base_language(language) in TWO_KINDS_OF_I:
        line = line.translate(LOWER_I)
    return tsv.collapse_blanks(lower_and_strip(line, lowercase=text.lowercase, strip_accents=text.strip_accents))


@cache
def punctuation_normalizer(language: str, published: bool) -> PunctuationNormalizer:
    """Return what unifies quotes, dashes and blanks by the Moses rules, and removes control characters."""
    return PunctuationNormalizer(base_language(language), published=published)


def lower_and_strip(text: str, *, lowercase: bool, strip_accents: bool) -> str:
    """Lower-case, and remove combining marks.

    Accents go by decomposition (NFD) and removal of all characters of category Mn. This is the published definition,
    and a blunt one: it also takes vowel signs and viramas from Hindi, tone marks from Thai and Vietnamese, and short
    vowels from Arabic. What is left stays decomposed.
    """
    if lowercase:
        text = text.lower()
    if strip_accents and not text.isascii():
        text = unicodedata.normalize("NFD", text).translate(WITHOUT_MARKS)
    return text.lower() if lowercase else text  # some characters have a lower case only after they lost their marks


@cache
def segmenter(language: str, published: bool) -> Callable[[str], list[str]]:
    """Return the function that segments a line of a language into tokens.

    Args:
        language: its code.
        published: whether the Moses chain cuts words as the published scripts do.

    Raises:
        ConfigError: the package for it is not installed.
    """
    language = base_language(language)
    try:
        if language == "zh":
            return _chinese_segmenter()
        if language == "th":
            return _thai_segmenter()
    except ImportError as error:
        raise ConfigError(
            f"language '{language}': its words are segmented by the package {error.name}, which is not "
            f"installed; install it with: pip install -e '.[segmentation]'"
        ) from error
    return MosesTokenizer(language, published=published)


def _thai_segmenter() -> Callable[[str], list[str]]:
    """Return pythainlp's segmenter, without its folder in the home directory, which cluster nodes may not write to."""
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; the package refuses to see both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    from pythainlp.tokenize import word_tokenize

    return partial(word_tokenize, engine="newmm")


def _chinese_segmenter() -> Callable[[str], list[str]]:
    """Return jieba's segmenter, silent, with a dictionary cache per process, because jobs must not share that file."""
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return partial(tokenizer.lcut, cut_all=False)
