"""Files are read whatever their compression, and appear only when whole."""

import bz2
import errno
import gzip
import lzma
import os
import subprocess
from pathlib import Path

import pytest

from xlm_core import io
from xlm_core.errors import CorpusError, StorageError

TEXT = "première ligne\nनमस्ते\n".encode()
COMPRESSED = {
    "plain": TEXT,
    "gz": gzip.compress(TEXT),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zst": io.zstd.compress(TEXT),
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compression_is_told_by_content(tmp_path: Path, kind: str):
    path = tmp_path / "corpus.txt"  # the name says nothing
    path.write_bytes(COMPRESSED[kind])
    with io.open_binary(path) as file:
        assert file.read() == TEXT


def test_an_empty_file_is_plain(tmp_path: Path):
    path = tmp_path / "empty"
    path.touch()
    with io.open_binary(path) as file:
        assert file.read() == b""


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "deep" / "table.md"
    io.write_json(path, {"old": True})
    with pytest.raises(RuntimeError), io.atomic(path) as partial:
        partial.write_text("half")
        raise RuntimeError("killed")
    assert io.read_json(path) == {"old": True}
    assert [entry.name for entry in path.parent.iterdir()] == ["table.md"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path):
    """What a process that is still running writes is its own."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    running = tmp_path / f".table.md.{os.getppid()}.partial"
    kept = [tmp_path / f".other.md.{ended.pid}.partial", tmp_path / f"table.md.{ended.pid}.partial", running]
    for path in (*kept, tmp_path / f".table.md.{ended.pid}.partial"):
        path.touch()
    io.write_json(tmp_path / "table.md", {})
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "table.md"])


def test_two_processes_may_write_a_shared_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "sum.json"
    with io.atomic(path, is_shared=True) as first:
        first.write_text("first")
        monkeypatch.setattr(io.os, "getpid", lambda: -1)  # of the other process
        with io.atomic(path, is_shared=True) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_named_error_and_the_old_file_stays(tmp_path: Path):
    path = tmp_path / "table.md"
    io.write_json(path, {"old": True})
    with (
        pytest.raises(
            StorageError, match=r"table\.md could not be written: No space left on device.*df -h .*run again"
        ),
        io.atomic(path) as partial,
        open(partial, "wb") as file,
        open("/dev/full", "wb", buffering=0) as full,
    ):
        file.write(b"half")
        full.write(b"the other half")
    assert io.read_json(path) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.md"]


def test_a_disk_that_is_found_full_only_when_the_data_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As over a network: the second of two files written together has no room, and the first does not appear either."""
    asked = []

    def fsync(file: int) -> None:
        asked.append(Path(f"/proc/self/fd/{file}").readlink().name.split(".")[1])
        if asked[-1] == "b":
            raise OSError(errno.EDQUOT, "over quota")

    monkeypatch.setattr(os, "fsync", fsync)
    message = r"a \(or one of 1 more files that are written with it\) could not be written: Disk quota exceeded.* quota"
    with (
        pytest.raises(StorageError, match=message),
        io.atomic_many([tmp_path / "a", tmp_path / "b"]) as partials,
    ):
        for partial in partials:
            partial.touch()
    assert asked == ["a", "b"] and list(tmp_path.iterdir()) == []


def test_the_reason_is_found_behind_the_error_of_a_library():
    with (
        pytest.raises(StorageError, match=r"^place could not be written: File too large"),
        io.disk_full_errors("place"),
    ):
        try:
            raise OSError(errno.EFBIG, "too large")
        except OSError:
            raise RuntimeError("unexpected pos 704 vs 598")  # noqa: B904 (as PyTorch does)


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), RuntimeError("ours"), CorpusError("empty")])
def test_other_errors_pass_as_they_are(error: Exception):
    with pytest.raises(type(error)) as caught, io.disk_full_errors("place"):
        raise error
    assert caught.value is error
