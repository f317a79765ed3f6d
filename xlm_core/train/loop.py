"""The loop: update after update, with evaluations, early stopping, a log and checkpoints."""

import logging
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_

from xlm_core.config import Optim
from xlm_core.errors import TrainingError
from xlm_core.tally import Tally
from xlm_core.train.log import TrainingLog
from xlm_core.train.schedule import learning_rate
from xlm_core.train.state import TrainState, save

LOG = logging.getLogger(__name__)
MAX_SKIPPED_IN_ROW = 10


@dataclass(frozen=True)
class Part:
    """One micro-batch of an update.

    name      under which its loss is logged
    count     predictions that its loss is summed over
    n_tokens  tokens of its batch
    loss      computes it
    """

    name: str
    count: int
    n_tokens: int
    loss: Callable[[], Tally]


@dataclass(frozen=True)
class Rhythm:
    """When the loop looks up from its work.

    evaluate_every  updates between evaluations; the last update is evaluated in any case
    log_every       updates between lines of the log
    patience        evaluations without improvement after which training ends; 0 to go on to the last update
    save_minutes    between checkpoints
    """

    evaluate_every: int
    log_every: int
    patience: int
    save_minutes: float


def mean_nats(tallies: Mapping[str, Tally]) -> float:
    """The loss per prediction, averaged over the tallies, so that each language counts alike."""
    return statistics.fmean(tally.mean_nats for tally in tallies.values())


def train(
    state: TrainState,
    loss_of_update: Callable[[int], Sequence[Part]],
    evaluate: Callable[[], Mapping[str, Tally]],
    *,
    optim: Optim,
    rhythm: Rhythm,
    folder: Path,
    digest: str,
    criterion: Callable[[Mapping[str, Tally]], float] = mean_nats,
    keep_best: bool = False,
) -> None:
    """Train ``state.model`` from where ``state`` stands to the last update, or until it no longer improves.

    Args:
        state: is changed.
        loss_of_update: the micro-batches of an update, a pure function of its number.
        evaluate: measures ``state.model`` on validation data.
        optim: the schedule and its length.
        rhythm: of evaluations, log lines and checkpoints.
        folder: of the log and the checkpoints.
        digest: of everything that the run depends on.
        criterion: judges an evaluation; the smaller the better.
        keep_best: put the weights of the best evaluation back at the end.

    Raises:
        TrainingError: the loss was not finite for several updates in a row, or the process was asked to end
            (SIGTERM); it has saved its state then, and goes on from there when it is started again.
    """
    progress = state.progress
    log_losses = _due(rhythm.log_every, optim.max_updates)
    evaluate_now = _due(rhythm.evaluate_every, optim.max_updates)
    saved = time.monotonic()
    with TrainingLog(folder, progress, optim.max_updates) as log, _termination() as asked_to_end:
        while True:
            # before the update, not after it: a run that was stopped between the two evaluates when it goes on
            if evaluate_now(progress.update) and progress.evaluated < progress.update:
                _judge(state, evaluate(), log, criterion, keep_best)
                log.restart_clock(progress)
            if progress.update >= optim.max_updates or 0 < rhythm.patience <= progress.stale:
                break
            rate = learning_rate(progress.update, optim)
            log.count(make_update(state, loss_of_update(progress.update), rate, optim.clip_norm))
            if log_losses(progress.update):
                log.training(state, rate)
                _check_skipped(state)
            if asked_to_end.is_set() or time.monotonic() - saved > 60 * rhythm.save_minutes:
                save(folder, state, digest)
                saved = time.monotonic()
            if asked_to_end.is_set():
                raise TrainingError(f"stopped by SIGTERM after update {progress.update}; run again to go on from there")
    save(folder, state, digest)
    if state.best_weights is not None:
        LOG.info("the best evaluation was at update %d; its weights are kept", progress.best_update)
        state.model.load_state_dict(state.best_weights)


def make_update(state: TrainState, parts: Sequence[Part], rate: float, clip_norm: float) -> dict[str, Tally]:
    """Add up the gradients of all ``parts`` and make one step with learning rate ``rate``.

    Every loss is divided by the predictions of the whole update, so that the gradient does not depend on how it
    was cut into parts. If the loss or the gradient is not finite the step is left out and counted; that is decided
    on the device, without waiting for it.

    Returns:
        The loss of each name.
    """
    count = max(1, sum(part.count for part in parts))
    losses: dict[str, Tally] = {}
    for part in parts:
        tally = part.loss()
        (tally.nats / count).backward()
        tally = tally.detach()
        losses[part.name] = losses[part.name] + tally if part.name in losses else tally
    norm = clip_grad_norm_(state.model.parameters(), clip_norm)
    is_bad = ~torch.isfinite(norm + sum(tally.nats for tally in losses.values()))
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.found_inf = is_bad.float()  # the fused kernel leaves the weights alone where this is 1
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.skipped = state.skipped.to(is_bad.device) + is_bad
    state.skipped_in_row = (state.skipped_in_row.to(is_bad.device) + is_bad) * is_bad
    state.progress.update += 1
    state.progress.n_tokens += sum(part.n_tokens for part in parts)
    return losses


def _due(every: int, last: int) -> Callable[[int], bool]:
    """Whether something that happens at each ``every``-th and at the ``last`` update happens at a given one."""
    return lambda update: update > 0 and (update % every == 0 or update == last)


def _judge(
    state: TrainState,
    tallies: Mapping[str, Tally],
    log: TrainingLog,
    criterion: Callable[[Mapping[str, Tally]], float],
    keep_best: bool,
) -> None:
    """Log an evaluation and remember whether it was the best."""
    progress = state.progress
    progress.evaluated = progress.update
    if not tallies:
        return
    value = criterion(tallies)
    log.evaluation(progress, tallies, value)
    progress.stale += 1
    if value < progress.best:
        progress.best, progress.best_update, progress.stale = value, progress.update, 0
        if keep_best:
            state.best_weights = {name: value.cpu().clone() for name, value in state.model.state_dict().items()}


def _check_skipped(state: TrainState) -> None:
    """Stop a training that no longer trains."""
    in_row = int(state.skipped_in_row)
    if in_row >= MAX_SKIPPED_IN_ROW:
        raise TrainingError(
            f"update {state.progress.update}: the loss was not finite for {in_row} updates in a row; "
            f"expected a finite one: lower optim.learning_rate or lengthen optim.warmup_updates"
        )


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
