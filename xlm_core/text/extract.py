"""Extract plain records of one language, or of one pair, from plain files, archives, test sets and dumps.

A format is a generator of raw fields; cleaning, dropping and counting are the same for all formats. Plain files, Moses'
archives and WMT's test sets (SGM) are read here.
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from html.parser import HTMLParser
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO, NamedTuple

from xlm_core import tsv
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.io import decode_lines, open_binary
from xlm_core.languages import sides
from xlm_core.text.formats import archive, wikipedia
from xlm_core.tsv import FilterStats, clean_field

Records = Generator[list[str], None, None]
N_LISTED = 5  # segments in a message
NOT_TEXT = ("README", "LICENSE")  # files that OPUS adds to its archives


def extract(
    format: str,  # noqa: A002
    inputs: Sequence[Path],
    shards: Sequence[Path],
    key: str,
    statistics: Path,
    *,
    line_range: Sequence[int] | None = None,
    test_set: str | None = None,
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
        line_range: the first record that is read, from 0, and the first that is not, over all files; None: all.
        test_set: the test set to read, of the format ``sgm``.

    Raises:
        CorpusError, ArchiveError: an input is damaged, its sides do not match, or no record is left.
    """
    stats = FilterStats()
    readers = {
        "text": lambda: _read_text(inputs, key),
        "moses": lambda: _read_moses(inputs, key),
        "wikipedia": lambda: wikipedia.read(inputs, stats),
        "sgm": lambda: read_sgm(inputs, test_set or "", key),
    }
    with closing(readers[format]()) as records:
        tsv.write(_clean_records(islice(records, *line_range or (None,)), key, inputs, stats), shards)
    stats.write(statistics)


def _clean_records(
    records: Iterator[list[str]], key: str, inputs: Sequence[Path], stats: FilterStats
) -> Iterator[list[str]]:
    """Clean all fields, and drop records with an empty one."""
    for raw in records:
        fields = [clean_field(text) for text in raw]
        if all(fields):
            stats.kept += 1
            yield fields
        else:
            stats.drop("empty" if len(fields) == 1 else "empty side")
    if not stats.kept:
        names = ", ".join(map(str, inputs))
        raise CorpusError(f"{names}: no text in {key}, an empty language; check that these are the right files")


def _read_text(inputs: Sequence[Path], key: str) -> Records:
    """Yield one record per line of plain files, one file per side."""
    n_sides = len(sides(key))
    if not inputs or len(inputs) % n_sides:
        names = ", ".join(map(str, inputs)) or "none"
        raise CorpusError(f"{key}: {len(inputs)} files ({names}), expected one for each of {', '.join(sides(key))}")
    for row in zip(*[iter(inputs)] * n_sides, strict=True):
        with ExitStack() as stack:
            streams = [stack.enter_context(open_binary(path)) for path in row]
            yield from _aligned_lines(streams, [str(path) for path in row])


def _read_moses(inputs: Sequence[Path], key: str) -> Records:
    """Yield the pairs of archives. A tar is read three times: completely for its names, and once for each side."""
    for path in inputs:
        names = archive.members(path)
        with ExitStack() as stack:
            chosen = [_member_of_language(path, names, language, key) for language in sides(key)]
            streams = [stack.enter_context(archive.open_member(path, name)) for name in chosen]
            yield from _aligned_lines(streams, [f"{path}, {name}" for name in chosen])


def _member_of_language(path: Path, names: Sequence[str], language: str, key: str) -> str:
    matches = [name for name in names if name.endswith(f".{language}") and not Path(name).name.startswith(NOT_TEXT)]
    if len(matches) > 1:  # WMT's archives hold several pairs
        pairs = ("-".join(sides(key)), "-".join(sides(key)[::-1]))
        matches = [name for name in matches if any(pair in Path(name).name for pair in pairs)] or matches
    if len(matches) != 1:
        raise ArchiveError(
            f"{path}: {len(matches)} members ending in .{language}, expected 1; it holds {', '.join(names[:20])}; "
            "check that this is the archive of the right pair"
        )
    return matches[0]


def _aligned_lines(streams: Sequence[IO[bytes]], names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the lines of all sides, one record per line number.

    Raises:
        CorpusError: the sides do not have equally many lines.
    """
    columns = [decode_lines(stream, name) for stream, name in zip(streams, names, strict=True)]
    for number, lines in enumerate(zip_longest(*columns)):
        if None in lines:
            counts = [
                f"{number + (line is not None) + sum(1 for _ in rest)} in {name}"
                for line, rest, name in zip(lines, columns, names, strict=True)
            ]
            raise CorpusError(
                f"unequal numbers of lines: {', '.join(counts)}; the sides are not aligned, fetch the files again"
            )
        yield list(lines)


class SegmentId(NamedTuple):
    """The position of a segment in a test set."""

    document: str
    segment: str

    def __str__(self) -> str:
        return f"{self.segment} of document {self.document}"


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
            with archive.open_member(path, member) as stream:
                texts[language] = sgm_segments(stream.read(), f"{path}, {member}")
        _check_same_segments(texts, f"{path}, {test_set}")
        first, second = texts.values()
        yield from ([first[id_], second[id_]] for id_ in first)


def _reference_member(path: Path, names: Sequence[str], test_set: str, language: str, key: str) -> str:
    directions = "|".join(("".join(sides(key)), "".join(sides(key)[::-1])))
    pattern = re.compile(rf"(.*/)?{re.escape(test_set)}(-({directions}))?-ref\.{language}\.sgm")
    matches = [name for name in names if pattern.fullmatch(name)]
    if len(matches) != 1:
        similar = ", ".join(name for name in names if Path(name).name.startswith(test_set)) or "none of that name"
        raise ArchiveError(
            f"{path}: {len(matches)} files of references for '{test_set}' in '{language}', expected 1 such as "
            f"{test_set}-ref.{language}.sgm; of this set it holds {similar}; check the corpus's 'set'"
        )
    return matches[0]


def sgm_segments(content: bytes, name: str) -> dict[SegmentId, str]:
    """Return the text of every segment of a file, in file order.

    Raises:
        CorpusError: the file is not UTF-8, or a segment is missing, repeated, outside of a document, or not closed.
    """
    parser = _SegmentParser(name)
    try:
        parser.feed(content.decode("utf-8"))
        parser.close()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name}: byte {error.start} is not UTF-8; convert the file") from error
    except (AssertionError, ValueError) as error:  # of the parser: a broken declaration, a number without end
        raise CorpusError(f"{name}, line {parser.getpos()[0]}: broken ({error}); fetch the file again") from error
    if parser.open_segment is not None:
        raise CorpusError(f"{name}: segment {parser.open_segment} does not end; the file is cut off, fetch it again")
    if not parser.segments:
        raise CorpusError(f"{name}: no segment, expected <seg id=...> inside <doc docid=...>; is this an SGM file?")
    return parser.segments


class _SegmentParser(HTMLParser):
    """Collects segments; the tags of SGM are few, and its entities are those of HTML."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.name = name
        self.document: str | None = None
        self.open_segment: SegmentId | None = None
        self.segments: dict[SegmentId, str] = {}

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
            self.open_segment = SegmentId(self.document, number)
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


def _check_same_segments(texts: Mapping[str, Mapping[SegmentId, str]], name: str) -> None:
    """Refuse sides that do not have the same segments."""
    for present, absent in (tuple(texts), tuple(texts)[::-1]):
        if missing := texts[present].keys() - texts[absent].keys():
            raise CorpusError(
                f"{name}: {len(missing)} segments are there in '{present}' and missing in '{absent}': "
                f"{', '.join(map(str, sorted(missing)[:N_LISTED]))}; "
                "the files do not belong together, fetch them again"
            )
