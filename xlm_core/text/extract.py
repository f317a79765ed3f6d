"""Extract plain records of one language, or of one pair, from plain files, archives, test sets and dumps.

A format is a generator of raw fields; cleaning, dropping and counting are the same for all formats. Plain files, Moses'
archives and WMT's test sets (SGM) are read here.
"""

import logging
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from html.entities import html5
from html.parser import HTMLParser
from itertools import islice, permutations, zip_longest
from pathlib import Path

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import INVALID, remedy
from xlm_core.languages import sides
from xlm_core.text.formats import archive, wikipedia
from xlm_core.tsv import FilterStats, clean_field

LOG = logging.getLogger(__name__)
Records = Generator[list[str], None, None]
N_LISTED = 5  # segments in a message, lines in the log
ENTITY = re.compile(r"&(#\d+;|#[xX][0-9A-Fa-f]+;|[A-Za-z][A-Za-z0-9]*;)?")
NOT_UTF8 = "not UTF-8"  # why a record is dropped
NOT_TEXT = ("README", "LICENSE")  # files that OPUS adds to its archives


def extract(
    format: str,  # noqa: A002
    inputs: Sequence[Path],
    shards: Sequence[Path],
    key: str,
    statistics: Path,
    settings: "ExtractionSettings | None" = None,
) -> None:
    """Write the records of ``key`` to ``shards`` and their counts to ``statistics``.

    Args:
        format: ``text`` (one file per side of the key, in the key's order, or several such rows of files; one record
            per line; plain or compressed), ``moses`` (a zip or tar with one aligned file per side, as from OPUS and
            IIT Bombay), ``sgm`` (a tar of WMT's test sets) or ``wikipedia`` (a dump of articles).
        inputs: the files of that format.
        shards: outputs; blocks of records are distributed to them in turn.
        key: a language (``de``) or a pair (``de-en``).
        statistics: JSON of records read, kept and dropped.
        settings: how they are read.

    Raises:
        CorpusError, ArchiveError: an input is damaged, its sides do not match, or no record is left.
    """
    settings = settings or ExtractionSettings()
    stats = FilterStats()
    readers = {
        "text": lambda: _read_text(inputs, key, settings),
        "moses": lambda: _read_moses(inputs, key, settings),
        "wikipedia": lambda: wikipedia.read(inputs, stats, key, keep_lost_words=settings.keep_lost_words),
        "sgm": lambda: read_sgm(inputs, settings.test_set or "", key),
    }
    with closing(readers[format]()) as records:
        lines = islice(records, *settings.line_range or (None,))
        tsv.write(_clean_records(lines, key, inputs, stats), shards)
    stats.write(statistics)


@dataclass(frozen=True)
class ExtractionSettings:
    """How files are read.

    line_range       the first record that is read, from 0, and the first that is not, over all files; None: all
    test_set         the test set to read, of the format ``sgm``
    keep_lost_words  keep the paragraphs of a dump that lack the text of a template or a formula
    member_codes     language -> how the names of its members end in the archives of ``moses``, where not in its code
    invalid_utf8     a line that is not UTF-8 is an error: "stop"; or its record is dropped and counted: "drop"
    """

    line_range: Sequence[int] | None = None
    test_set: str | None = None
    keep_lost_words: bool = False
    member_codes: Mapping[str, str] = field(default_factory=dict)
    invalid_utf8: str = "stop"

    @property
    def keep_invalid(self) -> bool:
        """Whether lines that are not UTF-8 are read."""
        return self.invalid_utf8 == "drop"


def _clean_records(
    records: Iterator[list[str]], key: str, inputs: Sequence[Path], stats: FilterStats
) -> Iterator[list[str]]:
    """Clean all fields, and drop records with an empty one, or one that is not UTF-8."""
    for number, raw in enumerate(records, 1):
        if any(map(INVALID.search, raw)):
            stats.drop(NOT_UTF8)
            if stats.dropped[NOT_UTF8] <= N_LISTED:
                LOG.warning("%s: line %d, counted over all files, is not UTF-8 and is dropped", inputs[0], number)
            continue
        fields = [clean_field(text) for text in raw]
        if all(fields):
            stats.kept += 1
            yield fields
        else:
            stats.drop("empty" if len(fields) == 1 else "empty side")
    if not stats.kept:
        names = ", ".join(map(str, inputs))
        raise CorpusError(f"{names}: no text in {key}, an empty language; check that these are the right files")


def _read_text(inputs: Sequence[Path], key: str, settings: ExtractionSettings) -> Records:
    """Yield one record per line of plain files, one file per side."""
    n_sides = len(sides(key))
    if not inputs or len(inputs) % n_sides:
        names = ", ".join(map(str, inputs)) or "none"
        raise CorpusError(f"{key}: {len(inputs)} files ({names}), expected one for each of {', '.join(sides(key))}")
    for row in zip(*[iter(inputs)] * n_sides, strict=True):
        yield from _aligned_lines([archive.open_lines(path, keep_invalid=settings.keep_invalid) for path in row])


def _read_moses(inputs: Sequence[Path], key: str, settings: ExtractionSettings) -> Records:
    """Yield the pairs of archives. A tar is read three times: completely for its names, and once for each side."""
    for path in inputs:
        names = archive.members(path)
        endings = [settings.member_codes.get(language, language) for language in sides(key)]
        chosen = [_member_of_language(path, names, ending, key) for ending in endings]
        yield from _aligned_lines(
            [archive.open_lines(path, name, keep_invalid=settings.keep_invalid) for name in chosen]
        )


def _member_of_language(path: Path, names: Sequence[str], ending: str, key: str) -> str:
    matches = [name for name in names if name.endswith(f".{ending}") and not Path(name).name.startswith(NOT_TEXT)]
    if len(matches) > 1:  # WMT's archives hold several pairs
        pairs = ("-".join(sides(key)), "-".join(sides(key)[::-1]))
        matches = [name for name in matches if any(pair in Path(name).name for pair in pairs)] or matches
    return archive.only_member(path, matches, f"members ending in .{ending}", names)


def _aligned_lines(files: Sequence[AbstractContextManager[tuple[str, Iterator[str]]]]) -> Iterator[list[str]]:
    """Yield the lines of all sides, from ``archive.open_lines``, one record per line number.

    Raises:
        CorpusError: the sides do not have equally many lines.
    """
    with ExitStack() as stack:
        names, columns = zip(*map(stack.enter_context, files), strict=True)
        for number, lines in enumerate(zip_longest(*columns)):
            if None in lines:
                counts = [
                    f"{number + (line is not None) + sum(1 for _ in rest)} in {name}"
                    for line, rest, name in zip(lines, columns, names, strict=True)
                ]
                raise CorpusError(
                    f"unequal numbers of lines: {', '.join(counts)}; the sides are not aligned. {remedy(names[0])}"
                )
            yield list(lines)


def read_sgm(paths: Sequence[Path], test_set: str, key: str) -> Records:
    """Yield the segments of a test set in both languages of a pair.

    As published, both sides are taken from the reference files, ``<name>-ref.<language>.sgm`` or, with the
    direction in it, ``<name>-deen-ref.en.sgm``: the source of one direction is the reference of the other.

    Raises:
        ArchiveError: the archive has no such file, or more than one.
        CorpusError: a file is broken, or the sides do not have the same segments.
    """
    for path in paths:
        names = archive.members(path)
        texts = {}
        for language in sides(key):
            member = _reference_member(path, names, test_set, language, key)
            with archive.open_lines(path, member) as (name, lines):
                texts[language] = sgm_segments(lines, name)
        for present, absent in permutations(texts):
            if missing := [id_ for id_ in texts[present] if id_ not in texts[absent]]:
                raise CorpusError(
                    f"{path}, {test_set}: {len(missing)} segments are there in '{present}' and missing in '{absent}': "
                    f"{', '.join(missing[:N_LISTED])}; the files do not belong together. {remedy(path)}"
                )
        first, second = texts.values()
        yield from ([first[id_], second[id_]] for id_ in first)


def _reference_member(path: Path, names: Sequence[str], test_set: str, language: str, key: str) -> str:
    directions = "|".join(("".join(sides(key)), "".join(sides(key)[::-1])))
    pattern = re.compile(rf"(.*/)?{re.escape(test_set)}(-({directions}))?-ref\.{language}\.sgm")
    matches = [name for name in names if pattern.fullmatch(name)]
    similar = [name for name in names if Path(name).name.startswith(test_set)]
    wanted = f"files of references for '{test_set}' in '{language}', such as {test_set}-ref.{language}.sgm"
    return archive.only_member(path, matches, wanted, similar or names)


def sgm_segments(lines: Iterable[str], name: str) -> dict[str, str]:
    """Return the text of every segment of a file, in file order, by its number and document: "1 of document bbc".

    Raises:
        CorpusError: a segment is missing, repeated, outside of a document, or not closed.
    """
    parser = _SegmentParser(name)
    try:
        parser.feed(ENTITY.sub(_escape_lone_ampersand, "\n".join(lines)))
        parser.close()
    except (AssertionError, ValueError) as error:  # of the parser: a broken declaration, a number without end
        raise CorpusError(f"{name}, line {parser.getpos()[0]}: broken ({error}); {remedy(name)}") from error
    if parser.open_segment is not None:
        raise CorpusError(f"{name}: segment {parser.open_segment} does not end; the file is cut off. {remedy(name)}")
    if not parser.segments:
        raise CorpusError(f"{name}: no segment, expected <seg id=...> inside <doc docid=...>; is this an SGM file?")
    return parser.segments


def _escape_lone_ampersand(match: re.Match[str]) -> str:
    """Leave an entity as it is, and make a character of an ampersand that begins none: it would be one in HTML."""
    name = match[1]
    return match[0] if name and (name.startswith("#") or name in html5) else f"&amp;{name or ''}"


class _SegmentParser(HTMLParser):
    """Collects segments; the tags of SGM are few, and its entities are HTML's."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.name = name
        self.document: str | None = None
        self.open_segment: str | None = None
        self.segments: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "doc":
            self.document = values.get("docid")
        elif tag == "seg":
            number = values.get("id")
            if self.document is None or number is None:
                raise CorpusError(f"{self.name}, line {self.getpos()[0]}: a segment without document or id")
            if self.open_segment is not None:
                raise CorpusError(f"{self.name}: segment {self.open_segment} does not end before the next one begins")
            self.open_segment = f"{number} of document {self.document}"
            if self.open_segment in self.segments:
                raise CorpusError(f"{self.name}: segment {self.open_segment} is there twice; the file is broken")
            self.segments[self.open_segment] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "seg":
            self.open_segment = None
        elif tag == "doc":
            self.document = None

    def handle_data(self, data: str) -> None:
        if self.open_segment is not None:
            self.segments[self.open_segment] += data
