"""The optimizer, Adam with decoupled weight decay, and the schedules of its learning rate and of weights of losses."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from xlm_core.config import Optim

FIRST_RATE = 1e-7  # where the warm-up begins, as published


def make_optimizer(model: nn.Module, optim: Optim, *, shard: bool = False) -> Optimizer:
    """Make Adam for all weights of ``model``, in one fused kernel; the training loop sets its learning rate.

    Weight decay, zero by default, shrinks every weight, biases and normalizations too, as the published code does.
    With ``shard`` each process keeps the moments of its share of the weights only, updates those, and gets the
    others from the other processes (Rajbhandari et al. 2020, stage 1).
    """
    settings: dict[str, Any] = {
        "lr": optim.learning_rate,
        "betas": (optim.beta1, optim.beta2),
        "eps": optim.epsilon,
        "weight_decay": optim.weight_decay,
        "fused": True,
    }
    if shard:
        from torch.distributed.optim import ZeroRedundancyOptimizer  # imports half of PyTorch, for few users

        return ZeroRedundancyOptimizer(model.parameters(), AdamW, **settings)
    return AdamW(model.parameters(), **settings)


def skip_step_if(is_bad: Tensor, optimizer: Optimizer) -> None:
    """Make the next step change nothing if ``is_bad`` () is true on the device; the fused kernel reads it there."""
    adam: Any = getattr(optimizer, "optim", optimizer)  # the one that a sharded optimizer runs inside
    adam.found_inf = is_bad.float()


def learning_rate(update: int, optim: Optim) -> float:
    """Compute the learning rate of an update.

    1. Warm-up: a straight line from almost zero to ``optim.learning_rate``, in every schedule.
    2. After it ``inverse_sqrt`` falls with the root of the number of updates (the paper's), ``cosine`` and
       ``linear`` fall to zero at ``optim.max_updates``, ``constant`` stays.

    Args:
        update: number of updates before this one.
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


def loss_weight(update: int, points: Sequence[tuple[int, float]]) -> float:
    """Interpolate the weight of a loss linearly between ``points`` (update, weight); it is constant outside them."""
    updates, weights = zip(*points, strict=True)
    return float(np.interp(float(update), updates, weights))
