"""The page of claims, its picture, and the decision that several comparisons lead to."""

from pathlib import Path

import pytest

from xlm_core.report import claims
from xlm_core.tasks.claims import COLUMNS

LINES = [
    (1, "One thing helps", "xnli", "mlm", "none", 41.52, 33.7, 7.82, 0.0, 1, 4000, 0.0004, "supported"),
    (2, "Two things", "unsupervised_mt", "clm", "none", 42, 21, 21, 0.0, 3, 1000, 0.001, "supported"),
    (2, "Two things", "unsupervised_mt", "mlm", "clm", 38, 42, -4, 0.0, 3, 1000, 0.97, "not supported"),
    (3, "It costs nothing", "embeddings", "a", "b", 0.551, 0.36, 0.191, -0.05, 3, 900, 0.3, "inconclusive"),
]


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
    assert text.startswith(
        "**The paper's claims (configuration 'tiny'): 1 supported, 1 not supported, 1 inconclusive**"
    )
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == [
        "| 1. One thing helps", "| xnli: mlm against none",
        "| 2. Two things", "| unsupervised_mt: clm against none", "| unsupervised_mt: mlm against clm",
        "| 3. It costs nothing", "| embeddings: a against b, margin −0.05",
    ]  # fmt: skip
    assert rows[2][1:] == ["41.5", "33.7", "+7.8", "0.000", "1", "supported |"]
    assert rows[5][3] == "−4.0" and rows[7][1:4] == ["0.551", "0.360", "+0.191"]
    assert rows[3][-1] == "**not supported** |" and rows[6][-1] == "**inconclusive** |"


def test_a_single_seed_is_told(page):
    assert "a single seed" in page(LINES)
    assert "a single seed" not in page(LINES[1:])


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        (["supported"], "supported"),
        (["supported", "supported"], "supported"),
        (["supported", "inconclusive"], "inconclusive"),
        (["inconclusive", "not supported"], "not supported"),
    ],
)
def test_a_claim_needs_all_of_its_comparisons(decisions: list[str], expected: str):
    assert claims.combine_decisions(decisions) == expected
