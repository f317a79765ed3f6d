"""Pairs of words in two languages: the dictionaries of MUSE, and the ratings of SemEval-2017 task 2.

A dictionary has a word and one of its translations per line, "chat discuter", with as many lines for a word as it has
translations. Ratings have two words or phrases and a number per line, separated by tabs. Both become records whose
words are tokenized as the text is that vectors are learned on, or they would not be found there.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import CorpusError
from xlm_core.languages import sides
from xlm_core.text import archive
from xlm_core.text.lines import decoded, open_whole
from xlm_core.text.tokenize import tokens_of

Kind = Literal["dictionary", "similarity"]
RATINGS = "{direction}-SEMEVAL17.txt"  # what MUSE calls the ratings of a direction, also in its archive
N_FIELDS = {"dictionary": 2, "similarity": 3}


def extract(kind: Kind, source: Path, direction: str, text: Text, output: Path, statistics: Path) -> None:
    """Write the pairs of a file as records, each pair once, its words as tokens separated by blanks.

    Args:
        kind: ``dictionary``: records of a word and its translation; ``similarity``: of two words and their rating.
        source: a text file of any compression; of ratings also a zip or tar with a member for the direction.
        direction: the languages of the columns, as ``en-fr``.
        text: how text is tokenized.
        output: the records.
        statistics: JSON: pairs read, kept, and dropped as empty (nothing is left of a word) or repeated (tokenization
            makes it the same as an earlier one).

    Raises:
        CorpusError: naming the line that is none of the format, or the file in which there is no pair.
        ArchiveError: the archive is damaged, or has no member for the direction.
    """
    counts = tsv.Counts()
    with _opened(kind, source, direction) as (stream, place):
        tsv.write(_kept(_rows(kind, stream, place), direction, text, place, counts), [output])
    counts.write(statistics)


def _kept(rows: Iterator[list[str]], direction: str, text: Text, place: str, counts: tsv.Counts) -> Iterator[list[str]]:
    """The tokenized rows that hold something new."""
    seen = set()
    for *pair, rating in rows:
        counts.read += 1
        words = tuple(tokens_of(word, language, text) for word, language in zip(pair, sides(direction), strict=True))
        if not all(words):
            counts.drop("empty")
        elif words in seen:
            counts.drop("repeated")
        else:
            seen.add(words)
            yield [*words, rating] if rating else [*words]
    if not seen:
        raise CorpusError(f"{place}: no pair of words in {direction}; check that this is the right file")


def _rows(kind: Kind, stream: IO[bytes], place: str) -> Iterator[list[str]]:
    """Two words and their rating, which a dictionary leaves empty, of every line that is not blank."""
    row: Callable[[str, str], list[str]] = {"dictionary": _translation, "similarity": _rated}[kind]
    for number, line in enumerate(decoded(stream, place), 1):
        if line.strip():
            yield row(line, f"{place}, line {number}")


def _translation(line: str, place: str) -> list[str]:
    fields = line.split()
    if len(fields) != 2:
        raise CorpusError(f"{place}: found {len(fields)} words, expected a word and its translation; mend the line")
    return [*fields, ""]


def _rated(line: str, place: str) -> list[str]:
    fields = line.rstrip("\r").split("\t")
    try:
        rating = float(fields[2]) if len(fields) == 3 else math.nan
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise CorpusError(f"{place}: found {line!r}, expected two words and a number, separated by tabs; mend the line")
    return [*fields[:2], str(rating)]


@contextmanager
def _opened(kind: Kind, source: Path, direction: str) -> Iterator[tuple[IO[bytes], str]]:
    """The bytes of a file, or of the member of an archive that holds a direction, and what they are called."""
    if kind == "similarity" and source.name.endswith((".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        name = RATINGS.format(direction=direction)
        found = [member for member in archive.members(source) if member.split("/")[-1] == name]
        with archive.open_member(source, found[0] if found else name) as stream:
            yield stream, f"{source}, {found[0]}"
    else:
        with open_whole(source) as stream:
            yield stream, str(source)
