"""Bootstrap: how much a difference between two systems depends on the items, and on the seeds, it was measured with.

Both tests draw samples of the items with replacement, the same for both systems, and compute scores from the summed
statistics of a sample:

- ``paired_bootstrap``: the p-value of a difference that two systems of one seed show, for the tables of translation.
  It is sacreBLEU's test, with its default seed, and gives its numbers; it says nothing about other seeds.
- ``hierarchical_bootstrap``: differences in samples of items and of seeds, for the claims.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import Array, SampleStatistics

PAIRED_SAMPLES, PAIRED_SEED = 1000, 12345  # sacreBLEU's defaults
HIERARCHICAL_SAMPLES = 2000
CHUNK = 100  # samples drawn at once
COLUMNS = (
    "table", "system", "setting", "column", "seed", "bleu", "minus_system", "minus_setting", "minus_bleu", "p",
)  # fmt: skip

Pair = tuple[SampleStatistics, SampleStatistics]  # of two systems, on the same items


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


def hierarchical_bootstrap(pairs: Sequence[Sequence[Pair]]) -> Array:
    """Draw ``HIERARCHICAL_SAMPLES`` differences between two systems, of samples of items and of seeds.

    Args:
        pairs: of each seed the columns that are averaged. Columns with equally many items hold the same items in
            several languages or directions, which are drawn together.
    """
    generators = (np.random.default_rng(number) for number in range(HIERARCHICAL_SAMPLES // CHUNK))
    return np.concatenate([_difference_samples(pairs, rng) for rng in generators])


def _difference_samples(pairs: Sequence[Sequence[Pair]], rng: np.random.Generator) -> Array:
    """Draw ``CHUNK`` differences."""
    sizes = dict.fromkeys(len(a.statistics) for columns in pairs for a, _ in columns)
    counts = {n: rng.multinomial(n, np.full(n, 1 / n), size=CHUNK).astype(np.float64) for n in sizes}
    by_seed = []
    for columns in pairs:
        differences = [a.scores(counts[len(a.statistics)]) - b.scores(counts[len(b.statistics)]) for a, b in columns]
        by_seed.append(np.mean(differences, axis=0))
    drawn = rng.integers(0, len(pairs), size=(len(pairs), CHUNK))
    means: Array = np.take_along_axis(np.array(by_seed), drawn, axis=0).mean(axis=0)
    return means


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
