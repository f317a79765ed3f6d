"""SampleStatistics: what a number was measured on, one by one, so that two numbers can be compared item by item.

An item is a few summands. The number is a function, its ``kind``, of their sums over all items:

| kind | summands | number |
|---|---|---|
| mean | x | mean of x |
| percent | 0 or 1 | percent |
| matthews | 1 for one of: right and wrong "yes", right and wrong "no" | Matthews' correlation, in percent |
| f1 | likewise | F1 of "yes", in percent |
| pearson | x, y, x * x, y * y, x * y | Pearson's correlation, in percent |
| perplexity | nats, words | exp(nats / words) |
| bleu | length of hypothesis and reference, right n-grams, n-grams, each of 1 to 4 words | BLEU |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from xlm_core.errors import CorpusError
from xlm_core.io import read_json, write_json

Kind = Literal["mean", "percent", "matthews", "f1", "pearson", "perplexity", "bleu"]
ORDER = 4  # of BLEU's n-grams


@dataclass(frozen=True)
class SampleStatistics:
    """The items of one number.

    kind      what the number is
    summands  (N, K) of N items
    """

    kind: Kind
    summands: np.ndarray

    def values(self, weights: np.ndarray) -> np.ndarray:
        """The number (B,) in each of B samples, in which items come as often as ``weights`` (B, N) say."""
        sums = weights @ self.summands  # (B, K)
        if self.kind in OF_SUMS:
            return OF_SUMS[self.kind](sums)
        means = sums / weights.sum(axis=1, keepdims=True)
        if self.kind == "pearson":
            return _pearson(means)
        return means[:, 0] * (100 if self.kind == "percent" else 1)

    @property
    def value(self) -> float:
        """The number of the items themselves."""
        return float(self.values(np.ones((1, len(self.summands))))[0])


def judged(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """The summands (N, 4) of "matthews" and "f1", from labels and predictions (N,) of which 1 is "yes"."""
    yes, right = predictions == 1, predictions == labels
    return np.stack([yes & right, yes & ~right, ~yes & right, ~yes & ~right], axis=1).astype(np.float64)


def correlated(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The summands (N, 5) of "pearson", from numbers (N,)."""
    return np.stack([x, y, x * x, y * y, x * y], axis=1).astype(np.float64)


def _pearson(means: np.ndarray) -> np.ndarray:
    """Pearson's correlation (B,), in percent, from means (B, 5); 0 where one of the numbers is always the same."""
    x, y, xx, yy, xy = means.T
    spread = np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0)
    return _ratio(100 * (xy - x * y), np.sqrt(spread))


def _matthews(sums: np.ndarray) -> np.ndarray:
    """Matthews' correlation (B,), in percent; 0 where it is not defined."""
    yes, false_yes, no, false_no = sums.T
    product = (yes + false_yes) * (yes + false_no) * (no + false_yes) * (no + false_no)
    return _ratio(100 * (yes * no - false_yes * false_no), np.sqrt(product))


def _f1(sums: np.ndarray) -> np.ndarray:
    """F1 (B,), in percent; 0 where there is no "yes"."""
    yes, false_yes, _, false_no = sums.T
    return _ratio(200 * yes, 2 * yes + false_yes + false_no)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """``above`` / ``below``, and 0 where that is not defined."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _perplexity(sums: np.ndarray) -> np.ndarray:
    return np.exp(sums[:, 0] / sums[:, 1])


def _bleu(sums: np.ndarray) -> np.ndarray:
    """BLEU (B,) from sums (B, 2 + 2 * ORDER), smoothed as sacreBLEU does by default: "exp"."""
    lengths, right, all_ = sums[:, :2], sums[:, 2 : 2 + ORDER], sums[:, 2 + ORDER :]
    n_zeros = np.cumsum(right == 0, axis=1)
    right = np.where(right == 0, 0.5**n_zeros, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.log(right / all_).mean(axis=1)
        brevity = np.minimum(0.0, 1 - lengths[:, 1] / lengths[:, 0])
        score = 100 * np.exp(precision + brevity)
    return np.where((all_ == 0).any(axis=1) | (sums[:, 2] == 0), 0.0, score)


OF_SUMS = {"bleu": _bleu, "perplexity": _perplexity, "matthews": _matthews, "f1": _f1}  # the others are of means


def write(path: Path, columns: dict[str, SampleStatistics]) -> None:
    """Write the items of several columns."""
    write_json(path, {name: {"kind": one.kind, "summands": one.summands.tolist()} for name, one in columns.items()})


def read(path: Path) -> dict[str, SampleStatistics]:
    """Read the items of all columns.

    Raises:
        CorpusError: the file does not hold items.
    """
    try:
        columns = {
            name: SampleStatistics(one["kind"], _matrix(one["summands"])) for name, one in read_json(path).items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{path} does not hold items ({error}); remove it and rerun") from error
    for name, one in columns.items():
        if one.kind not in get_args(Kind):
            raise CorpusError(f"{path}, {name}: kind '{one.kind}', expected one of {', '.join(get_args(Kind))}")
    return columns


def _matrix(rows: Sequence[Sequence[float]]) -> np.ndarray:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.ndim != 2 or not len(matrix):
        raise ValueError(f"found {matrix.shape} summands, expected some for each of one or more items")
    return matrix
