import json

import full_disk
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_training import make_state

from xlm_core.errors import StorageError
from xlm_core.metrics.loss import LossSum
from xlm_core.train.log import TrainingLog
from xlm_core.train.state import Progress


def lines(log):
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def advance(log, state, updates, nats=2.0):
    state.progress.update += updates
    state.progress.n_tokens += 10 * updates
    log.log_training(state, {"mlm": LossSum(torch.tensor(nats), 4, torch.tensor(1))})


def test_a_training_line_holds_means(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        advance(log, state, 2, nats=2.0)
        advance(log, state, 1, nats=8.0)
    first, second = lines(log)
    assert (first["kind"], first["update"], first["n_tokens"], first["loss"]) == ("train", 2, 20, {"mlm": 0.5})
    assert (second["update"], second["loss"], second["learning_rate"]) == (3, {"mlm": 2.0}, 0.01)
    assert first["tokens_per_second"] > 0


def test_an_evaluation_line_holds_every_score(tmp_path):
    with TrainingLog(tmp_path, Progress(), 10) as log:
        log.log_evaluation(Progress(update=5), {"mlm.en": LossSum(torch.tensor(0.0), 4, torch.tensor(3))}, 0.0)
    (line,) = lines(log)
    assert line["scores"] == {"mlm.en": {"nats": 0.0, "perplexity": 1.0, "accuracy": 75.0, "count": 4}}
    assert (line["kind"], line["update"], line["criterion"]) == ("valid", 5, 0.0)


def test_a_resumed_log_has_each_update_once_and_no_torn_line(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        for _ in range(3):
            advance(log, state, 2)
            log.log_evaluation(state.progress, {}, 0.0)
    log.path.write_text(log.path.read_text() + '{"kind": "tr')
    with TrainingLog(tmp_path, Progress(update=4, evaluated=2), 10) as log:
        pass
    assert [(line["kind"], line["update"]) for line in lines(log)] == [("train", 2), ("valid", 2), ("train", 4)]


def test_tensorboard_shows_each_update_once_also_after_a_resumption(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        for nats in (8.0, 4.0, 2.0):
            advance(log, state, 2, nats)
    state.progress.update = 2
    with TrainingLog(tmp_path, state.progress, 10) as log:
        advance(log, state, 2, nats=1.0)
        log.log_evaluation(state.progress, {"mlm.en": LossSum(torch.tensor(6.0), 4, torch.tensor(3))}, 0.0)
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [(point.step, point.value) for point in board.Scalars("train/mlm")] == [(2, 2.0), (4, 0.25)]
    assert [(point.step, point.value) for point in board.Scalars("valid/mlm.en")] == [(4, 1.5)]


def test_a_full_disk_ends_the_log_with_a_named_error_and_it_goes_on_later(tmp_path):
    state = make_state()
    with (
        full_disk.room_for(1000),
        pytest.raises(StorageError, match=r"log\.jsonl could not be written: File too large"),
        TrainingLog(tmp_path, state.progress, 100) as log,
    ):
        for _ in range(100):
            advance(log, state, 1)
    assert 1 < state.progress.update < 20
    state.progress.update -= 1  # that of the last checkpoint
    with TrainingLog(tmp_path, state.progress, 100) as log:
        advance(log, state, 1)
    assert [line["update"] for line in lines(log)] == list(range(1, state.progress.update + 1))
