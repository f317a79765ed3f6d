"""The log of a training: JSON lines for the curves, TensorBoard files, lines for the screen, and warnings."""

import logging
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from xlm_core.config import Optim
from xlm_core.errors import TrainingError
from xlm_core.history import HistoryRow, Metrics, ObjectiveKey, Split
from xlm_core.io import disk_full_errors, write_text
from xlm_core.metrics.loss import LossSum
from xlm_core.train.state import Progress, TrainState

LOG = logging.getLogger(__name__)
LOG_NAME = "log.jsonl"
SHOWN_SECONDS = 60.0  # at least, between two lines on the screen
SHOWN_FRACTION = 0.01  # of all updates, at least, between two lines on the screen
MAX_SKIPPED_IN_ROW = 10
TIMED_UPDATES = range(5, 20)  # updates of this process that are timed to estimate the rest; the first few are slow
MIN_REDUCTION = 0.98  # a loss above this share of the baseline's is reported


class TrainingLog:
    """Writes the course of a training to ``LOG_NAME`` and ``tensorboard/`` in the work folder.

    Rows of updates that a resumed run will make again are removed when the log is opened, so each is logged once. So
    are those after the last update of a shorter training that goes on, where no interval ended.

    Raises:
        StorageError: there is no room for a row, on opening, writing or closing.
    """

    def __init__(self, folder: Path, progress: Progress, max_updates: int, log_interval: int = 1) -> None:
        self.path, last_logged = folder / LOG_NAME, progress.update - progress.update % log_interval
        _truncate(self.path, {"train": last_logged, "valid": progress.evaluated})
        with disk_full_errors(self.path):
            self._file = open(self.path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed in __exit__)
            self._board = TensorBoardWriter(folder / "tensorboard", purge_step=last_logged + 1)
        self._clock = (time.monotonic(), progress.n_tokens)
        self._begin, self._max_updates = (time.monotonic(), progress.update), max_updates
        self._shown = self._begin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with disk_full_errors(self.path), ExitStack() as stack:  # all are closed, even if one of them fails
            stack.callback(self._board.close)
            stack.callback(self._file.close)

    def log_training(self, state: TrainState, losses: Mapping[ObjectiveKey, LossSum]) -> None:
        """Write rows about the updates since the last ones: their summed ``losses``."""
        progress = state.progress
        start, n_tokens = self._clock
        numbers = {
            "n_tokens": progress.n_tokens,
            "tokens_per_second": (progress.n_tokens - n_tokens) / max(time.monotonic() - start, 1e-9),
            "learning_rate": state.optimizer.param_groups[0]["lr"],
            "skipped": int(state.skipped),
        }
        self._write("train", progress, numbers, {key: {"loss": loss.mean_loss} for key, loss in losses.items()})
        self._show(progress.update, losses, numbers["tokens_per_second"])

    def log_evaluation(self, progress: Progress, metrics: Metrics, criterion: float) -> None:
        """Write rows about an evaluation: its ``metrics``, and the ``criterion`` computed from them."""
        self._write("valid", progress, {"criterion": criterion}, metrics)
        shown = [
            f"{key} {metric} {value:.2f}"
            for key, values in metrics.items()
            for metric, value in values.items()
            if metric not in ("loss", "count")
        ]
        LOG.info("update %d: validation %s", progress.update, ", ".join(shown))

    def _show(self, update: int, losses: Mapping[ObjectiveKey, LossSum], tokens_per_second: float) -> None:
        """Log a line that the screen shows, where enough has happened since the last one."""
        now, (time_shown, update_shown), (begin, first) = time.monotonic(), self._shown, self._begin
        if now - time_shown < SHOWN_SECONDS or update - update_shown < SHOWN_FRACTION * self._max_updates:
            return
        self._shown = (now, update)
        seconds_left = (now - begin) / (update - first) * (self._max_updates - update)
        LOG.info(
            "update %d of %d: loss %s; %s tokens/s; %s left",
            update,
            self._max_updates,
            ", ".join(f"{loss.mean_loss:.2f} ({key})" for key, loss in losses.items()),
            f"{tokens_per_second:,.0f}",
            timedelta(seconds=round(seconds_left)),
            extra={"is_shown": True},
        )

    def _write(self, split: Split, progress: Progress, numbers: Mapping[str, float], metrics: Metrics) -> None:
        """Write ``numbers`` of all objectives together and ``metrics``; tokens per second are counted from now on."""
        rows = [HistoryRow(progress.update, split, None, (), metric, value) for metric, value in numbers.items()]
        for key, values in metrics.items():
            rows += [HistoryRow(progress.update, split, *key, metric, value) for metric, value in values.items()]
        with disk_full_errors(self.path):
            self._file.write("".join(row.to_json() for row in rows))
            self._board.add_scalars({row.tag: row.value for row in rows}, progress.update)
        self._clock = (time.monotonic(), progress.n_tokens)


def _truncate(path: Path, last: Mapping[Split, int]) -> None:
    """Remove the rows of each split that are of later updates than its ``last``, and a half-written last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    whole = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    kept = [line for line in whole if (row := HistoryRow.from_json(line)).update <= last[row.split]]
    write_text(path, "".join(kept))


class TensorBoardWriter:
    """Writes curves to one TensorBoard file, at once, in the thread of the caller.

    Written by hand because ``torch.utils.tensorboard.SummaryWriter`` writes in a thread. On a full disk its ``flush``
    raises the thread's error in the caller, but the thread prints a traceback as well, beside the one message for the
    user (tensorboard 2.21, ``tests/robustness/test_faults.py``: a full disk under ``finetune_xnli``).
    """

    def __init__(self, folder: Path, purge_step: int) -> None:
        """Start a file in ``folder``; TensorBoard hides points of ``purge_step`` and later of older files there."""
        folder.mkdir(parents=True, exist_ok=True)
        host, now = os.uname().nodename, f"{time.time():.6f}"  # TensorBoard reads files in the order of their names
        self._file = open(folder / f"events.out.tfevents.{now}.{host}.{os.getpid()}", "xb")  # noqa: SIM115 (``close``)
        self._records = RecordWriter(self._file)
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def add_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Write one point of each curve."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._write(Event(step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        """Write an event through to the disk, so that a full disk is noticed here."""
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._records.flush()


class ProgressMonitor:
    """Logs an estimate of the remaining time, and checks whether a training learns."""

    def __init__(self, first: int, optim: Optim, baselines: Mapping[ObjectiveKey, float]) -> None:
        """Start at update ``first``; ``baselines`` has, by key, losses of a model that has learned nothing."""
        self._first, self._optim, self._baselines = first, optim, dict(baselines)
        self._start = 0.0

    def log_remaining_time(self, state: TrainState) -> None:
        """Log once, after some updates, how long the rest will take, evaluations not counted."""
        n_done = state.progress.update - self._first
        if n_done not in (TIMED_UPDATES.start, TIMED_UPDATES.stop):
            return
        int(state.skipped)  # waits for the device, which may be behind
        now = time.monotonic()
        if n_done == TIMED_UPDATES.start:
            self._start = now
            return
        n_left = self._optim.max_updates - state.progress.update
        seconds = (now - self._start) / len(TIMED_UPDATES)
        LOG.info("%.3g s per update: %s to go, evaluations apart", seconds, timedelta(seconds=round(seconds * n_left)))

    def check(self, state: TrainState, losses: Mapping[ObjectiveKey, LossSum]) -> None:
        """Check the skipped updates and the losses since the last check; warn once of a loss at its baseline.

        Raises:
            TrainingError: too many updates in a row were skipped because their loss was not finite.
        """
        update = state.progress.update
        in_row = int(state.skipped_in_row)
        if in_row >= MAX_SKIPPED_IN_ROW:
            raise TrainingError(
                f"update {update}: the loss was not finite for {in_row} updates in a row; expected a finite one: "
                f"lower the learning rate or lengthen the warm-up (learning_rate and warmup_updates under 'optim' of "
                f"pretraining and translation; learning_rates and warmup_ratio under 'finetuning')"
            )
        for key, loss in losses.items():
            baseline = self._baselines.get(key, 0.0)
            if update > 2 * self._optim.warmup_updates and loss.mean_loss > MIN_REDUCTION * baseline > 0:
                del self._baselines[key]  # once is enough
                LOG.warning(
                    "update %d: the loss of %s is %.2f nats, that of guessing by frequency alone %.2f: the model "
                    "learns nothing from its input yet; if this stays, raise pretraining.batch_tokens, lengthen "
                    "the warm-up, or change the learning rate",
                    update,
                    key,
                    loss.mean_loss,
                    baseline,
                )
