import torch
from torch import nn

from xlm_core.config import Optim
from xlm_core.train.optimizer import make_optimizer


def test_one_step_of_adam_with_decoupled_decay_by_hand():
    """The first step of Adam moves by the learning rate, and decay takes its share of the weight before it."""
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, 2.0)
    nn.init.constant_(layer.bias, 1.0)
    optim = Optim(learning_rate=0.1, warmup_updates=0, max_updates=1, weight_decay=0.5)
    optimizer = make_optimizer(layer, optim)
    layer(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert torch.allclose(layer.weight, torch.tensor(2.0 - 0.1 * 0.5 * 2.0 - 0.1))
    assert torch.allclose(layer.bias, torch.tensor(1.0 - 0.1 * 0.5 * 1.0 - 0.1))


def test_settings_reach_the_optimizer():
    optim = Optim(learning_rate=0.1, warmup_updates=0, max_updates=1, beta1=0.8, beta2=0.7, epsilon=1e-3)
    optimizer = make_optimizer(nn.Linear(1, 1), optim)
    assert (optimizer.defaults["betas"], optimizer.defaults["eps"]) == ((0.8, 0.7), 1e-3)
