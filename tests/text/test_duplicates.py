"""Duplicates: the first of equal records stays, in whatever shard, and everything keeps its order."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.errors import CorpusError
from xlm_core.text import duplicates
from xlm_core.text.tokenize import tokenize

BLOCK = 2  # records that stay together, instead of 1000
WORDS = st.sampled_from(["a", "b", "c", "ä", "a b", "A", "é", "e"])  # composed, as every record is
PAIRS = st.lists(st.tuples(WORDS, WORDS).map(list), max_size=30)


def marked(folder: Path, rows: list[list[str]], n_shards: int) -> list[list[bool]]:
    """The marks of every shard."""
    shards = [folder / f"{number}.tsv" for number in range(n_shards)]
    marks = [folder / f"{number}.repeated" for number in range(n_shards)]
    tsv.write(rows, shards)
    duplicates.find_duplicates(shards, marks)
    assert sorted(folder.iterdir()) == sorted([*shards, *marks])  # the buckets are gone
    return [[bool(byte) for byte in path.read_bytes()] for path in marks]


def kept(folder: Path, n_shards: int) -> list[list[str]]:
    """What tokenization keeps of every shard, in the order of the corpus."""
    for number in range(n_shards):
        tokenize(
            folder / f"{number}.tsv",
            folder / f"{number}.tokens.tsv",
            languages=("en", "de"),
            n_fields=2,
            text=Text(lowercase=False, strip_accents=False),
            already_tokenized=True,
            keep_all=False,
            statistics=folder / "statistics.json",
            repeated=folder / f"{number}.repeated",
        )
        counts = json.loads((folder / "statistics.json").read_text())
        assert set(counts["dropped"]) <= {"duplicate"}
        assert counts["read"] == counts["kept"] + counts["dropped"].get("duplicate", 0)
    return [list(tsv.read(folder / f"{number}.tokens.tsv", 2)) for number in range(n_shards)]


def test_by_eye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tsv, "BLOCK", BLOCK)
    rows = [["one"], ["two"], ["one"], ["three"], ["two"], ["four"], ["one"]]
    assert marked(tmp_path, rows, n_shards=2) == [[False, False, True, False], [True, False, True]]


def test_a_pair_is_repeated_where_both_of_its_sides_are(tmp_path: Path):
    rows = [["a", "b"], ["a", "c"], ["b", "a"], ["a", "b"], ["ab", ""], ["", "ab"]]
    assert marked(tmp_path, rows, n_shards=1) == [[False, False, False, True, False, False]]


@pytest.mark.parametrize("n_shards", [1, 3])
def test_an_empty_corpus_and_empty_shards(tmp_path: Path, n_shards: int):
    assert marked(tmp_path, [], n_shards) == [[]] * n_shards


@given(rows=PAIRS, n_shards=st.integers(1, 4))
@example(rows=[["a", "b"]] * 4, n_shards=2)
@example(rows=[["a", "b"], ["b", "a"]] * 20, n_shards=1)  # more than is in memory at once, of two records
def test_what_is_kept_is_what_a_dictionary_keeps(rows: list[list[str]], n_shards: int):
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsv, "BLOCK", BLOCK)
        patch.setattr(duplicates, "CHUNK", 2)
        patch.setattr(duplicates, "SPAN", 7)
        folder = Path(name)
        is_repeated = marked(folder, rows, n_shards)
        blocks = tsv.block_starts(len(rows), n_shards)
        flat = np.zeros(len(rows), dtype=bool)
        for own, marks in zip(blocks, is_repeated, strict=True):
            for block, start in zip(own, range(0, len(marks), BLOCK), strict=True):
                flat[block : block + BLOCK] = marks[start : start + BLOCK]
        expected = [list(pair) for pair in dict.fromkeys(map(tuple, rows))]
        assert [pair for pair, repeated in zip(rows, flat, strict=True) if not repeated] == expected
        assert sorted(pair for shard in kept(folder, n_shards) for pair in shard) == sorted(expected)
        if n_shards == 1:
            assert kept(folder, 1) == [expected]


@given(count=st.integers(0, 40), n_shards=st.integers(1, 5))
def test_what_was_dealt_out_is_gathered_again(count: int, n_shards: int):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsv, "BLOCK", 3)
        shards = [Path(folder) / str(number) for number in range(n_shards)]
        tsv.write(([str(number)] for number in range(count)), shards)
        assert [int(line) for line in tsv.interleave_shards(shards)] == list(range(count))
        for shard, own in zip(shards, tsv.block_starts(count, n_shards), strict=True):
            held = [number for start in own for number in range(count)[start : start + 3]]
            assert [int(fields[0]) for fields in tsv.read(shard, 1)] == held


def test_an_evaluation_set_keeps_its_duplicates(tmp_path: Path):
    assert marked(tmp_path, [["a"], ["a"]], 1) == [[False, True]]
    options = {"languages": ["en"], "n_fields": 1, "text": Text(), "already_tokenized": False}
    paths = tmp_path / "0.tsv", tmp_path / "0.tokens.tsv"
    statistics, marks = tmp_path / "statistics.json", tmp_path / "0.repeated"
    tokenize(*paths, **options, keep_all=True, statistics=statistics, repeated=marks)
    assert list(tsv.read(paths[1], 1)) == [["a"], ["a"]]


def test_damaged_marks_are_an_error(tmp_path: Path):
    (tmp_path / "marks").write_bytes(b"\0\xff")
    with pytest.raises(CorpusError, match=r"marks: no marks of duplicates \(byte b'\\xff'\)"):
        list(duplicates.with_marks(iter([["a"], ["b"]]), tmp_path / "marks"))


@pytest.mark.parametrize("n_marks", [0, 1, 3])
def test_marks_of_another_shard_are_an_error(tmp_path: Path, n_marks: int):
    (tmp_path / "marks").write_bytes(bytes(n_marks))
    with pytest.raises(CorpusError, match=f"{n_marks} marks, expected one per record"):
        list(duplicates.with_marks(iter([["a"], ["b"]]), tmp_path / "marks"))
