"""A tiny problem to train on: one weight matrix with dropout, which is to reproduce its input."""

import torch
from torch import nn

from xlm_core.config import Optim
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

ALONE = DistributedContext()
OPTIM = Optim(learning_rate=0.01, schedule="constant", warmup_updates=0, max_updates=12)


def make_state() -> TrainState:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3))
    return TrainState(model, make_optimizer(model, OPTIM))


def make_part(state: TrainState, update: int, rows: slice = slice(None), scale: float = 1.0) -> MicroBatch:
    """The micro-batch of an update; its data are a function of the update's number."""
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(update))[rows]

    def loss() -> LossSum:
        nats = scale * (state.model(x) - x).square().sum()
        return LossSum(nats, len(x), torch.zeros((), dtype=torch.int64))

    return MicroBatch(ObjectiveKey("copy"), len(x), len(x), update, loss)


def update_once(state: TrainState, *parts: MicroBatch, max_grad_norm: float = 1.0) -> None:
    """One update of one process."""
    optim = OPTIM.model_copy(update={"max_grad_norm": max_grad_norm})
    train_step(state, parts, sum(part.count for part in parts), optim, ALONE)
