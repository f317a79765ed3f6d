"""Sufficient statistics of a score, item by item, so that it can be computed again for any sample of the items.

The score is a function of the statistics' sums over all items:

| metric | statistics of an item | score |
|---|---|---|
| mean | x | mean of x |
| percent | 0 or 1 | percent |
| matthews | 1 for one of: true and false positive, true and false negative | Matthews' correlation, in percent |
| f1 | as of matthews | F1 of the positive class, in percent |
| pearson | x, y, x * x, y * y, x * y | Pearson's correlation, in percent |
| perplexity | nats, words | exp(nats / words) |
| bleu | length of hypothesis and reference, matching n-grams, n-grams, each of 1 to 4 words | BLEU, by sacreBLEU |

Matthews' correlation, F1 and Pearson's correlation are written out because a bootstrap takes 1,000 samples: one product
of matrices gives the sums of all of them, where scikit-learn would compute every sample from its items.

Shapes: N items, K statistics of each, B samples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

from xlm_core.errors import CorpusError
from xlm_core.io import read_json, write_json

Array = NDArray[np.float64]
MetricName = Literal["mean", "percent", "matthews", "f1", "pearson", "perplexity", "bleu"]


@dataclass(frozen=True)
class SampleStatistics:
    """Statistics (N, K) of ``metric``."""

    metric: MetricName
    statistics: NDArray[Any]

    def scores(self, counts: Array) -> Array:
        """Compute the score (B,) of each sample; ``counts`` (B, N) says how often it has each item."""
        return SCORES[self.metric](counts @ self.statistics, counts.sum(axis=1))

    @property
    def score(self) -> float:
        """The score of all items, each once."""
        return float(self.scores(np.ones((1, len(self.statistics))))[0])


def confusion_counts(labels: NDArray[Any], predictions: NDArray[Any]) -> Array:
    """Count for "matthews" and "f1", (N, 4), from labels and predictions (N,) of which 1 is the positive class."""
    positive, correct = predictions == 1, predictions == labels
    columns = [positive & correct, positive & ~correct, ~positive & correct, ~positive & ~correct]
    return np.stack(columns, axis=1).astype(np.float64)


def moment_sums(x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Compute the statistics (N, 5) of "pearson" from numbers (N,)."""
    return np.stack([x, y, x * x, y * y, x * y], axis=1).astype(np.float64)


def _pearson(sums: Array, n_items: Array) -> Array:
    """Compute Pearson's correlation; 0 where x or y never changes."""
    x, y, xx, yy, xy = (sums / n_items[:, None]).T
    variances = np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0)
    return _ratio(100 * (xy - x * y), np.sqrt(variances))


def _matthews(sums: Array, _: Array) -> Array:
    """Compute Matthews' correlation; 0 where it is not defined."""
    tp, fp, tn, fn = sums.T
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return _ratio(100 * (tp * tn - fp * fn), np.sqrt(product))


def _f1(sums: Array, _: Array) -> Array:
    """Compute F1; 0 where nothing is positive."""
    tp, fp, _tn, fn = sums.T
    return _ratio(200 * tp, 2 * tp + fp + fn)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Divide; 0 where that is not defined."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _bleu(sums: Array, _: Array) -> Array:
    metric = BLEU()
    return np.array([metric._compute_score_from_stats(sample).score for sample in sums.astype(np.int64).tolist()])


SCORES: Mapping[MetricName, Callable[[Array, Array], Array]] = {
    "mean": lambda sums, n_items: sums[:, 0] / n_items,
    "percent": lambda sums, n_items: sums[:, 0] / n_items * 100,
    "matthews": _matthews,
    "f1": _f1,
    "pearson": _pearson,
    "perplexity": lambda sums, _: np.exp(sums[:, 0] / sums[:, 1]),
    "bleu": _bleu,
}


def write(path: Path, columns: Mapping[str, SampleStatistics]) -> None:
    """Write the statistics of several columns."""
    write_json(
        path, {name: {**vars(column), "statistics": column.statistics.tolist()} for name, column in columns.items()}
    )


def read(path: Path) -> dict[str, SampleStatistics]:
    """Read the statistics of all columns.

    Raises:
        CorpusError: the file does not hold statistics.
    """
    try:
        columns = {name: (column["metric"], _matrix(column["statistics"])) for name, column in read_json(path).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path} does not hold sample statistics ({error}); remove it and rerun") from error
    for name, (metric, _) in columns.items():
        if metric not in list(SCORES):
            raise CorpusError(f"{path}, {name}: metric '{metric}', expected one of {', '.join(SCORES)}")
    return {name: SampleStatistics(*column) for name, column in columns.items()}


def _matrix(rows: Sequence[Sequence[float]]) -> Array:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.ndim != 2 or not len(matrix):
        raise ValueError(f"found {matrix.shape} statistics, expected one row for each of one or more items")
    return matrix
