import pytest

from xlm_core.config import Optim
from xlm_core.train.schedule import learning_rate, weight


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
    found = [weight(update, points) for update in (0, 50_000, 100_000, 200_000, 300_000, 1_000_000)]
    assert found == pytest.approx([1.0, 0.55, 0.1, 0.05, 0.0, 0.0])
    assert [weight(update, [(10, 2.0)]) for update in (0, 10, 99)] == [2.0, 2.0, 2.0]
