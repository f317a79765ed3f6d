"""Items: what a number was measured on, one by one, so that two numbers can be compared item by item.

An item is a few summands. The number is a function, its ``kind``, of their sums over all items:

| kind | summands | number |
|---|---|---|
| mean | x | mean of x |
| percent | 0 or 1 | percent |
| perplexity | nats, words | exp(nats / words) |
| bleu | length of hypothesis and reference, right n-grams, n-grams, each of 1 to 4 words | BLEU |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from xlm_core.errors import CorpusError
from xlm_core.files import read_json, write_json

Kind = Literal["mean", "percent", "perplexity", "bleu"]
ORDER = 4  # of BLEU's n-grams


@dataclass(frozen=True)
class Items:
    """The items of one number.

    kind      what the number is
    summands  (N, K) of N items
    """

    kind: Kind
    summands: np.ndarray

    def values(self, weights: np.ndarray) -> np.ndarray:
        """The number (B,) in each of B samples, in which items come as often as ``weights`` (B, N) say."""
        sums = weights @ self.summands  # (B, K)
        if self.kind == "bleu":
            return _bleu(sums)
        if self.kind == "perplexity":
            return np.exp(sums[:, 0] / sums[:, 1])
        mean = sums[:, 0] / weights.sum(axis=1)
        return 100 * mean if self.kind == "percent" else mean

    @property
    def value(self) -> float:
        """The number of the items themselves."""
        return float(self.values(np.ones((1, len(self.summands))))[0])


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


def write(path: Path, columns: dict[str, Items]) -> None:
    """Write the items of several columns."""
    write_json(path, {name: {"kind": one.kind, "summands": one.summands.tolist()} for name, one in columns.items()})


def read(path: Path) -> dict[str, Items]:
    """Read the items of all columns.

    Raises:
        CorpusError: the file does not hold items.
    """
    try:
        columns = {name: Items(one["kind"], _matrix(one["summands"])) for name, one in read_json(path).items()}
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
