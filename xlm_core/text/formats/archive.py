"""Read text files, and members of zip and tar archives, as streams, without unpacking them to disk.

A tar may be compressed in any way that ``io.open_binary`` knows; zip and tar are told apart by content.

Archives come from the network and are not trusted. Refused are: names that lead out of a folder, links, devices,
encrypted members, and members larger than a bound. ``tarfile.data_filter`` checks only some of this (no zips, no drive
letters, no backslashes), and ``tarfile`` alone takes damage between two members for the end of the archive.
"""

import io
import re
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from xlm_core.errors import ArchiveError
from xlm_core.io import DECOMPRESSION_ERRORS, decode_lines, open_binary, remedy

MAX_BYTES = 64 << 30  # bound of one unpacked member; the largest file of OPUS is well below it
CHUNK = 1 << 20  # bytes read at once, and bound of a tar's headers: far more than any name takes
ZIP_MAGIC = b"PK"
DAMAGE = (
    *DECOMPRESSION_ERRORS, zipfile.BadZipFile, tarfile.TarError, ValueError, NotImplementedError, RecursionError,
    LookupError, OverflowError, struct.error,
)  # fmt: skip
CLIMBS_OUT = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")  # absolute, with a drive, or with a step up
OF_MACOS = re.compile(r"(^|/)(__MACOSX/|\._[^/]*$)")
ENCRYPTED = 0x1  # bit of a zip member's flags


class _Entry(NamedTuple):
    """One member of an archive.

    kind  "file", "folder", or what else it is
    open  opens the member; of a tar it must be called before the next entry is read
    """

    name: str
    kind: str
    n_bytes: int
    open: Callable[[], IO[bytes] | None]


def members(archive: Path) -> list[str]:
    """List the names of an archive's files, in the archive's order. A tar is read completely.

    Left out are the files that macOS adds to an archive, one for each.

    Raises:
        ArchiveError: the file is not a whole zip or tar, or a member is unsafe.
    """
    return [entry.name for entry in _entries(archive) if entry.kind == "file" and not OF_MACOS.search(entry.name)]


@contextmanager
def open_member(archive: Path, member: str, *, max_bytes: int = MAX_BYTES) -> Iterator[IO[bytes]]:
    """Open one member as a binary stream. A tar is read, and checked, up to that member.

    Raises:
        ArchiveError: the archive is broken or unsafe, the member is absent, encrypted, or larger than ``max_bytes``;
            raised by a read if the data are damaged, cut off, or more than declared.
    """
    names = []
    location = f"{archive}, member {member}"
    with closing(_entries(archive)) as entries:
        for entry in entries:
            if entry.name == member and entry.kind == "file":
                if entry.n_bytes > max_bytes:
                    raise ArchiveError(
                        f"{location} has {entry.n_bytes} bytes, at most {max_bytes} expected; check the archive"
                    )
                with _archive_errors(location):
                    data = entry.open()
                assert data is not None, "regular files have data"
                with data, io.BufferedReader(_MemberStream(data, location), CHUNK) as stream:
                    yield stream
                return
            names.append(entry.name)
    listed = ", ".join(names[:20]) or "nothing"
    raise ArchiveError(f"{archive}: no member {member}; it holds {listed}; check that this is the right archive")


@contextmanager
def open_lines(
    path: Path, member: str | None = None, *, keep_invalid: bool = False
) -> Iterator[tuple[str, Iterator[str]]]:
    """Open a text file, or a member of an archive. Yields its name in messages, and its lines.

    Lines that are not UTF-8 are errors unless they are kept; see ``io.decode_lines``.

    Raises:
        ArchiveError: as ``open_member``.
        CorpusError: raised by a read if the text is damaged or not UTF-8.
    """
    name = f"{path}, {member}" if member else str(path)
    with open_member(path, member) if member else open_binary(path) as stream:
        yield name, decode_lines(stream, name, keep_invalid=keep_invalid)


def member_with_suffix(archive: Path, suffix: str) -> str:
    """Return the name of the one member whose path ends in ``suffix``, in any folder.

    Raises:
        ArchiveError: the archive is broken, or has no such member, or several.
    """
    names = members(archive)
    matches = [name for name in names if f"/{name}".endswith(f"/{suffix}")]
    return only_member(archive, matches, f"members {suffix}", names)


def only_member(archive: Path, matches: Sequence[str], wanted: str, names: Sequence[str]) -> str:
    """Return the one name in ``matches``.

    Raises:
        ArchiveError: there is none, or there are several; the message has what is ``wanted``, and lists ``names``.
    """
    if len(matches) != 1:
        raise ArchiveError(
            f"{archive}: {len(matches)} {wanted}, expected 1; it holds {', '.join(names[:20]) or 'nothing'}; "
            "check that this is the right archive, and the language or test set that is wanted of it"
        )
    return matches[0]


def _entries(archive: Path) -> Generator[_Entry, None, None]:
    """Yield the checked entries of an archive.

    Raises:
        ArchiveError: it is damaged or cut off, or a member is unsafe.
    """
    with _archive_errors(str(archive)):
        with open(archive, "rb") as file:
            is_zip = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        yield from _zip_entries(archive) if is_zip else _tar_entries(archive)


def _checked_entry(archive: Path, entry: _Entry, stored_name: str) -> _Entry:
    """Return ``entry`` if it stays inside its archive; ``stored_name`` is its name before Python normalized it."""
    if CLIMBS_OUT.search(entry.name) or CLIMBS_OUT.search(stored_name):
        raise ArchiveError(f"{archive}: member {stored_name!r} leads out of its folder; check the archive")
    if entry.kind not in ("file", "folder"):
        raise ArchiveError(f"{archive}: member {entry.name!r} is {entry.kind}, expected a file; check the archive")
    return entry


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    """Yield the members of a zip, all of which are checked before the first."""
    with zipfile.ZipFile(archive) as file:
        entries = []
        for info in file.infolist():
            is_link, is_encrypted = stat.S_ISLNK(info.external_attr >> 16), info.flag_bits & ENCRYPTED
            kind = "a link" if is_link else "encrypted" if is_encrypted else "folder" if info.is_dir() else "file"
            entry = _Entry(info.filename, kind, info.file_size, partial(file.open, info))
            entries.append(_checked_entry(archive, entry, info.orig_filename))  # filename is cut at a NUL
        yield from entries


def _tar_entries(archive: Path) -> Iterator[_Entry]:
    """Yield the members of a tar in one pass, because a tar has no directory."""
    with closing(_Tape(open_binary(archive))) as tape:
        tar = tarfile.open(fileobj=tape, mode="r:", errors="replace")  # type: ignore[call-overload]  # noqa: SIM115
        while (info := tar.next()) is not None:
            kind = "file" if info.isreg() else "folder" if info.isdir() else "a link or a device"
            yield _checked_entry(archive, _Entry(info.name, kind, info.size, partial(tar.extractfile, info)), info.name)
            tar.members.clear()  # otherwise tarfile keeps every header in memory
        tape.finish()


class _Tape:
    """An uncompressed tar as ``tarfile`` reads it: forward only, with bounded headers and a checked end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._last = b""
        self.tell, self.close = stream.tell, stream.close

    def read(self, n_bytes: int) -> bytes:
        if n_bytes > CHUNK:
            raise tarfile.ReadError(f"a header of {n_bytes} bytes, at most {CHUNK} expected")
        self._last = self._stream.read(n_bytes)
        return self._last

    def seek(self, offset: int) -> int:
        if offset < self.tell():  # a negative size, with which some versions of tarfile never end
            raise tarfile.ReadError("a member that ends before it begins")
        return self._stream.seek(offset)

    def finish(self) -> None:
        """Check that the last block read was the empty one that ends a tar, and that the compressed file is whole."""
        if self._last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("cut off, or no tar member where one was expected")
        while self._stream.read(CHUNK):
            pass


@contextmanager
def _archive_errors(location: str) -> Iterator[None]:
    """Turn the errors of a broken archive into an ``ArchiveError`` that names the location."""
    try:
        yield
    except DAMAGE as error:
        raise ArchiveError(f"{location}: broken ({error}); {remedy(location)}") from error


class _MemberStream(io.RawIOBase):
    """The bytes of one member, at most as many as declared, with named errors."""

    def __init__(self, data: IO[bytes], location: str) -> None:
        self._data, self._location = data, location

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _archive_errors(self._location):
            chunk = self._data.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
