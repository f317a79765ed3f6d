"""Archives, zip or tar: members read as streams, never unpacked to disk.

A tar may be compressed in any way that ``files.open_binary`` knows. Both kinds are told apart by their content.

An archive comes from the network, so it is not trusted: names that lead out of a folder, links, devices, encrypted
members and members that are larger than they may be are refused.
"""

import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from xlm_core.errors import ArchiveError
from xlm_core.io import open_binary

MAX_BYTES = 64 << 30  # bound of one unpacked member; the largest file of OPUS is well below it
CHUNK = 1 << 20  # bytes read at once, and bound of a tar's headers: far more than any name takes
ZIP = b"PK"  # how each zip begins
DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RecursionError, LookupError, OverflowError, struct.error, zstandard.ZstdError,
)  # fmt: skip
CLIMBS_OUT = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")  # absolute, with a drive, or with a step up
ENCRYPTED = 0x1  # bit of a zip member's flags


@dataclass(frozen=True)
class _Entry:
    """What an archive says of one member, and how to read it.

    written  the name as the archive has it, before Python made it nicer
    kind     "file", "folder", or what else it is
    open     of a tar: to be called before the next entry is asked for
    """

    name: str
    written: str
    kind: str
    n_bytes: int
    is_encrypted: bool
    open: Callable[[], IO[bytes]]


def members(archive: Path) -> list[str]:
    """The names of an archive's files (folders left out), in the archive's order; a tar is read once as a whole.

    Raises:
        ArchiveError: if it is no whole zip or tar, or one of its names or links leads out of it.
    """
    return [entry.name for entry in _entries(archive) if entry.kind == "file"]


@contextmanager
def open_member(archive: Path, member: str, *, max_bytes: int = MAX_BYTES) -> Iterator[IO[bytes]]:
    """Open one member for reading as a binary stream; a tar is read, and checked, up to that member.

    Raises:
        ArchiveError: if the archive is broken or unsafe, the member is absent, encrypted, or larger than ``max_bytes``;
            from a read, if its data are damaged, cut off, or more than declared.
    """
    passed = []
    with closing(_entries(archive)) as entries:
        for entry in entries:
            if entry.name == member and entry.kind == "file":
                with _stream(entry, f"{archive}, member {member}", max_bytes) as stream:
                    yield stream
                return
            passed.append(entry.name)
    listed = ", ".join(passed[:20]) or "nothing"
    raise ArchiveError(f"{archive}: no member {member}; it holds {listed}; check that this is the right archive")


def _stream(entry: _Entry, place: str, max_bytes: int) -> IO[bytes]:
    """The bytes of a member that may be read."""
    if entry.is_encrypted:
        raise ArchiveError(f"{place} is encrypted; provide an archive without a password")
    if entry.n_bytes > max_bytes:
        raise ArchiveError(f"{place} has {entry.n_bytes} bytes, at most {max_bytes} expected; do not trust this file")
    with _reading(place):
        data = entry.open()
    return io.BufferedReader(_Member(data, place, max_bytes), CHUNK)


def _entries(archive: Path) -> Iterator[_Entry]:
    """The checked entries of an archive; all of them before the first where the archive has a directory, as a zip."""
    place = str(archive)
    with _reading(place), open(archive, "rb") as file:
        is_zip = file.read(len(ZIP)) == ZIP
    if is_zip:
        with _reading(place):
            file = zipfile.ZipFile(archive)
        with file:
            with _reading(place):
                entries = [_checked(entry, archive) for entry in _zip_entries(file)]
            yield from entries
    else:
        with closing(_tar_entries(archive)) as found:
            for entry in found:
                yield _checked(entry, archive)


def _checked(entry: _Entry, archive: Path) -> _Entry:
    """An entry that stays inside its archive."""
    if CLIMBS_OUT.search(entry.name) or CLIMBS_OUT.search(entry.written):
        raise ArchiveError(f"{archive}: member {entry.written!r} leads out of its folder; do not trust this file")
    if entry.kind not in ("file", "folder"):
        raise ArchiveError(f"{archive}: member {entry.name!r} is a {entry.kind}, expected a file; do not trust it")
    return entry


def _zip_entries(file: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in file.infolist():
        kind = "link" if stat.S_ISLNK(info.external_attr >> 16) else "folder" if info.is_dir() else "file"
        # orig_filename, because zipfile turns the backslashes of some systems into slashes and cuts at a NUL
        yield _Entry(
            info.filename,
            info.orig_filename,
            kind,
            info.file_size,
            bool(info.flag_bits & ENCRYPTED),
            lambda info=info: file.open(info),
        )


def _tar_entries(archive: Path) -> Iterator[_Entry]:
    """One pass over a tar, which has no directory: each header lies before its member.

    Raises:
        ArchiveError: at the first thing that is no header, at once or in the end. ``tarfile`` itself takes anything
            that is none for the end of the archive, and a compressed one need not even end.
    """
    place = str(archive)
    with _reading(place):
        tape = _Tape(open_binary(archive))
    with closing(tape):
        with _reading(place):
            tar = tarfile.open(fileobj=tape, mode="r:", errors="replace")  # noqa: SIM115 (holds nothing but the tape)
        while True:
            with _reading(place):
                info = tar.next()
            if info is None:
                break
            kind = "file" if info.isreg() else "folder" if info.isdir() else "link or a device"
            yield _Entry(info.name, info.name, kind, info.size, False, lambda info=info: tar.extractfile(info))
            tar.members.clear()  # or it would remember each of them
        with _reading(place):
            tape.finish()


class _Tape:
    """An unpacked tar as ``tarfile`` reads it: ever forward, no large header, and its end where it belongs."""

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
        if offset < self.tell():  # a negative size, by which some versions of tarfile would read on in a circle
            raise tarfile.ReadError("a member that ends before it begins")
        return self._stream.seek(offset)

    def finish(self) -> None:
        """Check that the last block read was the empty one that ends a tar, and that the compressed file ends well."""
        if self._last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("cut off, or no tar member where one was expected")
        while self._stream.read(CHUNK):
            pass


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Turn the errors of a broken archive into one that names the place."""
    try:
        yield
    except DAMAGE as error:
        raise ArchiveError(f"{place}: broken ({error}); remove the file and fetch it again") from error


class _Member(io.RawIOBase):
    """The bytes of one member; damage found while reading becomes an ``ArchiveError``, and so do too many bytes."""

    def __init__(self, data: IO[bytes], place: str, max_bytes: int) -> None:
        self._data, self._place, self._left = data, place, max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        with _reading(self._place):
            chunk = self._data.read(len(buffer))
        self._left -= len(chunk)
        if self._left < 0:
            raise ArchiveError(f"{self._place}: more bytes than the bound allows; do not trust this file")
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._data.close()
        super().close()
