"""What is said about a training while it runs."""

import logging

import pytest
import torch
from tiny_training import OPTIM, make_state

from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train import log
from xlm_core.train.log import ProgressMonitor

UNLEARNED = {ObjectiveKey("mlm", ("en",)): 5.0, ObjectiveKey("mlm", ("de",)): 4.0}


@pytest.fixture
def at(caplog):
    """A state after so many updates; what is logged is caught."""
    caplog.set_level(logging.INFO)

    def at(update):
        state = make_state()
        state.progress.update = update
        return state

    return at


def losses(**nats):
    return {
        ObjectiveKey("mlm", (language,)): LossSum(torch.tensor(10.0 * mean), 10, torch.tensor(0))
        for language, mean in nats.items()
    }


LATE = 2 * OPTIM.warmup_updates + 1


def test_a_loss_at_that_of_guessing_by_frequency_is_told_once(at, caplog):
    looking = ProgressMonitor(0, OPTIM, UNLEARNED)
    for update in (LATE, LATE + 1):
        looking.check(at(update), losses(en=4.95, de=3.0))
    (message,) = [record.getMessage() for record in caplog.records]
    assert f"update {LATE}: the loss of mlm en is 4.95 nats, that of guessing by frequency alone 5.00" in message


def test_a_training_that_learns_is_left_alone(at, caplog):
    ProgressMonitor(0, OPTIM, UNLEARNED).check(at(LATE), losses(en=4.85, de=3.9))
    assert not caplog.records


def test_nothing_is_said_before_the_warm_up_is_well_over(at, caplog):
    ProgressMonitor(0, OPTIM, UNLEARNED).check(at(2 * OPTIM.warmup_updates), losses(en=6.0))
    assert not caplog.records


def test_a_loss_without_a_known_level_is_left_alone(at, caplog):
    ProgressMonitor(0, OPTIM, UNLEARNED).check(at(LATE), losses(fr=9.0))
    assert not caplog.records


@pytest.mark.parametrize("first", [0, 40])
def test_the_time_to_go_is_told_after_some_updates_of_this_process(at, caplog, monkeypatch, first):
    optim = OPTIM.model_copy(update={"max_updates": 1000})
    looking, clock = ProgressMonitor(first, optim, {}), 0.0
    monkeypatch.setattr(log.time, "monotonic", lambda: clock)
    for update in range(first + 1, first + 31):
        clock += 60.0 if update <= first + 5 else 2.0  # the first updates are slow, and do not count
        looking.log_remaining_time(at(update))
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("2 s per update: ")
    left = 2 * (1000 - first - 20)
    assert f"{left // 60 // 60}:{left // 60 % 60:02}:{left % 60:02} to go" in message
