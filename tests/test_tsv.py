"""Records and shards."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core import tsv
from xlm_core.errors import CorpusError


@given(st.text())
def test_a_field_never_holds_a_separator(text: str):
    cleaned = tsv.collapse_blanks(text)
    assert "\t" not in cleaned and "\n" not in cleaned and cleaned == cleaned.strip()
    assert len(cleaned.splitlines()) <= 1


def test_blocks_go_to_the_shards_in_turn_and_keep_their_neighbors(tmp_path: Path):
    shards = [tmp_path / "0.tsv", tmp_path / "1.tsv"]
    n = 2 * tsv.BLOCK + 5
    assert tsv.write(([str(number), "x"] for number in range(n)), shards) == n
    first, second = ([int(fields[0]) for fields in tsv.read(path, 2)] for path in shards)
    assert first == [*range(tsv.BLOCK), *range(2 * tsv.BLOCK, n)]
    assert second == list(range(tsv.BLOCK, 2 * tsv.BLOCK))


def test_a_line_with_other_fields_is_named(tmp_path: Path):
    path = tmp_path / "0.tsv"
    path.write_text("a\tb\nc\n")
    with pytest.raises(CorpusError, match=r"0\.tsv, line 2: 1 fields, expected 2"):
        list(tsv.read(path, 2))


def test_a_file_that_is_not_text_is_named(tmp_path: Path):
    (tmp_path / "0.tsv").write_bytes(b"a\n\xff\n")
    with pytest.raises(CorpusError, match=r"0\.tsv is not UTF-8"):
        list(tsv.read(tmp_path / "0.tsv", 1))


def test_a_failure_in_the_middle_leaves_no_shard(tmp_path: Path):
    def broken():
        yield ["one"]
        raise CorpusError("cut off")

    with pytest.raises(CorpusError):
        tsv.write(broken(), [tmp_path / "0.tsv", tmp_path / "1.tsv"])
    assert list(tmp_path.iterdir()) == []


def test_counts_add_up(tmp_path: Path):
    counts = tsv.FilterStats()
    counts.kept = 3
    counts.drop("empty")
    counts.drop("empty")
    counts.write(tmp_path / "statistics.json")
    assert json.loads((tmp_path / "statistics.json").read_text()) == {"read": 5, "kept": 3, "dropped": {"empty": 2}}


def test_a_table_may_have_a_byte_order_mark_and_empty_lines():
    lines = ["\ufefflabel\ttext", "a\tb", "", "c\td", ""]
    rows = [values for _, values in tsv.read_table("t", lines, ("text", "label"))]
    assert rows == [["b", "a"], ["d", "c"]]
    with pytest.raises(CorpusError, match="t, line 2: 1 fields, expected 2"):
        list(tsv.read_table("t", ["label\ttext", "a"], ("text",)))
