"""Extract plain records of one language, or of one pair, from plain files, archives, test sets and dumps.

A format is a generator of raw fields; cleaning, dropping and counting are the same for all formats.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice, zip_longest
from pathlib import Path
from typing import IO

from xlm_core import tsv
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.io import decode_lines, open_binary
from xlm_core.languages import sides
from xlm_core.text.formats import archive, sgm, wikipedia
from xlm_core.tsv import FilterStats, clean_field

Records = Generator[list[str], None, None]
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
        "sgm": lambda: sgm.read(inputs, test_set or "", key),
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
