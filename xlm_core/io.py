"""Read files whatever their compression; write them under their final name only when whole.

What is written passes ``atomic`` or ``atomic_many``, where a full disk becomes one named error. The few files that grow
over hours and are of use without their end, a training's log and the beginning of a download, pass
``disk_full_errors``.
"""

import bz2
import errno
import glob
import gzip
import json
import lzma
import os
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from xlm_core.errors import CorpusError, StorageError, XlmError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": zstd.open,
}  # first bytes of a file -> what opens it for reading
DOWNLOADS = "/raw/web/"  # in the paths of files that the workflow downloads
INVALID = re.compile("[\ud800-\udfff]")  # in a text: bytes that are not UTF-8
DECOMPRESSION_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zstd.ZstdError)  # of damaged or cut-off files
HINTS = {
    errno.ENOSPC: "Free space there (df -h and df -i show what is left), or choose a folder on another disk",
    errno.EDQUOT: "Remove files of yours there, ask for a larger quota, or choose a folder on another disk",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or choose a disk that takes larger ones",
}  # what to do where there is no room, by the system's reason


@contextmanager
def atomic(path: Path, *, is_shared: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``, renamed to it when the block ends and removed when the block fails.

    Temporary files of killed processes are removed, too; unless the file ``is_shared``: then processes on several
    machines may write it at once, and the last one wins.

    Raises:
        StorageError: there is no room for the file. What was there before, also under its name, is left as it was.
    """
    with atomic_many([path], is_shared=is_shared) as (partial,):
        yield partial


def copy_file(source: Path, output: Path) -> None:
    """Copy a file, whole or not at all; see ``atomic``."""
    with atomic(output) as partial:
        shutil.copyfile(source, partial)


@contextmanager
def atomic_many(paths: Sequence[Path], *, is_shared: bool = False) -> Iterator[list[Path]]:
    """Give temporary paths of several files, none of which gets its name before all are whole; see ``atomic``.

    Raises:
        StorageError: there is no room for one of them.
    """
    partials = [path.with_name(f".{path.name}.{os.getpid()}.partial") for path in paths]
    try:
        others = f" (or one of {len(paths) - 1} more files that are written with it)" if len(paths) > 1 else ""
        with disk_full_errors(f"{paths[0]}{others}"):
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                for stale in [] if is_shared else path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
                    if not _is_running(stale.name.split(".")[-2]):
                        stale.unlink(missing_ok=True)
            yield partials
            for partial in partials:
                fsync(partial)
            for partial, path in zip(partials, paths, strict=True):
                partial.replace(path)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def _is_running(process: str) -> bool:
    """Tell whether another process of this machine has this number."""
    if not process.isdecimal() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, and is another user's
    return True


def read_problem(path: Path, error: Exception) -> str:
    """Return why the file ``path`` could not be read, as the end of a sentence that begins with its name."""
    if path.is_dir():
        return "is a folder, not a file"
    if not path.exists():
        return "does not exist"
    return f"{'cannot be read' if isinstance(error, OSError) else 'is damaged'} ({error})"


def fsync(path: Path) -> None:
    """Wait until all of a file that is written and closed has reached its disk.

    A write ends when the system has the data, not when the disk does. Network file systems report a full disk or a
    quota only when the data are sent, and a machine may lose its power: without this call a file could be cut off, or
    empty, under its final name.
    """
    with open(path, "rb") as file:
        os.fsync(file.fileno())  # reports an earlier error of writing, too, that no call has reported yet


@contextmanager
def disk_full_errors(path: str | Path) -> Iterator[None]:
    """Turn lack of room for the file ``path`` into a message that says what to do.

    The reason is searched in all errors that led to the one raised: libraries written in other languages wrap the
    system's error.

    Raises:
        StorageError: its disk or a quota is full, or a limit on the size of files is reached.
    """
    try:
        yield
    except XlmError:
        raise
    except Exception as error:
        if (cause := _lack_of_room(error)) is None:
            raise
        raise StorageError(
            f"{path} could not be written: {os.strerror(cause)}; expected room for all of it. "
            f"{HINTS[cause]}, then run again: what is finished stays"
        ) from error


def _lack_of_room(error: BaseException | None) -> int | None:
    """The number of the system's error, one of ``HINTS``, that led to ``error``."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in HINTS:
            return error.errno
        error = error.__cause__ or error.__context__
    return None


def open_binary(path: Path) -> IO[bytes]:
    """Open a plain, gz, bz2, xz or zst file for reading; the content tells the compression, not the name."""
    with open(path, "rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in OPENERS.items() if head.startswith(magic)), None)
    stream: IO[bytes] = opener(path) if opener else open(path, "rb")  # noqa: SIM115 (closed by the caller)
    return stream


def decode_lines(stream: IO[bytes], name: str, *, keep_invalid: bool = False) -> Iterator[str]:
    r"""Yield the lines of a binary stream, without their ends; only ``\n`` ends a line.

    Args:
        stream: the bytes.
        name: of the stream, in messages.
        keep_invalid: yield lines that are not UTF-8, too, their odd bytes as surrogates, which ``INVALID`` finds.

    Raises:
        CorpusError: the stream is damaged or not UTF-8, or its lines end in carriage returns alone; the message has
            ``name`` and the line.
    """
    n_read = 0
    errors = "surrogateescape" if keep_invalid else "strict"
    try:
        for line in stream:
            if n_read == 0 and line.rstrip(b"\r\n").count(b"\r") > 1:
                raise CorpusError(
                    f"{name}: the first line holds carriage returns; expected lines that end in line feeds. "
                    "Convert the file with: tr '\\r' '\\n'"
                )
            yield line.decode("utf-8", errors).removesuffix("\n")
            n_read += 1
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{name}, line {n_read + 1}: byte {error.start} is not UTF-8 ({error.reason}); convert the file to UTF-8, "
            "or have such lines of a corpus dropped and counted by its key invalid_utf8: drop"
        ) from error
    except DECOMPRESSION_ERRORS as error:
        raise CorpusError(f"{name}: damaged or cut off after line {n_read} ({error}); {remedy(name)}") from error


def remedy(name: str | Path) -> str:
    """Say how to get a right file, by its path or a name that begins with it: only downloads are fetched again."""
    if DOWNLOADS in str(name):
        return "remove the file and run again, then it is downloaded again"
    return "mend the file, or put a whole one in its place"


def write_text(path: Path, text: str, *, is_shared: bool = False) -> None:
    """Write ``text`` in UTF-8, atomically."""
    with atomic(path, is_shared=is_shared) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any, *, is_shared: bool = False) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", is_shared=is_shared)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_zip(path: Path, members: Mapping[str, str]) -> None:
    """Write a zip of texts, whose bytes depend on nothing but its ``members``, name -> content."""
    with atomic(path) as partial, zipfile.ZipFile(partial, "w") as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)  # of 1980, the first date that a zip can hold
            info.external_attr = 0o644 << 16
            file.writestr(info, content.encode(), zipfile.ZIP_DEFLATED)
