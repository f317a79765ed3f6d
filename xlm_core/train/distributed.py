"""Communication between the processes that share one training.

Every process holds the whole model and takes its own micro-batches of every update. Gradients are averaged by PyTorch's
``DistributedDataParallel``, over NCCL on GPUs. Numbers that only the host needs (how many tokens an update has, whether
it is time to save) go through Gloo, so that no process ever waits for its GPU. The death of a process is noticed in
this exchange on every node, because its connections close.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.model.device import select_device

# For a process that is alive but does not answer; a dead one is noticed at once. The hosts give up first, because NCCL
# ends a process without an error that names the silent one. The longest wait in sound trainings is for a checkpoint.
HOST_TIMEOUT = timedelta(minutes=10)
TIMEOUT = timedelta(minutes=12)
T = TypeVar("T")
R = TypeVar("R")


class DistributedContext:
    """The ``size`` processes of a training, seen from the process of number ``rank``."""

    def __init__(self) -> None:
        """Join the processes that this one was started with; without a launcher it is alone."""
        is_alone = not distributed.is_initialized()
        self.rank = 0 if is_alone else distributed.get_rank()
        self.size = 1 if is_alone else distributed.get_world_size()
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))  # set by the launcher
        self.device = select_device(f"cuda:{local_rank}" if torch.cuda.is_available() else "cpu")
        self._replica: DistributedDataParallel | None = None
        # A second group, for the host, which does not delay the gradients.
        self._host = None if is_alone else distributed.new_group(backend="gloo", timeout=HOST_TIMEOUT)

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes the files that only one process may write."""
        return self.rank == 0

    def shard_range(self, n: int) -> range:
        """Return this process's share of ``range(n)``; the sizes of all shares differ by one at most."""
        return range(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def wrap_ddp(self, module: nn.Module) -> nn.Module:
        """Wrap ``module`` so that its gradients are averaged over all processes at the end of each backward pass."""
        if self.size == 1:
            return module
        self._replica = DistributedDataParallel(module, gradient_as_bucket_view=True)
        return self._replica

    def no_sync(self) -> AbstractContextManager[None]:
        """Return a context in which forward and backward passes add to this process's gradients only."""
        return nullcontext() if self._replica is None else self._replica.no_sync()

    def all_reduce_sum(self, numbers: Sequence[int]) -> list[int]:
        """Sum each of ``numbers`` over all processes."""
        if self.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(summed, group=self._host)
        return summed.tolist()

    def any_process(self, flag: Tensor) -> Tensor:
        """Return whether ``flag`` () is true on any process, () bool; decided on the device."""
        if self.size == 1:
            return flag
        number = flag.to(torch.int32)
        distributed.all_reduce(number, op=distributed.ReduceOp.MAX)
        return number.bool()

    def all_gather(self, value: T) -> list[T]:
        """Return the ``value`` of every process, plain data or tensors on the CPU, by rank."""
        if self.size == 1:
            return [value]
        gathered: list[Any] = [None] * self.size
        distributed.all_gather_object(gathered, value, group=self._host)
        return gathered

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Apply ``function`` to each of ``items`` on one process, and return the results on all, in order.

        Neighbors go to different processes, which evens out work that is sorted by size.
        """
        shares = self.all_gather([function(item) for item in items[self.rank :: self.size]])
        return [shares[index % self.size][index // self.size] for index in range(len(items))]

    def reduce_losses(self, losses: Mapping[ObjectiveKey, LossSum]) -> dict[ObjectiveKey, LossSum]:
        """Sum losses by key over all processes, each of which may have other keys; all get the same sums."""
        if self.size == 1:
            return dict(losses)
        mine = {key: LossSum(loss.loss_sum.double(), loss.count, loss.n_correct).cpu() for key, loss in losses.items()}
        sums: dict[ObjectiveKey, LossSum] = {}
        for of_process in self.all_gather(mine):
            add_losses(sums, of_process)
        return sums

    def barrier(self) -> None:
        """Wait until every process has called this."""
        self.all_reduce_sum([0])
