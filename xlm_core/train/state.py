"""The state of a training, and the checkpoints that let a killed one go on as if nothing had happened.

No state of a random generator is kept: all random numbers are functions of the seed and of the number of the update.
A checkpoint of one process serves any number of processes.
"""

import logging
import math
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from xlm_core.config import Optim, Pretraining, TranslationTraining, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.history import ObjectiveKey
from xlm_core.io import atomic
from xlm_core.metrics.loss import LossSum
from xlm_core.train.distributed import DistributedContext

LOG = logging.getLogger(__name__)
N_KEPT = 2  # checkpoints that are kept: the last, and one in case the last is damaged
PATTERN = "checkpoint.*.pt"
DAMAGED = (RuntimeError, EOFError, OSError, KeyError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile)


@dataclass
class Progress:
    """How far a training is.

    update            updates made
    evaluated         the update at which the model was last evaluated
    n_tokens          tokens seen, end symbols counted
    best_update       the update with the best evaluation, 0 before the first evaluation
    best              its criterion; lower is better
    evals_since_best  evaluations since then
    """

    update: int = 0
    evaluated: int = 0
    n_tokens: int = 0
    best_update: int = 0
    best: float = math.inf
    evals_since_best: int = 0


@dataclass
class TrainState:
    """Everything that changes while a model is trained.

    losses          of this process, by key, since the last line of the log
    skipped         () int64  updates skipped because their loss or gradient was not finite
    skipped_in_row  () int64  such updates since the last good one
    last_weights              weights of the last evaluations, which the next best one is averaged with
    best_weights              weights of the best evaluation; None before the first one
    """

    model: nn.Module
    optimizer: Optimizer
    progress: Progress = field(default_factory=Progress)
    losses: dict[ObjectiveKey, LossSum] = field(default_factory=dict)
    skipped: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    skipped_in_row: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    last_weights: list[dict[str, Tensor]] = field(default_factory=list)
    best_weights: dict[str, Tensor] | None = None


def training_folder(work: Path, digest: str, optim: Optim) -> Path:
    """Return the folder of a training in ``work``, and log why it does not go on from another number of updates.

    Where the learning rate of an update does not depend on the number of all, a shorter training is the first part of
    a longer one, and both have the same folder. A training that is shorter than what this folder holds has its own.

    Args:
        digest: of everything that the training depends on but its number of updates, see ``without_length``.
        optim: the schedule and the number of updates.
    """
    shared, own = work / digest, work / f"{digest}.{optim.max_updates}"
    if not optim.depends_on_max_updates and _last_update(shared) <= optim.max_updates:
        return shared
    others = {_last_update(folder): folder for folder in work.glob(f"{digest}*") if folder != own}
    made = max(others, default=0)
    if made and not _last_update(own):
        reason = "more updates cannot be taken back"
        if optim.depends_on_max_updates:
            reason = f"with the schedule {optim.schedule} the learning rate of each update depends on their number"
        message = "%d updates are trained anew, not from the %d of %s: %s"
        LOG.info(message, optim.max_updates, made, others[made], reason, extra={"is_shown": True})
    return own


def without_length(training: Pretraining | TranslationTraining) -> dict[str, Any]:
    """Return a section of the configuration as plain data, without the number of updates."""
    settings = to_dict(training)
    del settings["optim"]["max_updates"]
    return settings


def _last_update(folder: Path) -> int:
    """Return the update of the last checkpoint of a folder; 0 if there is none."""
    return max((int(path.suffixes[0].removeprefix(".")) for path in folder.glob(PATTERN)), default=0)


def mean_weights(models: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average the weights of models of the same shape."""
    return {name: torch.stack([weights[name] for weights in models]).mean(dim=0) for name in models[0]}


def save(folder: Path, state: TrainState, digest: str, processes: DistributedContext) -> None:
    """Write a checkpoint and remove those that are no longer needed; all processes call this together.

    ``digest`` is of everything that the run depends on; only a run with the same one may resume from the checkpoint.

    Raises:
        StorageError: there is no room for one more checkpoint beside those that are kept; they stay as they are.
    """
    if hasattr(state.optimizer, "consolidate_state_dict"):  # sharded: the main process receives all of its state
        state.optimizer.consolidate_state_dict()
    losses = processes.reduce_losses(state.losses)
    state.losses = losses if processes.is_main_process else {}
    if processes.is_main_process:
        content = {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "progress": asdict(state.progress),
            "losses": [(*key, loss.loss_sum, loss.count, loss.n_correct) for key, loss in losses.items()],
            "skipped": state.skipped,
            "skipped_in_row": state.skipped_in_row,
            "last_weights": state.last_weights,
            "best_weights": state.best_weights,
            "digest": digest,
        }
        with atomic(folder / f"checkpoint.{state.progress.update:09d}.pt") as partial, open(partial, "wb") as file:
            torch.save(content, file)  # not by its path, where the reason of a failed write would be lost
        for path in sorted(folder.glob(PATTERN))[:-N_KEPT]:
            path.unlink()
    processes.barrier()


def resume(folder: Path, state: TrainState, digest: str, processes: DistributedContext) -> None:
    """Restore ``state`` from the last usable checkpoint of ``folder``; leave it as it is if there are none.

    The main process checks the files and chooses. The others read the chosen one, once.

    Raises:
        CheckpointError: there are checkpoints, but each is damaged or belongs to another run.
    """
    path, content = _last_usable(folder, digest) if processes.is_main_process else (None, None)
    path = processes.all_gather(path)[0]
    if path is None:
        return
    content = content or _load(path)
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.progress = Progress(**content["progress"])
    state.skipped, state.skipped_in_row = content["skipped"], content["skipped_in_row"]
    if processes.is_main_process:
        state.losses = {ObjectiveKey(name, languages): LossSum(*loss) for name, languages, *loss in content["losses"]}
        state.last_weights, state.best_weights = content["last_weights"], content["best_weights"]
    LOG.info("going on from %s", path, extra={"is_shown": True})


def _last_usable(folder: Path, digest: str) -> tuple[Path, dict[str, Any]] | tuple[None, None]:
    """Return path and content of the last usable checkpoint of run ``digest``, if any, and remove half-written ones.

    Raises:
        CheckpointError: there are checkpoints, but none is usable.
    """
    for path in folder.glob(".*.partial"):  # half-written when a process was killed
        path.unlink()
    reasons = []
    for path in sorted(folder.glob(PATTERN), reverse=True):
        try:
            _check(path)
            content = _load(path)
            if content["digest"] != digest:
                raise CheckpointError(f"belongs to run {content['digest']}, expected {digest}")
            return path, content
        except (*DAMAGED, CheckpointError) as error:
            LOG.warning("%s is left aside: %s", path, error)
            reasons.append(f"{path.name}: {error}")
    if reasons:
        raise CheckpointError(
            f"{folder}: no checkpoint can be used ({'; '.join(reasons)}); remove the folder to start again"
        )
    return None, None


def _check(path: Path) -> None:
    """Compare the checksums of a file, which PyTorch writes but does not read; the disk's cache then has the file."""
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"damaged: wrong checksum of {broken}")


def _load(path: Path) -> dict[str, Any]:
    """Read a checkpoint into the memory of the host."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content
