"""Test claims on our runs.

A claim is one hypothesis or several: of two systems, the first is better than the second by more than a margin.

- A system has one score per pretraining seed: the mean over its fine-tuning seeds and the columns that count. The
  mean scores of both systems are subtracted, in favor of the first one; n is the number of pretraining seeds.
- Its p is from Welch's one-sided t-test over these scores. The p of a claim is the largest of its hypotheses,
  adjusted by Holm's method for the number of claims.
- The claim is *supported* if p < 0.05. It is *not supported* if the opposite of one of its hypotheses, a difference
  below the margin, has p < 0.05, adjusted for the hypotheses of the claim (Bonferroni) and the claims (Holm). It is
  *inconclusive* otherwise, and where a system has fewer than five pretraining seeds.

How much the difference depends on the test items is measured apart, by a bootstrap in which the models are fixed.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from xlm_core.config.tables import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.metrics.significance import SeedTest, check_same_items, holm, item_interval, welch_test

LEVEL = 0.05
MIN_SEEDS = 5  # pretraining seeds of each system, below which nothing is decided
COLUMNS = (
    "claim", "statement", "is_ours", "table", "a_system", "b_system", "a", "b", "difference", "low", "high", "margin",
    "n_a", "n_b", "n_items", "item_low", "item_high", "p", "claim_p", "decision",
)  # fmt: skip
Columns = Mapping[str, Sequence[SampleStatistics]]  # column -> its statistics, one for each fine-tuning seed


@dataclass(frozen=True)
class Hypothesis:
    """System a is better than b by more than ``margin``.

    claim, statement    number and text of the claim that the hypothesis belongs to
    is_ours             whether the claim is ours, and not the paper's
    table               of both systems
    a_system, b_system  names
    a_files, b_files    per pretraining seed the files of sample statistics
    columns             the columns that count, as a and as b call them; None: all that both have
    """

    claim: int
    statement: str
    is_ours: bool
    table: str
    a_system: str
    b_system: str
    margin: float
    a_files: Sequence[Sequence[str | Path]]
    b_files: Sequence[Sequence[str | Path]]
    columns: Sequence[Sequence[str]] | None = None


def test_claims(hypotheses: Sequence[Hypothesis], output: Path) -> None:
    """Write one CSV line per hypothesis, columns ``COLUMNS``; all lines of a claim have the same decision.

    Raises:
        CorpusError: two systems were not measured on the same items.
    """
    comparisons = [compare(hypothesis) for hypothesis in hypotheses]
    by_claim: dict[int, list[SeedTest]] = defaultdict(list)
    for hypothesis, (test, _) in zip(hypotheses, comparisons, strict=True):
        by_claim[hypothesis.claim].append(test)
    decisions = dict(zip(by_claim, decide(list(by_claim.values())), strict=True))
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for hypothesis, (test, items) in zip(hypotheses, comparisons, strict=True):
            claim_p, decision = decisions[hypothesis.claim]
            decided = {"p": test.p_greater, "claim_p": claim_p, "decision": decision}
            writer.writerow(vars(hypothesis) | test._asdict() | test.interval._asdict() | items | decided)


def decide(claims: Sequence[Sequence[SeedTest]]) -> list[tuple[float, str]]:
    """Apply the rule of the module's docstring to all claims: the p of each, adjusted, and its decision."""
    supporting, opposing = [], []
    for tests in claims:
        is_enough = min(min(test.n_a, test.n_b) for test in tests) >= MIN_SEEDS
        supporting.append(max(test.p_greater for test in tests) if is_enough else 1.0)
        opposing.append(len(tests) * min(test.p_less for test in tests) if is_enough else 1.0)
    return [
        (p, SUPPORTED if p < LEVEL else NOT_SUPPORTED if opposite < LEVEL else INCONCLUSIVE)
        for p, opposite in zip(holm(supporting), holm(opposing), strict=True)
    ]


def compare(hypothesis: Hypothesis) -> tuple[SeedTest, dict[str, float]]:
    """Test the difference between both systems over their seeds, and measure it over the items.

    Returns:
        The test; "n_items" of all columns, each once, "item_low" and "item_high" of the interval.

    Raises:
        CorpusError: the systems have no seed, no column in common, or other items.
    """
    systems = f"{hypothesis.table}: {hypothesis.a_system} and {hypothesis.b_system}"
    if not (hypothesis.a_files and hypothesis.b_files):
        raise CorpusError(f"{systems}: one of them has no pretraining seed; train both")
    of_a, of_b = ([_columns(files) for files in seeds] for seeds in (hypothesis.a_files, hypothesis.b_files))
    names = [(name, name) for name in of_a[0]] if hypothesis.columns is None else hypothesis.columns
    names = [(a_name, b_name) for a_name, b_name in names if a_name in of_a[0] and b_name in of_b[0]]
    if not names:
        raise CorpusError(f"{systems} were measured on no column that both have")
    for a_name, b_name in names:
        try:
            for statistics in chain(*(columns[a_name] for columns in of_a), *(columns[b_name] for columns in of_b)):
                check_same_items(of_a[0][a_name][0], statistics)
        except CorpusError as error:
            raise CorpusError(f"{systems}, {a_name}: {error}") from error
    a = [[column for name, _ in names for column in columns[name]] for columns in of_a]
    b = [[column for _, name in names for column in columns[name]] for columns in of_b]
    sign = -1.0 if a[0][0].metric == "perplexity" else 1.0  # of which less is better
    a_scores, b_scores = (
        sign * np.array([np.mean([each.score for each in seed]) for seed in seeds]) for seeds in (a, b)
    )
    test = welch_test(a_scores, b_scores, hypothesis.margin)
    item_low, item_high = sorted(sign * end for end in item_interval(a, b))
    n_items = sum(len(of_a[0][name][0].statistics) for name, _ in names)
    items = {"n_items": n_items, "item_low": item_low, "item_high": item_high}
    return test._replace(a=sign * test.a, b=sign * test.b), items


def _columns(files: Sequence[str | Path]) -> Columns:
    """Read the statistics of a pretraining seed."""
    columns: dict[str, list[SampleStatistics]] = defaultdict(list)
    for path in files:
        for name, statistics in sample_statistics.read(Path(path)).items():
            columns[name].append(statistics)
    return columns
