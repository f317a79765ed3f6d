"""SGM: the test sets of WMT, one file per language, aligned by the numbers of their documents and segments."""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.languages import sides
from xlm_core.text import archive

Place = tuple[str, str]  # document and segment
SHOWN = 5  # places of a message


def pairs(path: Path, name: str, key: str) -> list[list[str]]:
    """The segments of a test set in both languages of a pair.

    As published, both sides are taken from the files of references, ``<name>-ref.<language>.sgm`` or, with the
    direction in it, ``<name>-deen-ref.en.sgm``: what is the source of one direction is the reference of the other.

    Raises:
        ArchiveError: the archive has no such file, or more than one.
        CorpusError: a file is broken, or the sides do not have the same segments.
    """
    names = archive.members(path)
    found = {}
    for language in sides(key):
        member = _member(path, names, name, language, key)
        with archive.open_member(path, member) as stream:
            found[language] = segments(stream.read(), f"{path}, {member}")
    _check_alike(found, f"{path}, {name}")
    first, second = found.values()
    return [[first[place], second[place]] for place in first]


def _member(path: Path, names: Sequence[str], name: str, language: str, key: str) -> str:
    """The file of references in one language."""
    directions = "|".join(("".join(sides(key)), "".join(sides(key)[::-1])))
    pattern = re.compile(rf"(.*/)?{re.escape(name)}(-({directions}))?-ref\.{language}\.sgm")
    found = [member for member in names if pattern.fullmatch(member)]
    if len(found) != 1:
        alike = ", ".join(member for member in names if Path(member).name.startswith(name)) or "none of that name"
        raise ArchiveError(
            f"{path}: {len(found)} files of references for '{name}' in '{language}', expected 1 such as "
            f"{name}-ref.{language}.sgm; of this set it holds {alike}; check the corpus's 'set'"
        )
    return found[0]


def segments(content: bytes, place: str) -> dict[Place, str]:
    """The text of every segment of a file, in its order.

    Raises:
        CorpusError: it is not UTF-8, has no segment, one twice, one outside of a document, or one that does not end.
    """
    parser = _Segments(place)
    try:
        parser.feed(content.decode("utf-8"))
        parser.close()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{place}: byte {error.start} is not UTF-8; convert the file") from error
    except (AssertionError, ValueError) as error:  # of the parser: a broken declaration, a number without end
        raise CorpusError(f"{place}, line {parser.getpos()[0]}: broken ({error}); fetch the file again") from error
    if parser.at is not None:
        raise CorpusError(f"{place}: segment {_named(parser.at)} does not end; the file is cut off, fetch it again")
    if not parser.found:
        raise CorpusError(f"{place}: no segment, expected <seg id=...> inside <doc docid=...>; is this an SGM file?")
    return parser.found


class _Segments(HTMLParser):
    """Collects segments; the tags of SGM are few, and its entities are those of HTML."""

    def __init__(self, place: str) -> None:
        super().__init__(convert_charrefs=True)
        self.place = place
        self.document: str | None = None
        self.at: Place | None = None  # the segment that is open
        self.found: dict[Place, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "doc":
            self.document = values.get("docid")
        elif tag == "seg":
            number = values.get("id")
            if self.document is None or number is None:
                raise CorpusError(f"{self.place}, line {self.getpos()[0]}: a segment without document or id")
            if self.at is not None:
                raise CorpusError(f"{self.place}: segment {_named(self.at)} does not end before the next one begins")
            self.at = (self.document, number)
            if self.at in self.found:
                raise CorpusError(f"{self.place}: segment {_named(self.at)} is there twice; the file is broken")
            self.found[self.at] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "seg":
            self.at = None
        elif tag == "doc":
            self.document = None

    def handle_data(self, data: str) -> None:
        if self.at is not None:
            self.found[self.at] += data


def _check_alike(found: Mapping[str, Mapping[Place, str]], place: str) -> None:
    """Refuse sides that do not have the same segments."""
    (first, ours), (second, theirs) = found.items()
    for there, absent, some in ((first, second, ours.keys() - theirs.keys()), (second, first, theirs.keys() - ours)):
        if some:
            named = ", ".join(_named(at) for at in sorted(some)[:SHOWN])
            raise CorpusError(
                f"{place}: {len(some)} segments are there in '{there}' and missing in '{absent}': {named}; "
                "the files do not belong together, fetch them again"
            )


def _named(place: Place) -> str:
    return f"{place[1]} of document {place[0]}"
