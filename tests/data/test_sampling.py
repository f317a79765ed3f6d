from collections import Counter

import pytest

from xlm_core.data.sampling import BLOCK, BatchKey, TaskSampler

SHARES = {"mlm": {"de": 0.2, "en": 0.7, "sw": 0.1}, "tlm": {"de-en": 1.0}}


def test_objectives_alternate_evenly():
    draws = [TaskSampler(SHARES, SHARES, seed=0).batch_key(number).objective for number in range(6)]
    assert draws == ["mlm", "tlm"] * 3


def test_an_objective_that_is_named_twice_has_two_turns_and_repeats_nothing():
    mixture = TaskSampler(["mlm", "tlm", "tlm"], SHARES, seed=0)
    draws = [mixture.batch_key(number) for number in range(9)]
    assert [draw.objective for draw in draws] == ["mlm", "tlm", "tlm"] * 3
    assert [draw.batch_index for draw in draws if draw.objective == "tlm"] == [0, 1, 2, 3, 4, 5]  # of the only pair


def test_keys_are_drawn_by_their_probabilities():
    mixture = TaskSampler(SHARES, SHARES, seed=0)
    counts = Counter(mixture.batch_key(2 * turn).key for turn in range(20_000))
    for key, share in SHARES["mlm"].items():
        assert counts[key] / 20_000 == pytest.approx(share, abs=0.01)


def test_ordinals_count_the_draws_of_a_key_without_gaps():
    mixture = TaskSampler(SHARES, SHARES, seed=3)
    seen: Counter[tuple[str, str]] = Counter()
    for number in range(3 * 2 * BLOCK):
        draw = mixture.batch_key(number)
        assert draw.batch_index == seen[draw.objective, draw.key]
        seen[draw.objective, draw.key] += 1


def test_a_draw_depends_on_seed_and_number_only():
    numbers = [0, 5 * BLOCK + 8, 10 * BLOCK, 6]
    straight = TaskSampler(SHARES, SHARES, seed=1)
    all_draws = [straight.batch_key(number) for number in range(10 * BLOCK + 1)]
    assert [TaskSampler(SHARES, SHARES, seed=1).batch_key(number) for number in numbers] == [
        all_draws[number] for number in numbers
    ]
    others = TaskSampler(SHARES, SHARES, seed=2)
    assert [others.batch_key(number) for number in range(100)] != all_draws[:100]


def test_one_key_is_always_drawn():
    assert TaskSampler(["clm"], {"clm": {"en": 1.0}}, seed=0).batch_key(4) == BatchKey("clm", "en", 4)
