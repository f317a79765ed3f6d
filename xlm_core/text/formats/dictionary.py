"""Extract word pairs: the dictionaries of MUSE, and the similarity ratings of SemEval-2017 task 2.

A dictionary has a word and one of its translations per line, "chat discuter", with as many lines for a word as it has
translations. Ratings have two words or phrases and a number per line, separated by tabs. The words are tokenized like
the text that vectors are learned on, because otherwise they would have no vector.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import CorpusError
from xlm_core.io import decode_lines, open_binary
from xlm_core.languages import sides
from xlm_core.text.formats import archive
from xlm_core.text.tokenize import tokenize_line
from xlm_core.tsv import FilterStats

Kind = Literal["dictionary", "similarity"]
RATINGS = "{direction}-SEMEVAL17.txt"  # the file name of MUSE, also in its archive
N_FIELDS = {"dictionary": 2, "similarity": 3}


def extract(kind: Kind, source: Path, direction: str, text: Text, output: Path, statistics: Path) -> None:
    """Write the pairs of a file as records, each pair once, its words as tokens separated by blanks.

    Args:
        kind: ``dictionary``: records of a word and its translation; ``similarity``: of two words and their rating.
        source: a text file of any compression; of ratings also a zip or tar with a member for the direction.
        direction: the languages of the columns, as ``en-fr``.
        text: how text is tokenized.
        output: the records.
        statistics: JSON: pairs read, kept, and dropped as empty (no token is left of a word) or repeated (the same
            tokens as an earlier pair).

    Raises:
        CorpusError: a line does not have the format, or the file has no pair.
        ArchiveError: the archive is damaged, or has no member for the direction.
    """
    stats = FilterStats()
    with _open(kind, source, direction) as (stream, name):
        tsv.write(_records(_rows(kind, stream, name), direction, text, name, stats), [output])
    stats.write(statistics)


def _records(
    rows: Iterator[list[str]], direction: str, text: Text, name: str, stats: FilterStats
) -> Iterator[list[str]]:
    """Tokenize the words, and drop empty and repeated pairs."""
    seen = set()
    for first, second, *rating in rows:
        pair = zip((first, second), sides(direction), strict=True)
        words = tuple(tokenize_line(word, language, text) for word, language in pair)
        if not all(words):
            stats.drop("empty")
        elif words in seen:
            stats.drop("repeated")
        else:
            seen.add(words)
            stats.kept += 1
            yield [*words, *rating]
    if not seen:
        raise CorpusError(f"{name}: no pair of words in {direction}; check that this is the right file")


def _rows(kind: Kind, stream: IO[bytes], name: str) -> Iterator[list[str]]:
    """Yield the fields of every line that is not blank."""
    parse = {"dictionary": _parse_translation, "similarity": _parse_rating}[kind]
    for number, line in enumerate(decode_lines(stream, name), 1):
        if line.strip():
            yield parse(line, f"{name}, line {number}")


def _parse_translation(line: str, location: str) -> list[str]:
    fields = line.split()
    if len(fields) != 2:
        raise CorpusError(f"{location}: found {len(fields)} words, expected a word and its translation; mend the line")
    return fields


def _parse_rating(line: str, location: str) -> list[str]:
    fields = line.rstrip("\r").split("\t")
    try:
        rating = float(fields[2]) if len(fields) == 3 else math.nan
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise CorpusError(
            f"{location}: found {line!r}, expected two words and a number, separated by tabs; mend the line"
        )
    return [*fields[:2], str(rating)]


@contextmanager
def _open(kind: Kind, source: Path, direction: str) -> Iterator[tuple[IO[bytes], str]]:
    """Open a file, or the member of an archive that holds a direction; yield the stream and its name."""
    if kind == "similarity" and source.name.endswith((".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        file_name = RATINGS.format(direction=direction)
        member = next((name for name in archive.members(source) if name.split("/")[-1] == file_name), file_name)
        with archive.open_member(source, member) as stream:
            yield stream, f"{source}, {member}"
    else:
        with open_binary(source) as stream:
            yield stream, str(source)
