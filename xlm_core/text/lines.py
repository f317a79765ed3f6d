"""Lines: text files of any compression, read as decoded lines, and made clean fields of records.

Whatever is wrong with a file, cut off, damaged or not UTF-8, comes out as an error that names the place.
"""

import io
import lzma
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import zstandard

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import open_binary

DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError)  # what a broken compressed file raises
JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Indic scripts and Persian
CHUNK = 1 << 20  # bytes


def clean_field(text: str) -> str:
    """``text`` as one field, without control and format characters (categories Cc and Cf), letters composed (NFC).

    Control characters that count as white space become blanks, as every other white space does.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():  # most lines are; looking at each character is slow
        text = "".join(c for c in text if c.isspace() or c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf"))
    return tsv.field(text)


def decoded(stream: IO[bytes], place: str) -> Iterator[str]:
    r"""The lines of a binary stream, without their ends; only ``\n`` ends a line.

    Raises:
        CorpusError: naming ``place`` and the line, where the stream is damaged or not UTF-8.
    """
    n_read = 0
    try:
        for line in stream:
            yield line.decode("utf-8").removesuffix("\n")
            n_read += 1
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{place}, line {n_read + 1}: byte {error.start} is not UTF-8 ({error.reason}); convert the file to UTF-8"
        ) from error
    except DAMAGE as error:
        raise CorpusError(
            f"{place}: damaged or cut off after line {n_read} ({error}); remove the file and fetch it again"
        ) from error


def open_whole(path: Path) -> IO[bytes]:
    """Open a file of any compression such that a cut-off one raises while it is read instead of just ending."""
    with open(path, "rb") as file:
        head = file.read(4)
    if head != zstandard.FRAME_HEADER:
        return open_binary(path)
    return io.BufferedReader(_ZstFile(path), CHUNK)


class _ZstFile(io.RawIOBase):
    """A zst file as bytes: all of its frames, and an error where the last one is cut off.

    The library's own reader ends silently at a cut.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 (closed in close)
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._whole = True  # whether the bytes so far end with a whole frame
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        while not self._ready:
            data = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            data = data or self._file.read(CHUNK)
            if not data:
                if not self._whole:
                    raise EOFError("the last zst frame is not complete")
                return 0
            self._ready = self._frame.decompress(data)
            self._whole = self._frame.eof
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def close(self) -> None:
        self._file.close()
        super().close()
