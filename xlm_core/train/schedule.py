"""Learning rates and weights of losses: pure functions of the number of the update."""

import math
from collections.abc import Sequence

import numpy as np

from xlm_core.config import Optim

FIRST_RATE = 1e-7  # where the warm-up begins, as published


def learning_rate(update: int, optim: Optim) -> float:
    """The learning rate of an update.

    1. Warm-up: a straight line from almost zero to ``optim.learning_rate``, for every schedule.
    2. After it ``inverse_sqrt`` falls with the root of the number of updates (the paper's), ``cosine`` and
       ``linear`` fall to zero at ``optim.max_updates``, ``constant`` stays.

    Args:
        update: updates made before this one.
        optim: the schedule.
    """
    peak, warmup = optim.learning_rate, optim.warmup_updates
    if update < warmup:
        return FIRST_RATE + (peak - FIRST_RATE) * update / warmup
    if optim.schedule == "constant":
        return peak
    if optim.schedule == "inverse_sqrt":
        return peak * math.sqrt(max(warmup, 1) / max(update, 1))
    done = min(1.0, (update - warmup) / max(1, optim.max_updates - warmup))
    return peak * (1 - done if optim.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2)


def weight(update: int, points: Sequence[tuple[int, float]]) -> float:
    """The weight of a loss: straight lines between ``points`` (update, weight), and level before and after them."""
    updates, weights = zip(*points, strict=True)
    return float(np.interp(float(update), updates, weights))
