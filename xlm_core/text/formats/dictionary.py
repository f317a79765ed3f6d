"""Extract word pairs: the dictionaries of MUSE, and the similarity ratings of SemEval-2017 task 2.

A dictionary has a word and one of its translations per line, "chat discuter", with as many lines for a word as it has
translations. Ratings have two words or phrases and a number per line, separated by tabs. The words are tokenized like
the text that vectors are learned on, because otherwise they would have no vector.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import CorpusError
from xlm_core.languages import sides
from xlm_core.text.formats.archive import member_with_suffix, open_lines
from xlm_core.text.tokenize import tokenize_line
from xlm_core.tsv import FilterStats

Kind = Literal["dictionary", "similarity"]
LINES = {
    "dictionary": (re.compile(r"\s*(\S+)\s+(\S+)\s*"), "a word and its translation"),
    "similarity": (re.compile(r"([^\t]*)\t([^\t]*)\t(-?\d+\.?\d*)\r?"), "two words and a number, separated by tabs"),
}  # the form of a line, and its description
RATINGS = "{direction}-SEMEVAL17.txt"  # the file name of MUSE in its archive
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


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
    is_archived = kind == "similarity" and source.name.endswith(ARCHIVES)
    stats = FilterStats()
    member = member_with_suffix(source, RATINGS.format(direction=direction)) if is_archived else None
    with open_lines(source, member) as (name, lines):
        tsv.write(_records(kind, lines, direction, text, name, stats), [output])
    stats.write(statistics)


def _records(
    kind: Kind, lines: Iterator[str], direction: str, text: Text, name: str, stats: FilterStats
) -> Iterator[list[str]]:
    """Tokenize the words of every line that is not blank, and drop empty and repeated pairs."""
    form, description = LINES[kind]
    seen = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = form.fullmatch(line)
        if match is None:
            raise CorpusError(f"{name}, line {number}: found {line!r}, expected {description}; mend the line")
        pair = zip(match.groups()[:2], sides(direction), strict=True)
        words = tuple(tokenize_line(word, language, text) for word, language in pair)
        if not all(words):
            stats.drop("empty")
        elif words in seen:
            stats.drop("repeated")
        else:
            seen.add(words)
            stats.kept += 1
            yield [*words, *(str(float(rating)) for rating in match.groups()[2:])]
    if not seen:
        raise CorpusError(f"{name}: no pair of words in {direction}; check that this is the right file")
