"""Test the paper's claims on our runs.

A claim is one hypothesis or several: of two systems, the first is better than the second by more than a margin. The
rule was fixed before any run:

- the difference is the mean over the seeds that both have, and over columns, in favor of the first system;
- its p is the share of bootstrap samples, of items and of seeds together, in which it is below the margin, samples that
  are at the margin counting half;
- the hypothesis is *supported* if the difference is above the margin and p < 0.05; it is *not supported* if the
  difference is not above the margin and p > 0.95; otherwise the test is *inconclusive*;
- the claim is supported if all of its hypotheses are, and not supported if one of them is not.

With a single seed the samples are of items alone: the test then says nothing about other trainings.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlm_core.config.tables import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.bootstrap import Pair, check_same_items, hierarchical_bootstrap

LEVEL = 0.05
COLUMNS = (
    "claim", "statement", "table", "a_system", "b_system", "a", "b", "difference", "margin", "n_seeds", "n_items", "p",
    "decision",
)  # fmt: skip
LOWER_IS_BETTER = {"perplexity"}


@dataclass(frozen=True)
class Hypothesis:
    """System a is better than b by more than ``margin``.

    claim, statement    number and text of the claim that the hypothesis belongs to
    table               of both systems
    a_system, b_system  names
    a_files, b_files    per seed, the same ones, the files of their sample statistics
    columns             the columns that count, as a and as b call them; None: all that both have
    """

    claim: int
    statement: str
    table: str
    a_system: str
    b_system: str
    margin: float
    a_files: Sequence[Sequence[str | Path]]
    b_files: Sequence[Sequence[str | Path]]
    columns: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True)
class HypothesisTest:
    """The numbers of a test: means of a and b, the difference in favor of a, its p, and the decision.

    n_items  per seed, of all columns
    """

    a: float
    b: float
    difference: float
    n_seeds: int
    n_items: int
    p: float
    decision: str


def test_claims(hypotheses: Iterable[Hypothesis], output: Path) -> None:
    """Write one CSV line per hypothesis, columns ``COLUMNS``.

    Raises:
        CorpusError: two systems were not measured on the same items.
    """
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(vars(hypothesis) | vars(test_hypothesis(hypothesis)) for hypothesis in hypotheses)


def test_hypothesis(hypothesis: Hypothesis) -> HypothesisTest:
    """Compare both systems and decide.

    Raises:
        CorpusError: the systems have no seed or no column in common, or other items.
    """
    pairs = [_columns(hypothesis, *files) for files in zip(hypothesis.a_files, hypothesis.b_files, strict=True)]
    if not pairs:
        raise CorpusError(f"{_systems(hypothesis)} have no seed in common; train both with one")
    metrics = {system.metric for columns in pairs for pair in columns for system in pair}
    sign = -1.0 if metrics <= LOWER_IS_BETTER else 1.0
    a, b = (float(np.mean([np.mean([pair[side].score for pair in columns]) for columns in pairs])) for side in (0, 1))
    samples = sign * hierarchical_bootstrap(pairs)
    n_below, n_equal = (samples < hypothesis.margin).sum(), (samples == hypothesis.margin).sum()
    p = float((1 + n_below + n_equal / 2) / (2 + len(samples)))  # never 0: not every sample was drawn
    difference = sign * (a - b)
    n_items = sum(len(system.statistics) for system, _ in pairs[0])
    return HypothesisTest(a, b, difference, len(pairs), n_items, p, _decide(difference, hypothesis.margin, p))


def _decide(difference: float, margin: float, p: float) -> str:
    """Apply the rule of the module's docstring."""
    if difference > margin and p < LEVEL:
        return SUPPORTED
    return NOT_SUPPORTED if difference <= margin and p > 1 - LEVEL else INCONCLUSIVE


def _columns(hypothesis: Hypothesis, a_files: Sequence[str | Path], b_files: Sequence[str | Path]) -> list[Pair]:
    """Read the statistics of both systems with one seed, column by column."""
    pairs = []
    for a_file, b_file in zip(a_files, b_files, strict=True):
        a, b = sample_statistics.read(Path(a_file)), sample_statistics.read(Path(b_file))
        for a_name, b_name in [(name, name) for name in a] if hypothesis.columns is None else hypothesis.columns:
            if a_name not in a or b_name not in b:
                continue  # a system of fewer languages: compared on those that both have
            try:
                check_same_items(a[a_name], b[b_name])
            except CorpusError as error:
                raise CorpusError(f"{a_file} and {b_file}, {a_name}: {error}") from error
            pairs.append((a[a_name], b[b_name]))
    if not pairs:
        raise CorpusError(f"{_systems(hypothesis)} were measured on no column that both have")
    return pairs


def _systems(hypothesis: Hypothesis) -> str:
    return f"{hypothesis.table}: {hypothesis.a_system} and {hypothesis.b_system}"
