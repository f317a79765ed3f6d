"""The page of claims, its picture, and the decision that several comparisons lead to."""

from pathlib import Path

import pytest

from xlm_core.report import claims
from xlm_core.tasks.claims import COLUMNS

LINES = [
    (1, "One thing helps", False, "xnli", "mlm", "none",
     41.52, 33.7, 7.82, 2.1, 13.54, 0.0, 5, 5, 4000, 6.4, 9.2, 0.0004, 0.0012, "supported"),
    (2, "Two things", False, "unsupervised_mt", "clm", "none",
     42, 21, 21, 18, 24, 0.0, 5, 5, 1000, 20, 22, 0.001, 0.97, "not supported"),
    (2, "Two things", False, "unsupervised_mt", "mlm", "clm",
     38, 42, -4, -6, -2, 0.0, 5, 3, 1000, -5, -3, 0.97, 0.97, "not supported"),
    (3, "It costs nothing", True, "embeddings", "a", "b",
     0.551, 0.36, 0.191, "", "", -0.05, 1, 1, 900, 0.1, 0.25, 1.0, 1.0, "inconclusive"),
]  # fmt: skip


@pytest.fixture
def page(tmp_path: Path):
    """A function that makes the page of some lines, and returns it."""

    def make(lines: list[tuple]) -> str:
        rows = [",".join(map(str, line)) for line in (COLUMNS, *lines)]
        (tmp_path / "tidy.csv").write_text("\n".join(rows) + "\n")
        claims.make(tmp_path / "tidy.csv", "tiny", tmp_path / "claims.md", tmp_path / "claims.svg")
        assert "<svg" in (tmp_path / "claims.svg").read_text()
        return (tmp_path / "claims.md").read_text()

    return make


def test_every_comparison_stands_under_its_claim(page):
    text = page(LINES)
    assert text.startswith("**Claims (configuration 'tiny'): 1 supported, 1 not supported, 1 inconclusive**")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == [
        "1. One thing helps", "— xnli: mlm against none",
        "2. Two things", "— unsupervised_mt: clm against none", "— unsupervised_mt: mlm against clm",
        "3. It costs nothing (a claim of ours, not the paper's)", "— embeddings: a against b, margin −0.05",
    ]  # fmt: skip
    assert [row[6:] for row in rows if row[8]] == [
        ["p", "seeds", "decision"], ["0.001", "", "supported"], ["0.970", "", "not supported"],
        ["1.000", "", "inconclusive"],
    ]  # fmt: skip
    assert rows[2][1:] == ["41.5", "33.7", "+7.8", "[+2.1, +13.5]", "[+6.4, +9.2]", "0.000", "5", ""]
    assert rows[5][3:] == ["−4.0", "[−6.0, −2.0]", "[−5.0, −3.0]", "0.970", "5, 3", ""]
    assert rows[7][1:6] == ["0.551", "0.360", "+0.191", "—", "[+0.100, +0.250]"]  # a single seed has no interval
    assert "for 3 claims" in text
