"""Intervals of the difference between two samples of scores, such as the scores of several pretraining seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

CONFIDENCE = 0.95
Array = NDArray[np.float64]


class Interval(NamedTuple):
    """A difference of means with its 95 % t-interval, NaN where there is nothing to estimate a spread from."""

    difference: float
    low: float = np.nan
    high: float = np.nan


def welch_interval(a: Array, b: Array) -> Interval:
    """Return the difference of two independent samples, (n_a,) and (n_b,), by Welch's method."""
    difference = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2 or np.ptp(a) == np.ptp(b) == 0:
        return Interval(difference)
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(CONFIDENCE)
    return Interval(difference, float(interval.low), float(interval.high))


def paired_interval(a: Array, b: Array) -> Interval:
    """Return the mean difference of pairs, (n,) each."""
    differences = a - b
    if len(differences) < 2 or np.ptp(differences) == 0:
        return Interval(float(differences.mean()))
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(CONFIDENCE)
    return Interval(float(differences.mean()), float(interval.low), float(interval.high))
