"""Decisions about claims, on systems of which it is known which is better."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from xlm_core.errors import CorpusError
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.tasks import claims
from xlm_core.tasks.claims import Hypothesis


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes one file of items per seed: the values of each column."""

    def write(name: str, seeds: list[dict[str, np.ndarray]], metric: str = "percent") -> list[list[Path]]:
        paths = []
        for seed, columns in enumerate(seeds):
            paths.append([tmp_path / f"{name}.{seed}.json"])
            sample_statistics.write(
                paths[-1][0],
                {key: SampleStatistics(metric, np.atleast_2d(values.T).T) for key, values in columns.items()},
            )
        return paths

    return write


def right(share: float, n: int = 400, seed: int = 0) -> np.ndarray:
    """Which of ``n`` items are right: exactly ``share`` of them, at random."""
    return np.random.default_rng(seed).permutation(n) < share * n


def measured(a, b, margin: float = 0.0, columns=None) -> tuple[claims.HypothesisTest, str]:
    hypothesis = Hypothesis(1, "a is better", "xnli", "a", "b", margin, a, b, columns)
    test = claims.test_hypothesis(hypothesis)
    return test, test.decision


def test_a_clear_difference_holds_and_its_opposite_does_not(write):
    a, b = write("a", [{"fr": right(0.8)}]), write("b", [{"fr": right(0.6, seed=1)}])
    result, decision = measured(a, b)
    assert (result.a, result.b, result.difference, result.n_seeds, result.n_items) == pytest.approx(
        (80, 60, 20, 1, 400)
    )
    assert decision == "supported" and result.p < 0.001
    assert measured(b, a)[1] == "not supported"


def test_no_difference_cannot_be_told(write):
    paths = write("a", [{"fr": right(0.5)}])
    result, decision = measured(paths, paths)
    assert (result.difference, result.p, decision) == (0, pytest.approx(0.5), "inconclusive")


def test_p_is_that_of_the_paired_test_in_closed_form(write):
    """With many items the mean of differences is normal: p is that of a z test."""
    better, worse = right(0.55, 2000), right(0.535, 2000, seed=1)
    difference = better.astype(float) - worse
    expected = stats.norm.cdf(-difference.mean() / (difference.std() / 2000**0.5))
    result, decision = measured(write("a", [{"fr": better}]), write("b", [{"fr": worse}]))
    assert result.p == pytest.approx(expected, abs=0.03) and decision == "inconclusive"


def test_a_difference_that_depends_on_the_seed_cannot_be_told(write):
    """The items of each seed are clear; the seeds contradict one another."""
    a = write("a", [{"fr": right(0.9)}, {"fr": right(0.5, seed=1)}])
    b = write("b", [{"fr": right(0.6, seed=2)}, {"fr": right(0.7, seed=3)}])
    result, decision = measured(a, b)
    assert result.difference == pytest.approx(5) and decision == "inconclusive" and 0.2 < result.p < 0.8


def test_a_margin_is_what_a_system_may_be_worse(write):
    a, b = write("a", [{"en": right(0.79, 2000)}]), write("b", [{"en": right(0.8, 2000)}])
    assert measured(a, b, margin=0)[1] == "not supported"  # the same items, but for one in a hundred
    assert measured(a, b, margin=-5)[1] == "supported"


def test_less_perplexity_is_better(write):
    nats = np.random.default_rng(0).uniform(2, 4, 300)
    a = write("a", [{"ne": np.stack([nats - 0.1, np.ones(300)], 1)}], "perplexity")
    b = write("b", [{"ne": np.stack([nats, np.ones(300)], 1)}], "perplexity")
    result, decision = measured(a, b)
    assert result.a < result.b and result.difference == pytest.approx(result.b - result.a) and decision == "supported"


def test_columns_that_count(write):
    a = write("a", [{"en": right(0.2), "fr": right(0.8)}])
    b = write("b", [{"en": right(0.8), "fr": right(0.7), "de": right(0.1)}])
    assert measured(a, b, columns=[["fr", "fr"], ["de", "de"]])[0].difference == pytest.approx(10)
    assert measured(a, b)[0].difference == pytest.approx((10 - 60) / 2)
    assert measured(a, a, columns=[["fr", "en"]])[0].difference == pytest.approx(60)


def test_systems_that_cannot_be_compared_are_refused(write):
    a = write("a", [{"fr": right(0.5)}])
    with pytest.raises(CorpusError, match="expected the same; score both on the same test set"):
        measured(a, write("b", [{"fr": right(0.5, n=300)}]))
    with pytest.raises(CorpusError, match="on no column that both have"):
        measured(a, write("c", [{"de": right(0.5)}]))
    with pytest.raises(CorpusError, match="no seed in common"):
        measured([], [])


def test_what_is_written(write, tmp_path: Path):
    a, b = write("a", [{"fr": right(0.8)}]), write("b", [{"fr": right(0.6)}])
    tested = [
        Hypothesis(1, "a is better", "xnli", "a", "b", 0.0, a, b),
        Hypothesis(2, "b is", "xnli", "b", "a", 0.0, b, a),
    ]
    claims.test_claims(tested, tmp_path / "claims.csv")
    rows = list(csv.DictReader((tmp_path / "claims.csv").open()))
    assert [(row["claim"], row["statement"], row["decision"]) for row in rows] == [
        ("1", "a is better", "supported"), ("2", "b is", "not supported"),
    ]  # fmt: skip
    assert float(rows[0]["difference"]) == -float(rows[1]["difference"]) == pytest.approx(20)
