"""The training loop: updates, with evaluations, early stopping, a log and checkpoints between them."""

import logging
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from xlm_core.config import Optim, Pretraining, TranslationTraining
from xlm_core.errors import TrainingError
from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import TrainingLog
from xlm_core.train.monitor import ProgressMonitor
from xlm_core.train.schedule import learning_rate
from xlm_core.train.state import TrainState, mean_weights, save
from xlm_core.train.step import MicroBatch, train_step

LOG = logging.getLogger(__name__)
LINES_PER_EVALUATION = 10  # lines of the log between two evaluations

Metrics = Mapping[str, LossSum | float]  # of an evaluation: sums of losses, and scores such as BLEU


@dataclass(frozen=True)
class Intervals:
    """When a training evaluates, logs, stops and saves.

    eval_interval       updates between evaluations; the last update is evaluated in any case
    log_interval        updates between lines of the log
    patience            evaluations without improvement after which training ends; 0: train to the last update
    checkpoint_minutes  between checkpoints
    """

    eval_interval: int
    log_interval: int
    patience: int
    checkpoint_minutes: float

    @classmethod
    def from_settings(cls, settings: Pretraining | TranslationTraining, checkpoint_minutes: float) -> Self:
        """Take the intervals of a section of the configuration, with ten lines of the log between evaluations."""
        interval = settings.eval_interval
        return cls(interval, max(1, interval // LINES_PER_EVALUATION), settings.patience, checkpoint_minutes)


@dataclass(frozen=True)
class TrainingRun:
    """Where and how a training runs.

    optim      schedule, clipping and number of updates
    intervals  of evaluations, log and checkpoints
    folder     of checkpoints and log
    digest     of everything that the run depends on
    processes  that share the training
    """

    optim: Optim
    intervals: Intervals
    folder: Path
    digest: str
    processes: DistributedContext


def mean_loss(metrics: Metrics) -> float:
    """Average the loss per prediction over the sets, so that each language counts alike."""
    return statistics.fmean(loss.mean_loss for loss in metrics.values() if isinstance(loss, LossSum))


def train(
    state: TrainState,
    micro_batches: Callable[[int], Sequence[MicroBatch]],
    evaluate: Callable[[], Metrics],
    run: TrainingRun,
    *,
    criterion: Callable[[Metrics], float] = mean_loss,
    average_last: int = 0,
    baselines: Mapping[str, float] | None = None,
) -> None:
    """Train ``state.model`` from ``state`` on to the last update, or until it no longer improves.

    All processes run this together; what depends on a clock or a signal is decided for all.

    Args:
        micro_batches: those of this process in an update, a pure function of the update's number.
        evaluate: measures ``state.model`` on validation data, with the same result on every process.
        run: where and how.
        criterion: of the best evaluation; lower is better.
        average_last: 0: keep the last weights; n: end with the mean weights of the best evaluation and n - 1 before it.
        baselines: name -> loss of a model that ignores its input; a loss that stays there is reported.

    Raises:
        TrainingError: the loss was not finite for several updates in a row, or a process got SIGTERM, after which the
            state was saved.
    """
    progress, optim, intervals, processes = state.progress, run.optim, run.intervals, run.processes
    monitor = ProgressMonitor(progress.update, optim, baselines or {})
    losses, last_saved = dict[str, LossSum](), time.monotonic()
    log_file = TrainingLog(run.folder, progress, optim.max_updates) if processes.is_main_process else nullcontext()
    with log_file as log, _sigterm_event() as terminated:
        while True:
            # Before the update, not after it: a run that stopped between the two evaluates when it is resumed.
            if _is_due(progress.update, intervals.eval_interval, optim) and progress.evaluated < progress.update:
                _record_evaluation(state, evaluate(), log, criterion, average_last)
            if progress.update >= optim.max_updates or 0 < intervals.patience <= progress.evals_since_best:
                break
            batches = micro_batches(progress.update)
            is_time = processes.is_main_process and time.monotonic() - last_saved > 60 * intervals.checkpoint_minutes
            count, n_tokens = sum(batch.count for batch in batches), sum(batch.n_tokens for batch in batches)
            must_end, must_save, count, n_tokens = processes.all_reduce_sum(
                [terminated.is_set(), is_time, count, n_tokens]
            )
            if must_end or must_save:
                save(run.folder, state, run.digest, processes)
                last_saved = time.monotonic()
            if must_end:
                raise TrainingError(f"stopped by SIGTERM after update {progress.update}; run again to go on from there")
            rate = learning_rate(progress.update, optim)
            add_losses(losses, train_step(state, batches, count, rate, optim.max_grad_norm, processes))
            progress.n_tokens += n_tokens
            monitor.log_remaining_time(state)
            if _is_due(progress.update, intervals.log_interval, optim):
                _log_losses(state, processes.reduce_losses(losses), monitor, log)
                losses = {}
    save(run.folder, state, run.digest, processes)
    _restore_best(state)


def _is_due(update: int, interval: int, optim: Optim) -> bool:
    """Tell whether something that happens every ``interval`` updates and after the last one happens now."""
    return update > 0 and (update % interval == 0 or update == optim.max_updates)


def _log_losses(
    state: TrainState, losses: Mapping[str, LossSum], monitor: ProgressMonitor, log: TrainingLog | None
) -> None:
    """Check the losses since the last line of the log, and write a line."""
    monitor.check(state, losses)
    if log:
        log.log_training(state, losses)


def _restore_best(state: TrainState) -> None:
    """Load the weights of the best evaluation into the model, where they were kept."""
    if state.best_weights is not None:
        LOG.info("the best evaluation was at update %d; its weights are kept", state.progress.best_update)
        state.model.load_state_dict(state.best_weights)


def _record_evaluation(
    state: TrainState,
    metrics: Metrics,
    log: TrainingLog | None,
    criterion: Callable[[Metrics], float],
    average_last: int,
) -> None:
    """Log an evaluation and update the best one; only the main process, which has the log, keeps weights."""
    progress = state.progress
    progress.evaluated = progress.update
    if not metrics:
        return
    value = criterion(metrics)
    progress.evals_since_best += 1
    if average_last and log:
        weights = {name: tensor.cpu().clone() for name, tensor in state.model.state_dict().items()}
        state.last_weights = [*state.last_weights, weights][-average_last:]
    if value < progress.best:
        progress.best, progress.best_update, progress.evals_since_best = value, progress.update, 0
        if average_last and log:
            state.best_weights = mean_weights(state.last_weights)
    if log:
        log.log_evaluation(progress, metrics, value)
        log.restart_clock(progress)


@contextmanager
def _sigterm_event() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM sets instead of ending the process."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread may listen to signals
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
