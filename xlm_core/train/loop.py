"""The training loop: updates, with evaluations, early stopping, a log and checkpoints between them."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_

from xlm_core.config import Optim, Pretraining, TranslationTraining
from xlm_core.errors import TrainingError
from xlm_core.history import Metrics, ObjectiveKey
from xlm_core.metrics.loss import LossSum, add_losses
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.log import ProgressMonitor, TrainingLog
from xlm_core.train.optimization import learning_rate, skip_step_if
from xlm_core.train.state import TrainState, mean_weights, resume, save

LOG = logging.getLogger(__name__)
RANDOM_STREAM = 5  # of dropout; each module that draws numbers has another
LINES_PER_EVALUATION = 10  # lines of the log between two evaluations
STOPPED = "stopped by SIGTERM or Ctrl-C after update {}; run again to go on from there"


@dataclass(frozen=True)
class MicroBatch:
    """One micro-batch of an update.

    key       under which its loss is logged
    count     predictions that its loss is summed over
    n_tokens  tokens of its batch
    seed      of the random numbers that are drawn while the loss is computed: dropout
    loss      computes it
    weight    that the loss is multiplied by; it is logged without it
    """

    key: ObjectiveKey
    count: int
    n_tokens: int
    seed: int
    loss: Callable[[], LossSum]
    weight: float = 1.0


@dataclass(frozen=True)
class TrainingRun:
    """Where and how a training runs.

    optim               schedule, clipping and number of updates
    folder              of checkpoints and log
    digest              of everything that the run depends on
    processes           that share the training
    eval_interval       updates between evaluations; the last update is evaluated in any case
    log_interval        updates between lines of the log
    patience            evaluations without improvement after which training ends; 0: train to the last update
    checkpoint_minutes  between checkpoints
    """

    optim: Optim
    folder: Path
    digest: str
    processes: DistributedContext
    eval_interval: int
    log_interval: int
    patience: int
    checkpoint_minutes: float

    @classmethod
    def from_settings(
        cls,
        settings: Pretraining | TranslationTraining,
        checkpoint_minutes: float,
        folder: Path,
        processes: DistributedContext,
    ) -> Self:
        """Configure a run by a section of the configuration; the name of ``folder``, a digest, identifies it."""
        interval, patience = settings.eval_interval, settings.patience
        log_interval = max(1, interval // LINES_PER_EVALUATION)
        return cls(settings.optim, folder, folder.name, processes, interval, log_interval, patience, checkpoint_minutes)


def train(
    state: TrainState,
    micro_batches: Callable[[int], Sequence[MicroBatch]],
    evaluate: Callable[[], Metrics],
    run: TrainingRun,
    *,
    criterion: Callable[[Metrics], float],
    average_last: int = 1,
    baselines: Mapping[ObjectiveKey, float] | None = None,
) -> None:
    """Train ``state.model`` from its last checkpoint, if any, to the last update, or until it no longer improves.

    All processes run this together; what depends on a clock or a signal is decided for all.

    Args:
        micro_batches: of this process in an update, a pure function of the update's number.
        evaluate: measures ``state.model`` on validation data, with the same result on every process.
        run: where and how.
        criterion, average_last: the weights of the lowest one are kept, averaged over so many evaluations up to it.
        baselines: key -> loss of a model that ignores its input; a loss that stays there is reported.

    Raises:
        CheckpointError: there are checkpoints, and none can be used.
        TrainingError: the loss was not finite for several updates, or SIGTERM or Ctrl-C came, and the state was saved.
    """
    resume(run.folder, state, run.digest, run.processes)
    progress, optim, processes = state.progress, run.optim, run.processes
    monitor, last_saved = ProgressMonitor(progress.update, optim, baselines or {}), time.monotonic()
    log_of = (run.folder, progress, optim.max_updates, run.log_interval)
    log_file = TrainingLog(*log_of) if processes.is_main_process else nullcontext()
    validate, stop = partial(_validate, state, evaluate, criterion, average_last), threading.Event()
    with log_file as log, stop_signals(stop.set):
        while True:
            # Before the update, not after it: a run that stopped between the two evaluates when it is resumed.
            if progress.update % run.eval_interval == 0:
                validate(log)
            if progress.update >= optim.max_updates or 0 < run.patience <= progress.evals_since_best:
                break
            batches = micro_batches(progress.update)
            is_time = processes.is_main_process and time.monotonic() - last_saved > 60 * run.checkpoint_minutes
            counts = sum(batch.count for batch in batches), sum(batch.n_tokens for batch in batches)
            must_end, must_save, count, n_tokens = processes.all_reduce_sum([stop.is_set(), is_time, *counts])
            if must_end or must_save:
                save(run.folder, state, run.digest, processes)
                last_saved = time.monotonic()
            if must_end:
                raise TrainingError(STOPPED.format(progress.update))
            add_losses(state.losses, train_step(state, batches, count, optim, processes))
            progress.n_tokens += n_tokens
            monitor.log_remaining_time(state)
            if progress.update % run.log_interval == 0:
                _log_losses(state, monitor, log, processes)
        # Before what only the last update has and no interval ends with: more updates would go on from here.
        save(run.folder, state, run.digest, processes)
        if progress.update % run.log_interval:
            _log_losses(state, monitor, log, processes)
        validate(log)
    if state.best_weights is not None:
        LOG.info("the best evaluation was at update %d; its weights are kept", progress.best_update)
        state.model.load_state_dict(state.best_weights)


def train_step(
    state: TrainState, batches: Sequence[MicroBatch], count: int, optim: Optim, processes: DistributedContext
) -> dict[ObjectiveKey, LossSum]:
    """Sum the gradients of all micro-batches of all processes and make one step, as ``optim`` schedules it.

    Every loss is divided by ``count``, the predictions of the whole update on all processes. The gradient therefore
    does not depend on how the update was divided, nor on which process computed what; neither does dropout, because
    each micro-batch has a seed. If a loss or the gradient is not finite the step is skipped and counted; this is
    decided on the device, without waiting for it.

    Args:
        batches: of this process.

    Returns:
        The loss of each key, of this process.
    """
    losses: dict[ObjectiveKey, LossSum] = {}
    for batch in batches:
        torch.manual_seed(batch.seed)
        with nullcontext() if batch is batches[-1] else processes.no_sync():
            loss = batch.loss()
            # PyTorch averages over the processes, but losses are summed.
            torch.autograd.backward(loss.loss_sum * (batch.weight * processes.size / max(1, count)))
        add_losses(losses, {batch.key: loss.detach()})
    norm = clip_grad_norm_(state.model.parameters(), optim.max_grad_norm)
    is_bad = processes.any_process(~torch.isfinite(norm + sum(loss.loss_sum for loss in losses.values())))
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(state.progress.update, optim)
    skip_step_if(is_bad, state.optimizer)
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.skipped = state.skipped.to(is_bad.device) + is_bad
    state.skipped_in_row = (state.skipped_in_row.to(is_bad.device) + is_bad) * is_bad
    state.progress.update += 1
    return losses


def dropout_seed(seed: int, number: int) -> int:
    """Return the seed of micro-batch ``number`` of the whole run: dropout is the same on every number of processes."""
    return int(np.random.SeedSequence([seed, RANDOM_STREAM, number]).generate_state(1, np.uint64)[0])


def _log_losses(
    state: TrainState, monitor: ProgressMonitor, log: TrainingLog | None, processes: DistributedContext
) -> None:
    """Check and log the losses since the last time."""
    losses, state.losses = processes.reduce_losses(state.losses), {}
    monitor.check(state, losses)
    if log:
        log.log_training(state, losses)


def _validate(
    state: TrainState,
    evaluate: Callable[[], Metrics],
    criterion: Callable[[Metrics], float],
    average_last: int,
    log: TrainingLog | None,
) -> None:
    """Evaluate the model, if it was not yet after this update, log the evaluation, and update the best one.

    Only the main process, which has the log, keeps weights.
    """
    progress = state.progress
    if progress.evaluated == progress.update:
        return
    with torch.compiler.set_stance("force_eager"):  # see ``compile_layers``
        metrics = evaluate()
    if not metrics:
        return
    value = criterion(metrics)
    progress.evaluated = progress.update
    progress.evals_since_best += 1
    is_best = value < progress.best
    if is_best:
        progress.best, progress.best_update, progress.evals_since_best = value, progress.update, 0
    if log and (is_best or average_last > 1):
        weights = {name: tensor.cpu().clone() for name, tensor in state.model.state_dict().items()}
        averaged = [*state.last_weights, weights]
        if is_best:
            state.best_weights = mean_weights(averaged)
        state.last_weights = averaged[max(0, len(averaged) + 1 - average_last) :]
    if log:
        log.log_evaluation(progress, metrics, value)


@contextmanager
def prefetch(
    micro_batches: Callable[[int], Sequence[MicroBatch]], end: int, depth: int = 2, workers: int = 1
) -> Iterator[Callable[[int], Sequence[MicroBatch]]]:
    """Give a function with the values of ``micro_batches``, which background threads make ``depth`` updates ahead.

    An error in the background is raised where the value is requested. Leaving the block ends the threads.

    Args:
        micro_batches: a pure function of the number of the update; with several ``workers`` it runs in any order.
        end: the number of updates.
        workers: threads.
        depth: updates.
    """
    futures: dict[int, Future[Sequence[MicroBatch]]] = {}
    threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="prefetch")

    def prefetched(update: int) -> Sequence[MicroBatch]:
        for later in range(update, min(update + 1 + depth, end)):
            if later not in futures:
                futures[later] = threads.submit(micro_batches, later)
        return futures.pop(update).result()

    try:
        yield prefetched
    finally:
        threads.shutdown(cancel_futures=True)


@contextmanager
def stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at SIGTERM or SIGINT (Ctrl-C) instead of ending the process; a later SIGINT ends it at once."""

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
