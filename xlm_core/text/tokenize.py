"""Tokenize records: raw text becomes tokens separated by blanks.

Most languages: the Moses chain, by sacremoses, which takes the English rules for a language it does not know. Chinese:
jieba. Thai: pythainlp. Punctuation is normalized before the text is segmented, in all languages. For Chinese this
departs from the published chain, which segments first (and with another segmenter): normalizing a segmented line would
join colons, semicolons and parentheses to the words beside them again.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sacremoses import MosesTokenizer

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import ConfigError
from xlm_core.text.duplicates import with_marks
from xlm_core.text.filters import text_filter_reason, token_filter_reason
from xlm_core.text.normalize import compose, lower_and_strip, normalize_punctuation, normalize_romanian
from xlm_core.tsv import FilterStats

ROMANIAN = "ro"


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
        for fields, is_repeated in with_marks(tsv.read(source, n_fields), repeated):
            reason = None
            if not keep_all:
                reason = "duplicate" if is_repeated else text_filter_reason(fields[:n_sides], languages, text)
            if reason is None:
                pairs = zip(fields, languages, strict=False)  # further fields have no language
                sides = [tokenize_line(side, language, text, already_tokenized) for side, language in pairs]
                reason = None if keep_all else token_filter_reason(sides, text)
            if reason is None:
                stats.kept += 1
                yield [*sides, *fields[n_sides:]]
            else:
                stats.drop(reason)

    tsv.write(tokenized_records(), [output])
    stats.write(statistics)


def normalize_letters(line: str, language: str, text: Text) -> str:
    """Return a raw line in composed form (NFC), with the letters that ``text`` asks for in its language."""
    line = compose(line)
    return normalize_romanian(line, text.romanian) if language == ROMANIAN else line


def tokenize_line(line: str, language: str, text: Text, already_tokenized: bool = False) -> str:
    """Return the tokens of one line, separated by single blanks.

    Args:
        line: one sentence.
        language: its code.
        text: the normalization; the filters are not applied.
        already_tokenized: blanks already separate the tokens.

    Raises:
        ConfigError: the package that segments the language is not installed.
    """
    line = normalize_letters(line, language, text)
    if not already_tokenized:
        line = " ".join(segmenter(language)(normalize_punctuation(line, language)))
    return tsv.collapse_blanks(lower_and_strip(line, lowercase=text.lowercase, strip_accents=text.strip_accents))


@cache
def segmenter(language: str) -> Callable[[str], list[str]]:
    """Return the function that segments a line of a language into tokens.

    Raises:
        ConfigError: the package for it is not installed.
    """
    if language == "zh":
        return _chinese_segmenter()
    if language == "th":
        return _thai_segmenter()
    moses = MosesTokenizer(language)
    return lambda line: moses.tokenize(line, escape=False)


def _thai_segmenter() -> Callable[[str], list[str]]:
    """Return pythainlp's segmenter, without its folder in the home directory, which cluster nodes may not write to."""
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; the package refuses to see both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    segment: Callable[[str], list[str]] = _import_segmenter("pythainlp.tokenize", "th").word_tokenize
    return segment


def _chinese_segmenter() -> Callable[[str], list[str]]:
    """Return jieba's segmenter, silent, with a dictionary cache per process, because jobs must not share that file."""
    jieba = _import_segmenter("jieba", "zh")
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    segment: Callable[[str], list[str]] = tokenizer.lcut
    return segment


def _import_segmenter(module: str, language: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"language '{language}': its words are segmented by the package {module.split('.')[0]}, which is not "
            f"installed; install it with: pip install -e '.[segmentation]'"
        ) from error
