"""The state of a training, and the checkpoints that let a killed one go on as if nothing had happened.

No state of a random generator is kept: all random numbers are functions of the seed and of the number of the update.
A checkpoint of one process serves any number of processes.
"""

import logging
import math
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from xlm_core.errors import CheckpointError
from xlm_core.io import atomic
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.optimizer import consolidated_state_dict

LOG = logging.getLogger(__name__)
N_KEPT = 2  # checkpoints that are kept: the last, and one in case the last is damaged
PATTERN = "checkpoint.*.pt"
DAMAGED = (RuntimeError, EOFError, OSError, KeyError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile)


@dataclass
class Progress:
    """How far a training is.

    update       updates made
    evaluated    the update at which the model was last evaluated
    n_tokens     tokens seen, end symbols counted
    best_update  the update with the best evaluation, 0 before the first evaluation
    best         its criterion, which is to become small
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

    skipped         () int64  updates skipped because their loss or gradient was not finite
    skipped_in_row  () int64  such updates since the last good one
    last_weights              weights of the last evaluations, as many as the best ones are a mean of
    best_weights              weights of the best evaluation; None where they are not to be kept
    """

    model: nn.Module
    optimizer: Optimizer
    progress: Progress = field(default_factory=Progress)
    skipped: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    skipped_in_row: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    last_weights: list[dict[str, Tensor]] = field(default_factory=list)
    best_weights: dict[str, Tensor] | None = None


def mean_weights(models: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average the weights of models of the same shape."""
    return {name: torch.stack([weights[name] for weights in models]).mean(dim=0) for name in models[0]}


def save(folder: Path, state: TrainState, digest: str, processes: DistributedContext) -> None:
    """Write a checkpoint and remove those that are no longer needed; all processes do this together.

    ``digest`` is of everything that the run depends on; only a run with the same one may go on from here.

    Raises:
        StorageError: there is no room for one more checkpoint beside those that are kept; they stay as they are.
    """
    optimizer = consolidated_state_dict(state.optimizer)
    if processes.is_main_process:
        content = {
            "digest": digest,
            "progress": vars(state.progress),
            "model": state.model.state_dict(),
            "optimizer": optimizer,
            "skipped": state.skipped,
            "skipped_in_row": state.skipped_in_row,
            "last_weights": state.last_weights,
            "best_weights": state.best_weights,
        }
        with atomic(folder / f"checkpoint.{state.progress.update:09d}.pt") as partial, open(partial, "wb") as file:
            torch.save(content, file)  # not by its path, where the reason of a failed write would be lost
        for path in sorted(folder.glob(PATTERN))[:-N_KEPT]:
            path.unlink()
    processes.barrier()


def resume(folder: Path, state: TrainState, digest: str, processes: DistributedContext) -> bool:
    """Put the last checkpoint of ``folder`` that can be used into ``state``; returns whether there was any checkpoint.

    Raises:
        CheckpointError: there are checkpoints, but each is damaged or belongs to another run.
    """
    if processes.is_main_process:
        _sweep(folder)
    reasons = []
    for path in sorted(folder.glob(PATTERN), reverse=True):
        try:
            content = _read(path, digest)
        except (*DAMAGED, CheckpointError) as error:
            LOG.warning("%s is left aside: %s", path, error)
            reasons.append(f"{path.name}: {error}")
            continue
        _restore(content, state, processes)
        LOG.info("going on from %s", path)
        return True
    if reasons:
        found = "; ".join(reasons)
        raise CheckpointError(f"{folder}: no checkpoint can be used ({found}); remove the folder to start again")
    return False


def _sweep(folder: Path) -> None:
    """Remove what a process left half-written when it was killed."""
    for path in folder.glob(".*.partial"):
        path.unlink()


def _read(path: Path, digest: str) -> dict[str, Any]:
    """The content of a checkpoint of run ``digest``; checksums are compared, which PyTorch writes but does not read."""
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"damaged: wrong checksum of {broken}")
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if content["digest"] != digest:
        raise CheckpointError(f"belongs to run {content['digest']}, expected {digest}")
    return content


def _restore(content: dict[str, Any], state: TrainState, processes: DistributedContext) -> None:
    """Put ``content`` into ``state``."""
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.progress = Progress(**content["progress"])
    state.skipped = content["skipped"]
    state.skipped_in_row = content["skipped_in_row"]
    if processes.is_main_process:
        state.last_weights, state.best_weights = content["last_weights"], content["best_weights"]
