"""The log of a training: JSON lines for the curves, TensorBoard for the eye, a progress bar for the impatient."""

import json
import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from xlm_core.io import atomic, disk_full_errors
from xlm_core.metrics.loss import LossSum
from xlm_core.train.state import Progress, TrainState
from xlm_core.train.tensorboard_writer import TensorBoardWriter

LOG = logging.getLogger(__name__)
LOG_NAME = "log.jsonl"


class TrainingLog:
    """Writes what happens to ``LOG_NAME`` and ``tensorboard/`` in the work folder.

    A line is of the kind "train" (losses since the line before) or "valid" (an evaluation). Lines of updates that a
    resumed run will make again are removed when the log is opened, so each update stands there once.

    Raises:
        StorageError: there is no room for a line, on opening, writing or closing.
    """

    def __init__(self, folder: Path, progress: Progress, max_updates: int) -> None:
        self.path = folder / LOG_NAME
        _truncate(self.path, progress)
        with disk_full_errors(self.path):
            self._file = open(self.path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed in __exit__)
            self._board = TensorBoardWriter(folder / "tensorboard", purge_step=progress.update + 1)
        self._bar = tqdm(total=max_updates, initial=progress.update, unit="update", disable=None)
        self._clock = (time.monotonic(), progress.n_tokens)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with disk_full_errors(self.path), ExitStack() as stack:  # all are closed, whatever happens to one of them
            stack.callback(self._bar.close)
            stack.callback(self._board.close)
            stack.callback(self._file.close)

    def log_training(self, state: TrainState, losses: Mapping[str, LossSum]) -> None:
        """Write a line about the updates since the last one: their summed ``losses``."""
        progress = state.progress
        rate = state.optimizer.param_groups[0]["lr"]
        now = time.monotonic()
        speed = (progress.n_tokens - self._clock[1]) / max(now - self._clock[0], 1e-9)
        means = {name: tally.mean_loss for name, tally in losses.items()}
        self._write(
            {
                "kind": "train",
                "update": progress.update,
                "n_tokens": progress.n_tokens,
                "tokens_per_second": speed,
                "learning_rate": rate,
                "skipped": int(state.skipped),
                "loss": means,
            },
            {**means, "learning_rate": rate, "tokens_per_second": speed},
        )
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in means.items()}, refresh=False)
        self._bar.update(progress.update - self._bar.n)
        self.restart_clock(progress)

    def log_evaluation(self, progress: Progress, measured: Mapping[str, LossSum | float], criterion: float) -> None:
        """Write a line about an evaluation: what was ``measured``, and the ``criterion`` that judges it."""
        scores = {name: _numbers(value) for name, value in measured.items()}
        record = {"kind": "valid", "update": progress.update, "criterion": criterion, "scores": scores}
        self._write(record, {name: score["score" if "score" in score else "nats"] for name, score in scores.items()})
        text = ", ".join(
            f"{name} {score['score']:.2f}" if "score" in score else f"perplexity {name} {score['perplexity']:.2f}"
            for name, score in scores.items()
        )
        LOG.info("update %d: validation %s", progress.update, text)

    def restart_clock(self, progress: Progress) -> None:
        """Count tokens per second from now on: what was done since the last line was not training."""
        self._clock = (time.monotonic(), progress.n_tokens)

    def _write(self, record: dict[str, Any], curves: Mapping[str, float]) -> None:
        """Write a line, and what TensorBoard shows of it."""
        with disk_full_errors(self.path):
            self._file.write(json.dumps(record) + "\n")
            self._board.add_scalars(
                {f"{record['kind']}/{name}": value for name, value in curves.items()}, record["update"]
            )


def _numbers(measured: LossSum | float) -> dict[str, float]:
    """What the log says of a tally, or of a score."""
    if not isinstance(measured, LossSum):
        return {"score": measured}
    return {
        "nats": measured.mean_loss,
        "perplexity": measured.perplexity,
        "accuracy": measured.accuracy,
        "count": measured.count,
    }


def _truncate(path: Path, progress: Progress) -> None:
    """Remove the lines of updates and evaluations that are later than ``progress``, and a half-written last line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    last = {"train": progress.update, "valid": progress.evaluated}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    records = map(json.loads, whole)
    kept = [line for line, record in zip(whole, records, strict=True) if record["update"] <= last[record["kind"]]]
    with atomic(path) as partial:
        partial.write_text("".join(kept), encoding="utf-8")
