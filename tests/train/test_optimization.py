import pytest
import torch
from torch import nn

from xlm_core.config import Optim
from xlm_core.train.optimization import learning_rate, loss_weight, make_optimizer


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


def rates(schedule, updates, warmup=100, last=500):
    optim = Optim(learning_rate=0.01, schedule=schedule, warmup_updates=warmup, max_updates=last)
    return [learning_rate(update, optim) for update in updates]


@pytest.mark.parametrize("schedule", ["inverse_sqrt", "cosine", "linear", "constant"])
def test_every_schedule_warms_up_in_a_straight_line(schedule):
    assert rates(schedule, [0, 50, 100]) == pytest.approx([1e-7, 0.005, 0.01], rel=1e-4)


def test_inverse_sqrt_halves_when_updates_are_four_times_the_warmup():
    assert rates("inverse_sqrt", [400, 900]) == pytest.approx([0.005, 0.01 / 3])


def test_cosine_is_half_way_down_half_way_through():
    assert rates("cosine", [200, 300, 400, 500]) == pytest.approx([0.0085355, 0.005, 0.0014645, 0], abs=1e-7)


def test_linear_goes_down_evenly():
    assert rates("linear", [200, 300, 400, 500, 600]) == pytest.approx([0.0075, 0.005, 0.0025, 0, 0])


def test_constant_stays():
    assert rates("constant", [100, 499]) == [0.01, 0.01]


@pytest.mark.parametrize("schedule", ["inverse_sqrt", "cosine", "linear", "constant"])
def test_without_warmup_the_first_update_has_the_full_rate(schedule):
    assert rates(schedule, [0], warmup=0) == [0.01]
    assert rates(schedule, [0], warmup=0, last=1) == [0.01]


def test_weights_are_straight_lines_between_points_and_level_outside():
    points = [(0, 1.0), (100_000, 0.1), (300_000, 0.0)]
    weights = [loss_weight(update, points) for update in (0, 50_000, 100_000, 200_000, 300_000, 1_000_000)]
    assert weights == pytest.approx([1.0, 0.55, 0.1, 0.05, 0.0, 0.0])
    assert [loss_weight(update, [(10, 2.0)]) for update in (0, 10, 99)] == [2.0, 2.0, 2.0]
