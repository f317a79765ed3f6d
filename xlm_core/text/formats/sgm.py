"""Read the SGM test sets of WMT: one file per language, aligned by document and segment numbers."""

import re
from collections.abc import Generator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.languages import sides
from xlm_core.text.formats import archive

N_LISTED = 5  # segments in a message


class SegmentId(NamedTuple):
    """The position of a segment in a test set."""

    document: str
    segment: str

    def __str__(self) -> str:
        return f"{self.segment} of document {self.document}"


def read(paths: Sequence[Path], test_set: str, key: str) -> Generator[list[str], None, None]:
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
                texts[language] = segments(stream.read(), f"{path}, {member}")
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


def segments(content: bytes, name: str) -> dict[SegmentId, str]:
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
