"""The optimizer: Adam with decoupled weight decay, whole on every process or shared out among them."""

from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from xlm_core.config import Optim


def make_optimizer(model: nn.Module, optim: Optim, *, shard: bool = False) -> Optimizer:
    """Adam over all weights of ``model`` in one fused kernel; the loop sets its learning rate.

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
    """Make the next step change nothing if ``is_bad`` () is true on the device: the fused kernel looks there."""
    adam: Any = getattr(optimizer, "optim", optimizer)  # the one that a sharing optimizer runs inside
    adam.found_inf = is_bad.float()


def consolidated_state_dict(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's state, on the first process; where it is shared out, all processes must ask together."""
    if hasattr(optimizer, "consolidate_state_dict"):
        sharded: Any = optimizer
        sharded.consolidate_state_dict()
        return optimizer.state_dict() if sharded.rank == 0 else {}
    return optimizer.state_dict()
