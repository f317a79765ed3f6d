"""Plain records of one language or of one pair, out of plain files, archives of two sides, test sets and dumps.

A format is a function from its files to raw fields; what makes a field clean, which records are dropped and how
they are counted is the same for all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO

from xlm_core import tsv
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.languages import sides
from xlm_core.text import archive, sgm, wikipedia
from xlm_core.text.lines import clean_field, decoded, open_whole
from xlm_core.tsv import Counts

NOT_TEXT = ("README", "LICENSE")  # files that OPUS adds to its archives


def extract(
    format: str,  # noqa: A002
    inputs: list[Path],
    shards: list[Path],
    key: str,
    statistics: Path,
    *,
    lines: Sequence[int] | None = None,
    test_set: str | None = None,
) -> None:
    """Write the records of ``key`` to ``shards`` and their counts to ``statistics``.

    Args:
        format: ``text`` (one file per side of the key, in the key's order, or several such rows of files; one record
            per line; plain or compressed), ``moses`` (a zip or tar with one aligned file per side, as OPUS and IIT
            Bombay have them), ``sgm`` (a tar of WMT's test sets) or ``wikipedia`` (a dump of articles).
        inputs: the files of that format.
        shards: where the records go, in blocks, in turn.
        key: a language (``de``) or a pair (``de-en``).
        statistics: the counts of records read, kept and dropped.
        lines: of all files together the first record that is read, from 0, and the first that is not; None: all.
        test_set: of the format ``sgm``, the one to take.

    Raises:
        CorpusError, ArchiveError: if an input is damaged, its sides do not match, or nothing is left of it.
    """
    counts = Counts()
    formats = {"text": _text, "moses": _moses, "wikipedia": _wikipedia, "sgm": partial(_sgm, test_set)}
    found = formats[format](inputs, key, counts)
    with closing(found):
        tsv.write(_kept(islice(found, *lines or (None,)), key, inputs, counts), shards)
    counts.write(statistics)


def _kept(found: Iterator[list[str]], key: str, inputs: list[Path], counts: Counts) -> Iterator[list[str]]:
    """The records with something in every field."""
    n_kept = 0
    for raw in found:
        counts.read += 1
        fields = [clean_field(text) for text in raw]
        if all(fields):
            n_kept += 1
            yield fields
        else:
            counts.drop("empty" if len(fields) == 1 else "empty side")
    if not n_kept:
        names = ", ".join(map(str, inputs))
        raise CorpusError(f"{names}: no text in {key}, an empty language; check that these are the right files")


def _text(inputs: list[Path], key: str, counts: Counts) -> Iterator[list[str]]:
    """One record per line of plain files, one file per side."""
    n_sides = len(sides(key))
    if not inputs or len(inputs) % n_sides:
        names = ", ".join(map(str, inputs)) or "none"
        raise CorpusError(f"{key}: {len(inputs)} files ({names}), expected one for each of {', '.join(sides(key))}")
    for row in zip(*[iter(inputs)] * n_sides, strict=True):
        with ExitStack() as stack:
            streams = [stack.enter_context(open_whole(path)) for path in row]
            yield from _aligned(streams, [str(path) for path in row])


def _moses(inputs: list[Path], key: str, counts: Counts) -> Iterator[list[str]]:
    """The pairs of archives; a tar is read three times: whole for its names, and once for each side."""
    for path in inputs:
        names = archive.members(path)
        with ExitStack() as stack:
            chosen = [_member(path, names, language, key) for language in sides(key)]
            streams = [stack.enter_context(archive.open_member(path, name)) for name in chosen]
            yield from _aligned(streams, [f"{path}, {name}" for name in chosen])


def _member(path: Path, names: list[str], language: str, key: str) -> str:
    """The one member that holds the text of ``language``."""
    found = [name for name in names if name.endswith(f".{language}") and not Path(name).name.startswith(NOT_TEXT)]
    if len(found) > 1:  # WMT's archives hold several pairs
        pairs = ("-".join(sides(key)), "-".join(sides(key)[::-1]))
        found = [name for name in found if any(pair in Path(name).name for pair in pairs)] or found
    if len(found) != 1:
        raise ArchiveError(
            f"{path}: {len(found)} members ending in .{language}, expected 1; it holds {', '.join(names[:20])}; "
            "check that this is the archive of the right pair"
        )
    return found[0]


def _sgm(test_set: str | None, inputs: list[Path], key: str, counts: Counts) -> Iterator[list[str]]:
    """The pairs of a test set."""
    for path in inputs:
        yield from sgm.pairs(path, test_set or "", key)


def _wikipedia(inputs: list[Path], key: str, counts: Counts) -> Iterator[list[str]]:
    """The paragraphs of dumps."""
    for path in inputs:
        for paragraph in wikipedia.paragraphs(path, counts):
            yield [paragraph]


def _aligned(streams: list[IO[bytes]], places: list[str]) -> Iterator[list[str]]:
    """The lines of all sides, one record per line number.

    Raises:
        CorpusError: if the sides do not have equally many lines.
    """
    sides_lines = [decoded(stream, place) for stream, place in zip(streams, places, strict=True)]
    for number, lines in enumerate(zip_longest(*sides_lines)):
        if None in lines:
            n_lines = [
                number + (line is not None) + sum(1 for _ in rest)
                for line, rest in zip(lines, sides_lines, strict=True)
            ]
            found = ", ".join(f"{n} in {place}" for n, place in zip(n_lines, places, strict=True))
            raise CorpusError(f"unequal numbers of lines: {found}; the sides are not aligned, fetch the files again")
        yield list(lines)
