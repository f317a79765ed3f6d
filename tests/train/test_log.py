import full_disk
import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_training import make_state

from xlm_core import history
from xlm_core.errors import StorageError
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train import log as train_log
from xlm_core.train.log import TrainingLog
from xlm_core.train.state import Progress

MLM, MLM_EN = ObjectiveKey("mlm"), ObjectiveKey("mlm", ("en",))
OF_TRAINING = ["n_tokens", "tokens_per_second", "learning_rate", "skipped", "loss"]


def rows(log):
    return history.read(log.path)


def loss_sum(nats, n_correct):
    return LossSum(torch.tensor(nats), 4, torch.tensor(n_correct))


def advance(log, state, updates, nats=2.0):
    state.progress.update += updates
    state.progress.n_tokens += 10 * updates
    log.log_training(state, {MLM: loss_sum(nats, 1)})


def test_rows_of_training_hold_means(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        advance(log, state, 2, nats=2.0)
        advance(log, state, 1, nats=8.0)
    by_metric = {(row.update, row.metric): row for row in rows(log)}
    assert list(by_metric) == [(update, metric) for update in (2, 3) for metric in OF_TRAINING]
    assert {row.split for row in by_metric.values()} == {"train"}
    assert by_metric[2, "loss"] == (2, "train", "mlm", (), "loss", 0.5)
    assert by_metric[3, "loss"] == (3, "train", "mlm", (), "loss", 2.0)
    assert by_metric[3, "learning_rate"] == (3, "train", None, (), "learning_rate", 0.01)
    assert (by_metric[2, "n_tokens"].value, by_metric[3, "n_tokens"].value) == (20, 30)
    assert by_metric[2, "tokens_per_second"].value > 0


def test_the_screen_shows_a_line_from_time_to_time(tmp_path, monkeypatch, caplog):
    """Of a training that resumes at update 40 and makes an update of 10 tokens a second."""
    seconds = [100.0]
    monkeypatch.setattr(train_log.time, "monotonic", lambda: seconds[0])
    state = make_state()
    state.progress.update = 40
    with caplog.at_level("INFO"), TrainingLog(tmp_path, state.progress, 200) as log:
        for _ in range(28):
            seconds[0] += 5
            advance(log, state, 5)
    shown = [record.getMessage() for record in caplog.records if getattr(record, "is_shown", False)]
    assert shown == [
        "update 100 of 200: loss 0.50 (mlm); 10 tokens/s; 0:01:40 left",
        "update 160 of 200: loss 0.50 (mlm); 10 tokens/s; 0:00:40 left",
    ]


def test_pandas_reads_it(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        advance(log, state, 2)
        log.log_evaluation(state.progress, {MLM_EN: loss_sum(6.0, 3).metrics}, 0.0)
    frame = pd.read_json(log.path, lines=True)
    assert list(frame.columns) == list(history.HistoryRow._fields)
    (row,) = frame[(frame["split"] == "valid") & (frame["metric"] == "accuracy")].to_dict("records")
    assert row == {
        "update": 2, "split": "valid", "objective": "mlm", "languages": ["en"], "metric": "accuracy", "value": 75.0,
    }  # fmt: skip


def test_rows_of_an_evaluation_hold_every_metric(tmp_path):
    with TrainingLog(tmp_path, Progress(), 10) as log:
        log.log_evaluation(Progress(update=5), {MLM_EN: loss_sum(0.0, 3).metrics}, 0.0)
    assert rows(log) == [
        (5, "valid", None, (), "criterion", 0.0),
        (5, "valid", "mlm", ("en",), "loss", 0.0),
        (5, "valid", "mlm", ("en",), "perplexity", 1.0),
        (5, "valid", "mlm", ("en",), "accuracy", 75.0),
        (5, "valid", "mlm", ("en",), "count", 4.0),
    ]


def test_a_resumed_log_has_each_update_once_and_no_torn_row(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        for _ in range(3):
            advance(log, state, 2)
            log.log_evaluation(state.progress, {}, 0.0)
    log.path.write_text(log.path.read_text() + '{"update": 6, "sp')
    with TrainingLog(tmp_path, Progress(update=4, evaluated=2), 10) as log:
        pass
    training = {2: [("train", 2)] * len(OF_TRAINING), 4: [("train", 4)] * len(OF_TRAINING)}
    assert [(row.split, row.update) for row in rows(log)] == [*training[2], ("valid", 2), *training[4]]


def test_tensorboard_shows_each_update_once_also_after_a_resumption(tmp_path):
    state = make_state()
    with TrainingLog(tmp_path, state.progress, 10) as log:
        for nats in (8.0, 4.0, 2.0):
            advance(log, state, 2, nats)
    state.progress.update = 2
    with TrainingLog(tmp_path, state.progress, 10) as log:
        advance(log, state, 2, nats=1.0)
        log.log_evaluation(state.progress, {MLM_EN: loss_sum(6.0, 3).metrics}, 0.0)
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [(point.step, point.value) for point in board.Scalars("train/mlm/loss")] == [(2, 2.0), (4, 0.25)]
    assert [(point.step, point.value) for point in board.Scalars("valid/mlm/en/loss")] == [(4, 1.5)]


def test_a_full_disk_ends_the_log_with_a_named_error_and_it_goes_on_later(tmp_path):
    state = make_state()
    with (
        full_disk.room_for(5000),
        pytest.raises(StorageError, match=r"log\.jsonl could not be written: File too large"),
        TrainingLog(tmp_path, state.progress, 100) as log,
    ):
        for _ in range(100):
            advance(log, state, 1)
    assert 1 < state.progress.update < 20
    state.progress.update -= 1  # that of the last checkpoint
    with TrainingLog(tmp_path, state.progress, 100) as log:
        advance(log, state, 1)
    of_loss = [row.update for row in rows(log) if row.metric == "loss"]
    assert of_loss == list(range(1, state.progress.update + 1)) and len(rows(log)) == len(of_loss) * len(OF_TRAINING)
