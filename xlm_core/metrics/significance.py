"""Tests of the difference between two systems: over the seeds they were trained with, and over the items of a test set.

- ``welch_test``: over pretraining seeds, for the claims. A seed gives one score of a system: the mean over its
  fine-tuning seeds and the columns of a table. Scores of different systems are independent, also with equal seeds.
- ``holm``: adjusts the p-values of several tests.
- ``item_interval``: over samples of the items, the models fixed, for the claims.
- ``paired_bootstrap``: the p-value of a difference that two systems of one seed show, for the tables of translation.
  It is sacreBLEU's test, with its default seed, and gives its numbers; it says nothing about other seeds.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.intervals import CONFIDENCE, Interval, welch_interval
from xlm_core.metrics.sample_statistics import Array, SampleStatistics

PAIRED_SAMPLES, PAIRED_SEED = 1000, 12345  # sacreBLEU's defaults
ITEM_SAMPLES = 1000
COLUMNS = (
    "table", "system", "setting", "column", "seed", "bleu", "minus_system", "minus_setting", "minus_bleu", "p",
)  # fmt: skip
SeedStatistics = Sequence[Sequence[SampleStatistics]]  # of each pretraining seed those that its score is the mean of


class SeedTest(NamedTuple):
    """The comparison of two systems by their scores.

    a, b        mean scores, of n_a and n_b pretraining seeds
    interval    of a minus b
    p_greater   of the null hypothesis that the difference is not above the margin, one-sided; 1 without an interval
    p_less      of the null hypothesis that it is not below it
    """

    a: float
    b: float
    n_a: int
    n_b: int
    interval: Interval
    p_greater: float = 1.0
    p_less: float = 1.0


def welch_test(a: Array, b: Array, margin: float = 0.0) -> SeedTest:
    """Compare the scores of two systems, (n_a,) and (n_b,), one per pretraining seed, by Welch's t-test."""
    test = SeedTest(float(a.mean()), float(b.mean()), len(a), len(b), welch_interval(a, b))
    if np.isnan(test.interval.low):
        return test
    greater, less = (stats.ttest_ind(a - margin, b, equal_var=False, alternative=side) for side in ("greater", "less"))
    return test._replace(p_greater=float(greater.pvalue), p_less=float(less.pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several tests, so that any of them is below a level by chance no more often than that.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    multiplied = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(multiplied))
    return adjusted.tolist()


def write_paired_tests(
    cells: Sequence[Mapping[str, str]], systems: Sequence[Path], baselines: Sequence[Path], output: Path
) -> None:
    """Test cells of tables of translation against their baselines, and write a CSV line of ``COLUMNS`` for each.

    Args:
        cells: the columns that name a cell, its table and its baseline.
        systems, baselines: files of the statistics of BLEU, one for each cell.
    """
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for cell, *paths in zip(cells, systems, baselines, strict=True):
            (system,), (baseline,) = (sample_statistics.read(path).values() for path in paths)
            scores = {"bleu": system.score, "minus_bleu": baseline.score, "p": paired_bootstrap(system, baseline)}
            writer.writerow({**cell, **scores})


def paired_bootstrap(system: SampleStatistics, baseline: SampleStatistics) -> float:
    """Return the probability of the difference of two systems if they are equally good: p, two-sided.

    Raises:
        CorpusError: the systems were not scored on the same items.
    """
    check_same_items(system, baseline)
    n_items = len(system.statistics)
    drawn = np.random.default_rng(PAIRED_SEED).choice(n_items, size=(PAIRED_SAMPLES, n_items))
    counts = np.stack([np.bincount(sample, minlength=n_items) for sample in drawn]).astype(np.float64)
    differences = np.abs(system.scores(counts) - baseline.scores(counts))
    observed = abs(system.score - baseline.score)
    n_larger = int((differences - differences.mean() > observed).sum())
    # Systems that err alike have no larger difference in any sample, which is no significance.
    return (n_larger + 1) / (PAIRED_SAMPLES + 1) if observed > 0 else 1.0


def item_interval(a: SeedStatistics, b: SeedStatistics) -> tuple[float, float]:
    """Return the 95 % interval of the difference between two systems over samples of the items, their models fixed.

    Statistics with equally many items hold the same items in several languages or directions, which are drawn together.
    """
    rng = np.random.default_rng(0)
    sizes = dict.fromkeys(len(column.statistics) for seed in a for column in seed)
    counts = {n: rng.multinomial(n, np.full(n, 1 / n), size=ITEM_SAMPLES).astype(np.float64) for n in sizes}
    scores = (
        np.mean([[column.scores(counts[len(column.statistics)]) for column in seed] for seed in seeds], axis=(0, 1))
        for seeds in (a, b)
    )
    low, high = np.quantile(np.subtract(*scores), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return float(low), float(high)


def check_same_items(a: SampleStatistics, b: SampleStatistics) -> None:
    """Refuse systems that were not scored by the same metric on equally many items.

    Raises:
        CorpusError: they were not.
    """
    if (a.metric, a.statistics.shape) != (b.metric, b.statistics.shape):
        raise CorpusError(
            f"{a.statistics.shape} and {b.statistics.shape} statistics of '{a.metric}' and '{b.metric}', expected the "
            f"same; score both on the same test set"
        )
