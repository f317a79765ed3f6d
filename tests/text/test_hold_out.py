"""Splitting by hash: stable, of the right size, and never torn."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from xlm_core.tsv import split_of, split_of_record


def test_the_same_line_falls_the_same_way_everywhere():
    """Worked out with ``printf "line 0" | b2sum -l 64``: the first 64 bits as a share of all."""
    expected = ["train", "test", "valid", "valid", "valid", "test", "train", "train"]
    assert [split_of(f"line {number}", 0.2, 0.2) for number in range(8)] == expected


def test_shares_are_about_what_was_asked_for():
    counts = Counter(split_of(f"line {number}", 0.1, 0.2) for number in range(20_000))
    assert abs(counts["valid"] - 2000) < 150 and abs(counts["test"] - 4000) < 200  # over three deviations


@given(st.text(), st.text(), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_a_pair_goes_where_its_english_line_goes(english: str, other: str, valid: float, test: float):
    alone = split_of(english, valid, test)
    assert split_of_record([english, other], ("en", "fr"), valid, test) == alone
    assert split_of_record([other, english], ("de", "en"), valid, test) == alone
    assert split_of_record([english], ("en",), valid, test) == alone


def test_without_english_the_first_side_decides():
    for number in range(200):
        line = f"ligne {number}"
        assert split_of_record([line, "x"], ("fr", "ru"), 0.3, 0.3) == split_of(line, 0.3, 0.3)


@given(st.text(), st.floats(0.01, 0.4))
def test_a_held_out_line_stays_held_out_when_the_share_grows(text: str, share: float):
    if split_of(text, share, 0.01) == "valid":
        assert split_of(text, share + 0.05, 0.01) == "valid"
