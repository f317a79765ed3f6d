"""Tokenization: records of raw text become records of tokens separated by blanks.

Most languages: the Moses chain, by sacremoses, which takes the English rules for a language it does not know. Chinese
by jieba and Thai by pythainlp, whose scripts have no blanks between words. Punctuation is normalized before the words
are cut, whatever the language. For Chinese this departs from the published chain, which segments first (and by another
segmenter): normalizing a segmented line would join colons, semicolons and parentheses to the words beside them again.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sacremoses import MosesTokenizer

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import ConfigError
from xlm_core.text import duplicates, filters
from xlm_core.text.normalize import compose, lower_and_strip, normalize_punctuation, romanian

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
    """Tokenize the text of every record.

    Args:
        source: records whose first fields are text; further ones, such as labels, pass unchanged.
        output: the same records with tokenized text.
        languages: of the fields with text.
        n_fields: fields per record.
        text: which records are dropped, and what is done to the tokens.
        already_tokenized: the text is only lower-cased and stripped of accents.
        keep_all: nothing is dropped: for evaluation sets.
        statistics: JSON: records read, kept, and dropped as duplicate, as over-long line (too many characters to
            tokenize it), few letters or other script (of the text), empty, too short or over-long (in tokens), or
            unequal (the sides of a pair).
        repeated: which records are there for a second time, by ``duplicates.mark``; None: nobody looked.

    Raises:
        ConfigError: the package that segments a language is not installed.
        CorpusError: the records or the marks of repeated ones are damaged.
    """
    counts = tsv.Counts()
    n_sides = len(languages)

    def kept() -> Iterator[list[str]]:
        for fields, is_repeated in duplicates.marked(tsv.read(source, n_fields), repeated):
            counts.read += 1
            reason = None
            if not keep_all:
                reason = "duplicate" if is_repeated else filters.fault_of_text(fields[:n_sides], languages, text)
            if reason is None:
                pairs = zip(fields, languages, strict=False)  # further fields have no language
                sides = [tokens_of(side, language, text, already_tokenized) for side, language in pairs]
                reason = None if keep_all else filters.fault_of_tokens(sides, text)
            if reason is None:
                yield [*sides, *fields[n_sides:]]
            else:
                counts.drop(reason)

    tsv.write(kept(), [output])
    counts.write(statistics)


def spelled(side: str, language: str, text: Text) -> str:
    """A raw sentence with the letters that the text of its language is to have."""
    side = compose(side)
    return romanian(side, text.romanian) if language == ROMANIAN else side


def tokens_of(sentence: str, language: str, text: Text, already_tokenized: bool = False) -> str:
    """One sentence as tokens separated by single blanks.

    Args:
        sentence: one line.
        language: its code.
        text: what is done to its letters; the rest is not looked at.
        already_tokenized: blanks already separate the tokens.

    Raises:
        ConfigError: the package that segments the language is not installed.
    """
    sentence = spelled(sentence, language, text)
    if not already_tokenized:
        sentence = " ".join(segmenter(language)(normalize_punctuation(sentence, language)))
    return tsv.field(lower_and_strip(sentence, lowercase=text.lowercase, strip_accents=text.strip_accents))


@cache
def segmenter(language: str) -> Callable[[str], list[str]]:
    """What cuts a sentence of a language into tokens.

    Raises:
        ConfigError: the package for it is not installed.
    """
    if language == "zh":
        return _chinese()
    if language == "th":
        return _thai()
    moses = MosesTokenizer(language)
    return lambda sentence: moses.tokenize(sentence, escape=False)


def _thai() -> Callable[[str], list[str]]:
    """Pythainlp, kept from making a folder in the home directory, which a cluster's nodes may not let it write."""
    if "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; the package refuses to see both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    return _optional("pythainlp.tokenize", "th").word_tokenize


def _chinese() -> Callable[[str], list[str]]:
    """Jieba, silent, and with a dictionary cache of its own, so that jobs side by side do not share a file."""
    jieba = _optional("jieba", "zh")
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return tokenizer.lcut


def _optional(module: str, language: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"language '{language}': its words are segmented by the package {module.split('.')[0]}, which is not "
            f"installed; install it with: pip install -e '.[segmentation]'"
        ) from error
