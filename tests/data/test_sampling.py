import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from xlm_core.data.sampling import BLOCK, BatchKey, TaskSampler, cached_by_epoch

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


@pytest.fixture
def switching_often() -> Iterator[None]:
    """Threads take turns after a few instructions."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_draws_of_several_threads_are_those_of_one(switching_often):
    numbers = [2 * BLOCK * block + 6 for block in range(40)]
    straight = TaskSampler(SHARES, SHARES, seed=1)
    expected = [straight.batch_key(number) for number in numbers]
    for _ in range(10):
        shared = TaskSampler(SHARES, SHARES, seed=1)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(shared.batch_key, numbers)) == expected


def test_an_epoch_is_computed_once_for_all_threads_and_its_neighbor_is_kept():
    computed, begin = [], threading.Barrier(4)
    order = cached_by_epoch(lambda epoch: computed.append(epoch) or 10 * epoch)

    def ask(worker):
        begin.wait(timeout=10)
        return [order(7 + (worker + step) % 2) for step in range(50)]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    assert sorted(computed) == [7, 8]
    assert answers == [[70, 80] * 25, [80, 70] * 25] * 2
