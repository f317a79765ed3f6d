"""One update: the gradients of all its micro-batches on all processes, then one step of the optimizer."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.optimizer import skip_step_if
from xlm_core.train.state import TrainState

TAG = 5  # keeps these seeds apart from those of the data


@dataclass(frozen=True)
class MicroBatch:
    """One micro-batch of an update.

    name      under which its loss is logged
    count     predictions that its loss is summed over
    n_tokens  tokens of its batch
    seed      of the random numbers that are drawn while the loss is computed, which are those of dropout
    loss      computes it
    weight    that the loss is multiplied by; it is logged without it
    """

    name: str
    count: int
    n_tokens: int
    seed: int
    loss: Callable[[], LossSum]
    weight: float = 1.0


def train_step(
    state: TrainState,
    parts: Sequence[MicroBatch],
    count: int,
    rate: float,
    max_grad_norm: float,
    processes: DistributedContext,
) -> dict[str, LossSum]:
    """Add up the gradients of all parts of all processes and make one step with learning rate ``rate``.

    Every loss is divided by ``count``, the predictions of the whole update on all processes, so that the gradient
    does not depend on how the update was cut and who computed what. Neither does dropout: each part has a seed. If a
    loss or the gradient is not finite the step is left out and counted; that is decided on the device, without
    waiting for it.

    Args:
        parts: those of this process.

    Returns:
        The loss of each name, of this process.
    """
    losses: dict[str, LossSum] = {}
    for part in parts:
        torch.manual_seed(part.seed)
        with nullcontext() if part is parts[-1] else processes.no_sync():
            tally = part.loss()
            # PyTorch averages over the processes; the losses are to be summed.
            torch.autograd.backward(tally.loss_sum * (part.weight * processes.size / max(1, count)))
        add_losses(losses, {part.name: tally.detach()})
    norm = clip_grad_norm_(state.model.parameters(), max_grad_norm)
    is_bad = processes.any_process(~torch.isfinite(norm + sum(tally.loss_sum for tally in losses.values())))
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    skip_step_if(is_bad, state.optimizer)
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.skipped = state.skipped.to(is_bad.device) + is_bad
    state.skipped_in_row = (state.skipped_in_row.to(is_bad.device) + is_bad) * is_bad
    state.progress.update += 1
    return losses


def dropout_seed(seed: int, number: int) -> int:
    """The seed of micro-batch ``number``, counted over the whole run: dropout is the same on whatever process it is."""
    return int(np.random.SeedSequence([seed, TAG, number]).generate_state(1, np.uint64)[0])
