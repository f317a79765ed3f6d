"""Zip archives: members read as streams, never unpacked to disk.

An archive comes from the network, so it is not trusted: names that lead out of a folder, links, encrypted members
and members that are larger than they may be are refused.
"""

import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xlm_core.errors import ArchiveError

MAX_BYTES = 64 << 30  # bound of one unpacked member; the largest file of OPUS is well below it
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)
CLIMBS_OUT = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")  # absolute, with a drive, or with a step up
ENCRYPTED = 0x1  # bit of a member's flags


def members(archive: Path) -> list[str]:
    """The names of an archive's files (folders left out), in the archive's order.

    Raises:
        ArchiveError: if it is no whole zip, or one of its names or links leads out of it.
    """
    with _opened(archive) as file:
        return [info.filename for info in file.infolist() if not info.is_dir()]


@contextmanager
def open_member(archive: Path, member: str, *, max_bytes: int = MAX_BYTES) -> Iterator[IO[bytes]]:
    """Open one member for reading as a binary stream.

    Raises:
        ArchiveError: if the archive is broken or unsafe, the member is absent, encrypted, or larger than ``max_bytes``;
            from a read, if its data are damaged, cut off, or more than declared.
    """
    with _opened(archive) as file:
        try:
            info = file.getinfo(member)
        except KeyError:
            listed = ", ".join(file.namelist()[:20]) or "nothing"
            raise ArchiveError(
                f"{archive}: no member {member}; it holds {listed}; check that this is the right archive"
            ) from None
        if info.flag_bits & ENCRYPTED:
            raise ArchiveError(f"{archive}: member {member} is encrypted; provide an archive without a password")
        if info.file_size > max_bytes:
            raise ArchiveError(f"{archive}: member {member} has {info.file_size} bytes, at most {max_bytes} expected")
        place = f"{archive}, member {member}"
        with _reading(place):
            data = file.open(info)
        with io.BufferedReader(_Member(data, place, max_bytes), 1 << 20) as stream:
            yield stream


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Turn the errors of a broken archive into one that names the place."""
    try:
        yield
    except DAMAGE as error:
        raise ArchiveError(f"{place}: broken ({error}); remove the file and fetch it again") from error


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """An archive whose names have all been checked."""
    with _reading(str(archive)):
        file = zipfile.ZipFile(archive)
    with file:
        for info in file.infolist():
            # orig_filename, because zipfile turns the backslashes of some systems into slashes and cuts at a NUL
            if CLIMBS_OUT.search(info.filename) or CLIMBS_OUT.search(info.orig_filename):
                raise ArchiveError(
                    f"{archive}: member {info.orig_filename!r} leads out of its folder; do not trust this file"
                )
            if stat.S_ISLNK(info.external_attr >> 16):
                raise ArchiveError(f"{archive}: member {info.filename!r} is a link, expected a file; do not trust it")
        yield file


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
