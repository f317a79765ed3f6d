"""Files are read whatever their compression, and appear only when whole."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from xlm_core import files

TEXT = "première ligne\nनमस्ते\n".encode()
COMPRESSED = {
    "plain": TEXT,
    "gz": gzip.compress(TEXT),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zst": zstandard.compress(TEXT),
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compression_is_told_by_content(tmp_path: Path, kind: str):
    path = tmp_path / "corpus.txt"  # the name says nothing
    path.write_bytes(COMPRESSED[kind])
    with files.open_binary(path) as file:
        assert file.read() == TEXT


def test_an_empty_file_is_plain(tmp_path: Path):
    path = tmp_path / "empty"
    path.touch()
    with files.open_binary(path) as file:
        assert file.read() == b""


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "deep" / "table.md"
    files.write_json(path, {"old": True})
    with pytest.raises(RuntimeError), files.atomic(path) as partial:
        partial.write_text("half")
        raise RuntimeError("killed")
    assert files.read_json(path) == {"old": True}
    assert [entry.name for entry in path.parent.iterdir()] == ["table.md"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path):
    kept = [tmp_path / ".other.md.17.partial", tmp_path / "table.md.17.partial"]
    for path in (*kept, tmp_path / ".table.md.17.partial"):
        path.touch()
    files.write_json(tmp_path / "table.md", {})
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "table.md"])
