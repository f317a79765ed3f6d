"""Decisions about claims, on systems of which it is known which is better."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from xlm_core.errors import CorpusError
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.metrics.significance import SeedTest, welch_test
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


def seeds(*shares: float, n: int = 400, first_seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Columns of several pretraining seeds with these shares of right items."""
    return [{"fr": right(share, n, first_seed + seed)} for seed, share in enumerate(shares)]


def compared(a, b, margin: float = 0.0, columns=None) -> tuple[SeedTest, dict[str, float]]:
    return claims.compare(Hypothesis(1, "a is better", False, "xnli", "a", "b", margin, a, b, columns))


def decision(a, b, margin: float = 0.0, columns=None) -> str:
    return claims.decide([[compared(a, b, margin, columns)[0]]])[0][1]


GOOD, BAD = (0.80, 0.81, 0.79, 0.8, 0.82), (0.60, 0.61, 0.63, 0.6, 0.62)


def test_a_clear_difference_is_supported_and_its_opposite_is_not(write):
    a, b = write("a", seeds(*GOOD)), write("b", seeds(*BAD))
    test, items = compared(a, b)
    expected = stats.ttest_ind([100 * x for x in GOOD], [100 * x for x in BAD], equal_var=False, alternative="greater")
    assert (*test[:4], test.interval.difference) == pytest.approx((80.4, 61.2, 5, 5, 19.2)) and items["n_items"] == 400
    assert test.p_greater == pytest.approx(expected.pvalue)
    assert decision(a, b) == "supported" and decision(b, a) == "not supported"


def test_the_interval_over_items_is_that_of_the_normal_approximation(write):
    better, worse = right(0.55, 2000), right(0.535, 2000, seed=1)
    difference = 100 * (better.astype(float) - worse)
    half = 1.96 * difference.std() / 2000**0.5
    _, items = compared(write("a", [{"fr": better}]), write("b", [{"fr": worse}]))
    expected = (difference.mean() - half, difference.mean() + half)
    assert (items["item_low"], items["item_high"]) == pytest.approx(expected, abs=0.3)


def test_a_difference_that_depends_on_the_seed_is_inconclusive(write):
    """The items of each seed are clear; the seeds contradict one another."""
    a, b = write("a", seeds(0.9, 0.5, 0.8, 0.4, 0.9)), write("b", seeds(0.6, 0.7, 0.5, 0.8, 0.6))
    assert compared(a, b)[0].interval.difference == pytest.approx(6) and decision(a, b) == "inconclusive"


def test_fewer_than_five_pretraining_seeds_decide_nothing(write):
    a, b = write("a", seeds(*GOOD[:4])), write("b", seeds(*BAD))
    assert compared(a, b)[0].p_greater < 1e-4 and decision(a, b) == decision(b, a) == "inconclusive"


def test_fine_tuning_seeds_are_averaged_and_are_no_further_seeds(write):
    """Two files of a pretraining seed: fine-tuned with two seeds."""
    twice = [[*first, *second] for first, second in zip(write("x", seeds(*GOOD)), write("y", seeds(*BAD)), strict=True)]
    test, items = compared(twice, write("b", seeds(*BAD)))
    assert (test.a, test.n_a, items["n_items"]) == pytest.approx((70.8, 5, 400))


def test_a_margin_is_what_a_system_may_be_worse(write):
    a, b = write("a", seeds(0.79, 0.8, 0.78, 0.79, 0.79)), write("b", seeds(0.8, 0.81, 0.8, 0.8, 0.79))
    assert decision(a, b, margin=-5) == "supported" and decision(a, b, margin=5) == "not supported"


def test_less_perplexity_is_better(write):
    nats = np.random.default_rng(0).uniform(2, 4, 300)
    noise = [-0.01, 0.0, 0.01, 0.02, -0.02]
    a, b = (
        write(name, [{"ne": np.stack([nats + shift + each, np.ones(300)], 1)} for each in noise], "perplexity")
        for name, shift in (("a", -0.1), ("b", 0.0))
    )
    test, items = compared(a, b)
    assert 0 < test.a < test.b and test.interval.difference == pytest.approx(test.b - test.a)
    assert 0 < items["item_low"] < test.interval.difference < items["item_high"] and decision(a, b) == "supported"


def test_columns_that_count(write):
    a = write("a", [{"en": right(0.2), "fr": right(0.8)}])
    b = write("b", [{"en": right(0.8), "fr": right(0.7), "de": right(0.1)}])
    assert compared(a, b, columns=[["fr", "fr"], ["de", "de"]])[0].interval.difference == pytest.approx(10)
    assert compared(a, b)[0].interval.difference == pytest.approx((10 - 60) / 2)
    assert compared(a, a, columns=[["fr", "en"]])[0].interval.difference == pytest.approx(60)


def test_systems_that_cannot_be_compared_are_refused(write):
    a = write("a", [{"fr": right(0.5)}])
    with pytest.raises(CorpusError, match="expected the same; score both on the same test set"):
        compared(a, write("b", [{"fr": right(0.5, n=300)}]))
    second = write("second", [{"fr": right(0.5)}, {"fr": right(0.5, n=300)}])  # its second seed alone
    for systems in ((a, second), (second, a)):
        with pytest.raises(CorpusError, match="expected the same; score both on the same test set"):
            compared(*systems)
    with pytest.raises(CorpusError, match="on no column that both have"):
        compared(a, write("c", [{"de": right(0.5)}]))
    with pytest.raises(CorpusError, match="no pretraining seed"):
        compared([], a)


def test_what_is_written(write, tmp_path: Path):
    """Claim 3 has two comparisons, of which one contradicts it."""
    a, b = write("a", seeds(*GOOD)), write("b", seeds(*BAD))
    tested = [
        Hypothesis(1, "a is better", False, "xnli", "a", "b", 0.0, a, b),
        Hypothesis(2, "b is", True, "xnli", "b", "a", 0.0, b, a),
        Hypothesis(3, "both", False, "xnli", "a", "b", 0.0, a, b),
        Hypothesis(3, "both", False, "xnli", "b", "a", 0.0, b, a),
    ]
    claims.test_claims(tested, tmp_path / "claims.csv")
    rows = list(csv.DictReader((tmp_path / "claims.csv").open()))
    assert [(row["claim"], row["statement"], row["is_ours"], row["decision"]) for row in rows] == [
        ("1", "a is better", "False", "supported"), ("2", "b is", "True", "not supported"),
        ("3", "both", "False", "not supported"), ("3", "both", "False", "not supported"),
    ]  # fmt: skip
    assert float(rows[0]["difference"]) == -float(rows[1]["difference"]) == pytest.approx(19.2)
    assert float(rows[0]["claim_p"]) == pytest.approx(3 * float(rows[0]["p"]))  # by Holm, the smallest of three


def null_claims(rng: np.random.Generator, n_claims: int, n_seeds: int) -> list[list[SeedTest]]:
    """Claims about systems that are equally good: scores of all seeds are drawn from the same normal distribution."""
    return [[welch_test(a, b)] for a, b in rng.normal(50, 3, size=(n_claims, 2, n_seeds))]


@pytest.mark.parametrize("n_seeds", [5, 10])
def test_equally_good_systems_have_a_supported_claim_in_one_page_of_twenty_at_most(n_seeds: int):
    """Simulated null: 1,000 pages of nine claims. 5 % plus three standard errors are 7 %."""
    rng = np.random.default_rng(n_seeds)
    pages = [claims.decide(null_claims(rng, 9, n_seeds)) for _ in range(1000)]
    for kind in ("supported", "not supported"):
        share = np.mean([kind in [decision for _, decision in page] for page in pages])
        assert 0.01 < share < 0.07
