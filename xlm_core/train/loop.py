"""The loop: update after update, with evaluations, early stopping, a log and checkpoints."""

import logging
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from xlm_core.config import Optim, Pretraining, TranslationTraining
from xlm_core.errors import TrainingError
from xlm_core.metrics.loss import LossSum, add
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import TrainingLog
from xlm_core.train.monitor import ProgressMonitor
from xlm_core.train.schedule import learning_rate
from xlm_core.train.state import TrainState, mean, save
from xlm_core.train.step import Part, make_update

LOG = logging.getLogger(__name__)
LINES_PER_EVALUATION = 10  # lines of the log between two evaluations


@dataclass(frozen=True)
class Intervals:
    """When the loop looks up from its work.

    eval_interval  updates between evaluations; the last update is evaluated in any case
    log_every       updates between lines of the log
    patience        evaluations without improvement after which training ends; 0 to go on to the last update
    checkpoint_minutes    between checkpoints
    """

    eval_interval: int
    log_every: int
    patience: int
    checkpoint_minutes: float

    @classmethod
    def of(cls, settings: Pretraining | TranslationTraining, checkpoint_minutes: float) -> "Intervals":
        """That of a training with evaluations, and some lines of the log between them."""
        every = settings.eval_interval
        return cls(every, max(1, every // LINES_PER_EVALUATION), settings.patience, checkpoint_minutes)


Measured = Mapping[str, LossSum | float]  # what an evaluation found: tallies of predictions, and scores such as BLEU


def mean_nats(measured: Measured) -> float:
    """The loss per prediction, averaged over the tallies, so that each language counts alike."""
    return statistics.fmean(tally.mean_nats for tally in measured.values() if isinstance(tally, LossSum))


def train(
    state: TrainState,
    parts_of: Callable[[int], Sequence[Part]],
    evaluate: Callable[[], Measured],
    *,
    optim: Optim,
    rhythm: Intervals,
    folder: Path,
    digest: str,
    processes: DistributedContext,
    criterion: Callable[[Measured], float] = mean_nats,
    keep: int = 0,
    unlearned: Mapping[str, float] | None = None,
) -> None:
    """Train ``state.model`` from where ``state`` stands to the last update, or until it no longer improves.

    All processes run this together; what depends on a clock or a signal is decided for all.

    Args:
        parts_of: this process's micro-batches of an update, a pure function of its number.
        evaluate: measures ``state.model`` on validation data, with the same result on every process.
        digest: of everything that the run depends on.
        criterion: judges an evaluation; the smaller the better.
        keep: 0: the last weights stay; n: at the end those of the best evaluation, averaged with n - 1 before it.
        unlearned: name -> loss that a model reaches which learns nothing of its input; one that stays there is told.

    Raises:
        TrainingError: the loss was not finite for several updates in a row, or a process was asked to end (SIGTERM):
            the state is saved then.
    """
    progress = state.progress
    log_losses = _due(rhythm.log_every, optim.max_updates)
    evaluate_now = _due(rhythm.eval_interval, optim.max_updates)
    watch = ProgressMonitor(progress.update, optim, unlearned or {})
    losses, saved = dict[str, LossSum](), time.monotonic()
    log_file = TrainingLog(folder, progress, optim.max_updates) if processes.is_first else nullcontext()
    with log_file as log, _termination() as asked_to_end:
        while True:
            # before the update, not after it: a run that was stopped between the two evaluates when it goes on
            if evaluate_now(progress.update) and progress.evaluated < progress.update:
                _judge(state, evaluate(), log, criterion, keep)
            if progress.update >= optim.max_updates or 0 < rhythm.patience <= progress.stale:
                break
            parts = parts_of(progress.update)
            is_time = processes.is_first and time.monotonic() - saved > 60 * rhythm.checkpoint_minutes
            must_end, must_save, count, n_tokens = processes.totals([asked_to_end.is_set(), is_time, *_sizes(parts)])
            if must_end or must_save:
                save(folder, state, digest, processes)
                saved = time.monotonic()
            if must_end:
                raise TrainingError(f"stopped by SIGTERM after update {progress.update}; run again to go on from there")
            rate = learning_rate(progress.update, optim)
            add(losses, make_update(state, parts, count, rate, optim.max_grad_norm, processes))
            progress.n_tokens += n_tokens
            watch.estimate(state)
            if log_losses(progress.update):
                _tell(state, processes.add_up(losses), watch, log)
                losses = {}
    save(folder, state, digest, processes)
    _take_best(state)


def _sizes(parts: Sequence[Part]) -> tuple[int, int]:
    """Predictions and tokens of this process's part of an update."""
    return sum(part.count for part in parts), sum(part.n_tokens for part in parts)


def _tell(state: TrainState, losses: Mapping[str, LossSum], watch: ProgressMonitor, log: TrainingLog | None) -> None:
    """Look at the losses since the last line of the log, and write one."""
    watch.check(state, losses)
    if log:
        log.training(state, losses)


def _take_best(state: TrainState) -> None:
    """Put the weights of the best evaluation into the model, where they were kept."""
    if state.best_weights is not None:
        LOG.info("the best evaluation was at update %d; its weights are kept", state.progress.best_update)
        state.model.load_state_dict(state.best_weights)


def _due(every: int, last: int) -> Callable[[int], bool]:
    """Whether something that happens at each ``every``-th and at the ``last`` update happens at a given one."""
    return lambda update: update > 0 and (update % every == 0 or update == last)


def _judge(
    state: TrainState,
    measured: Measured,
    log: TrainingLog | None,
    criterion: Callable[[Measured], float],
    keep: int,
) -> None:
    """Log an evaluation and remember whether it was the best."""
    progress = state.progress
    progress.evaluated = progress.update
    if not measured:
        return
    value = criterion(measured)
    progress.stale += 1
    if keep and log:
        weights = {name: value.cpu().clone() for name, value in state.model.state_dict().items()}
        state.last_weights = [*state.last_weights, weights][-keep:]
    if value < progress.best:
        progress.best, progress.best_update, progress.stale = value, progress.update, 0
        if keep and log:
            state.best_weights = mean(state.last_weights)
    if log:
        log.evaluation(progress, measured, value)
        log.restart_clock(progress)


@contextmanager
def _termination() -> Iterator[threading.Event]:
    """An event that is set when the process is asked to end (SIGTERM), which then does not end it at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may listen to signals
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
