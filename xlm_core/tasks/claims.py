"""What the paper claims, and whether our runs bear it out.

A claim is one test or several: of two systems, the first is better than the second by more than a margin. The rule,
fixed before any run:

- the difference is the mean over the seeds that both have, and over columns, in favor of the first system;
- its p is the share of bootstrap samples, of items and of seeds together, in which it is below the margin, samples that
  are at the margin counting half;
- the test *holds* if the difference is above the margin and p < 0.05; it *does not hold* if the difference is not above
  the margin and p > 0.95; else one *cannot tell*;
- the claim holds if all of its tests do, and does not hold if one of them does not.

With a single seed the samples are of items alone: the test then says nothing about other trainings.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlm_core.config.claims import FAILS, HOLDS, UNKNOWN
from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics

N_SAMPLES = 2000
BATCH = 100  # samples that are drawn at once
LEVEL = 0.05
COLUMNS = (
    "claim", "statement", "table", "a_system", "b_system", "a", "b", "difference", "margin", "n_seeds", "n_items", "p",
    "verdict",
)  # fmt: skip
LESS_IS_BETTER = ("perplexity",)


@dataclass(frozen=True)
class Comparison:
    """Whether system a is better than b by more than ``margin``.

    table, a, b    names
    a_items, b_items  per seed, the same ones, the files of their items
    columns        those that count, as a and as b call them; None: all that both have
    """

    table: str
    a: str
    b: str
    margin: float
    a_items: Sequence[Sequence[Path]]
    b_items: Sequence[Sequence[Path]]
    columns: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True)
class Found:
    """The numbers of a test: means of a and b, the difference in favor of a, and its p; n_items per seed and column."""

    a: float
    b: float
    difference: float
    n_seeds: int
    n_items: int
    p: float

    def verdict(self, margin: float) -> str:
        """What the rule says."""
        if self.difference > margin and self.p < LEVEL:
            return HOLDS
        return FAILS if self.difference <= margin and self.p > 1 - LEVEL else UNKNOWN


def judge(claims: Mapping[str, Sequence[Comparison]], output: Path) -> None:
    """Write one line per test, columns ``COLUMNS``; the claims are numbered from 1.

    Raises:
        CorpusError: two systems were not measured on the same items.
    """
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (statement, tests) in enumerate(claims.items(), 1):
            for test in tests:
                found = measure(test)
                numbers = (found.a, found.b, found.difference, test.margin, found.n_seeds, found.n_items, found.p)
                place = (number, statement, test.table, test.a, test.b)
                writer.writerow((*place, *numbers, found.verdict(test.margin)))


def measure(test: Comparison) -> Found:
    """Means, difference and p of a test."""
    pairs = [_columns(test, *paths) for paths in zip(test.a_items, test.b_items, strict=True)]
    if not pairs:
        raise CorpusError(f"{test.table}: {test.a} and {test.b} have no seed in common; train both with one")
    kinds = {one.kind for of_seed in pairs for both in of_seed for one in both}
    sign = -1.0 if kinds <= set(LESS_IS_BETTER) else 1.0
    a, b = (np.mean([np.mean([both[side].value for both in of_seed]) for of_seed in pairs]) for side in (0, 1))
    samples = np.concatenate([_samples(pairs, sign, np.random.default_rng(n)) for n in range(N_SAMPLES // BATCH)])
    below, at = (samples < test.margin).sum(), (samples == test.margin).sum()
    p = float((1 + below + at / 2) / (2 + len(samples)))  # never 0, for there are samples that were not drawn
    n_items = sum(len(both[0].summands) for both in pairs[0])
    return Found(float(a), float(b), float(sign * (a - b)), len(pairs), n_items, p)


def _columns(
    test: Comparison, a_paths: Sequence[Path], b_paths: Sequence[Path]
) -> list[tuple[SampleStatistics, SampleStatistics]]:
    """The items of both systems with one seed, column by column."""
    found = []
    for a_path, b_path in zip(a_paths, b_paths, strict=True):
        a, b = sample_statistics.read(a_path), sample_statistics.read(b_path)
        for name, other in [(name, name) for name in a] if test.columns is None else test.columns:
            if name not in a or other not in b:
                continue  # a system of fewer languages: compared on those that both have
            both = a[name], b[other]
            if both[0].summands.shape != both[1].summands.shape or both[0].kind != both[1].kind:
                raise CorpusError(
                    f"{a_path} and {b_path}, {name}: {both[0].summands.shape} and {both[1].summands.shape} items of "
                    f"'{both[0].kind}' and '{both[1].kind}', expected the same; score both on the same test set"
                )
            found.append(both)
    if not found:
        raise CorpusError(f"{test.table}: {test.a} and {test.b} were measured on no column that both have")
    return found


def _samples(
    pairs: Sequence[Sequence[tuple[SampleStatistics, SampleStatistics]]], sign: float, rng: np.random.Generator
) -> np.ndarray:
    """The difference in each of ``BATCH`` samples of items and seeds.

    Columns of as many items are the same ones in several languages or directions, and are drawn together.
    """
    weights: dict[int, np.ndarray] = {}
    for one in (one for of_seed in pairs for one, _ in of_seed):
        n = len(one.summands)
        if n not in weights:
            weights[n] = rng.multinomial(n, np.full(n, 1 / n), size=BATCH).astype(np.float64)
    differences = np.array(
        [
            np.mean(
                [a.values(weights[len(a.summands)]) - b.values(weights[len(b.summands)]) for a, b in of_seed], axis=0
            )
            for of_seed in pairs
        ]
    )  # (seeds, BATCH)
    drawn = rng.integers(0, len(pairs), size=differences.shape)
    return sign * np.take_along_axis(differences, drawn, axis=0).mean(axis=0)
