"""The processes that share one training, and how they tell each other what they found.

Every process holds the whole model and takes its own micro-batches of every update. Gradients are added up by PyTorch's
``DistributedDataParallel``, over NCCL where there are GPUs. What only the host needs to know (how many tokens an
update has, whether it is time to save) goes through Gloo, so that no process ever waits for its GPU. This exchange
is also how the death of a process is noticed on every node, for its connections close with it.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from xlm_core.metrics.loss import LossSum, add_losses

TIMEOUT = timedelta(minutes=30)  # for a process that is alive but does not answer; a dead one is noticed at once


class DistributedContext:
    """The ``size`` processes of a training, as seen by the one of number ``rank``."""

    def __init__(self) -> None:
        """Those that this process was started with; it is alone where it was started alone."""
        is_alone = not distributed.is_initialized()
        self.rank = 0 if is_alone else distributed.get_rank()
        self.size = 1 if is_alone else distributed.get_world_size()
        self.device = torch.device("cuda", local_rank()) if torch.cuda.is_available() else torch.device("cpu")
        self._replica: DistributedDataParallel | None = None
        # A group of its own for the host: beside NCCL, and never in the way of the gradients.
        self._host = None if is_alone else distributed.new_group(backend="gloo", timeout=TIMEOUT)

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes what one process alone must write."""
        return self.rank == 0

    def shard_range(self, n: int) -> range:
        """Which of ``n`` things in a row are this process's: the shares are of the same size, or differ by one."""
        return range(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def wrap_ddp(self, module: nn.Module) -> nn.Module:
        """``module`` with gradients that are averaged over all processes at the end of each backward pass."""
        if self.size == 1:
            return module
        self._replica = DistributedDataParallel(module, gradient_as_bucket_view=True)
        return self._replica

    def no_sync(self) -> AbstractContextManager[None]:
        """A block whose forward and backward passes add to this process's gradients only."""
        return nullcontext() if self._replica is None else self._replica.no_sync()

    def all_reduce_sum(self, numbers: Sequence[int]) -> list[int]:
        """Each of the ``numbers`` summed over all processes."""
        if self.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(summed, group=self._host)
        return summed.tolist()

    def any_process(self, flag: Tensor) -> Tensor:
        """() bool: whether ``flag`` () is true on any process; decided on the device."""
        if self.size == 1:
            return flag
        number = flag.to(torch.int32)
        distributed.all_reduce(number, op=distributed.ReduceOp.MAX)
        return number.bool()

    def reduce_losses(self, tallies: Mapping[str, LossSum]) -> dict[str, LossSum]:
        """Tallies summed over all processes, of which each may know other names; the sums are the same on all."""
        if self.size == 1:
            return dict(tallies)
        mine = {name: (tally.loss_sum.item(), tally.count, int(tally.n_correct)) for name, tally in tallies.items()}
        everyones: list[Any] = [None] * self.size
        distributed.all_gather_object(everyones, mine, group=self._host)
        sums: dict[str, LossSum] = {}
        for some in everyones:
            for name, (nats, count, correct) in some.items():
                add_losses(sums, {name: LossSum(torch.tensor(nats, dtype=torch.float64), count, torch.tensor(correct))})
        return sums

    def barrier(self) -> None:
        """Go on when every process has come this far."""
        self.all_reduce_sum([0])


def local_rank() -> int:
    """The number of this process among those of its machine, as the launcher says it."""
    return int(os.environ.get("LOCAL_RANK", "0"))
