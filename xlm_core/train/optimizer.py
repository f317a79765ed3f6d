"""The optimizer: Adam with decoupled weight decay."""

from torch import nn
from torch.optim import AdamW

from xlm_core.config import Optim


def make_optimizer(model: nn.Module, optim: Optim) -> AdamW:
    """Adam over all weights of ``model`` in one fused kernel; the loop sets its learning rate.

    Weight decay, zero by default, shrinks every weight, biases and normalizations too, as the published code does.
    """
    return AdamW(
        model.parameters(),
        lr=optim.learning_rate,
        betas=(optim.beta1, optim.beta2),
        eps=optim.epsilon,
        weight_decay=optim.weight_decay,
        fused=True,
    )
