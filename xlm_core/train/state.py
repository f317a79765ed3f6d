"""The state of a training, and the checkpoints that let a killed one go on as if nothing had happened."""

import logging
import math
import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from xlm_core.errors import CheckpointError
from xlm_core.files import atomic

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
    stale        evaluations since then
    """

    update: int = 0
    evaluated: int = 0
    n_tokens: int = 0
    best_update: int = 0
    best: float = math.inf
    stale: int = 0


@dataclass
class TrainState:
    """Everything that changes while a model is trained.

    skipped         () int64  updates skipped because their loss or gradient was not finite
    skipped_in_row  () int64  such updates since the last good one
    best_weights              weights of the best evaluation; None where they are not to be kept
    """

    model: nn.Module
    optimizer: Optimizer
    progress: Progress = field(default_factory=Progress)
    skipped: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    skipped_in_row: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.int64))
    best_weights: dict[str, Tensor] | None = None


def save(folder: Path, state: TrainState, digest: str) -> None:
    """Write a checkpoint and remove those that are no longer needed.

    ``digest`` is of everything that the run depends on; only a run with the same one may go on from here.
    """
    content = {
        "digest": digest,
        "progress": vars(state.progress),
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "skipped": state.skipped,
        "skipped_in_row": state.skipped_in_row,
        "best_weights": state.best_weights,
        "random": torch.get_rng_state(),
        "random_gpu": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with atomic(folder / f"checkpoint.{state.progress.update:09d}.pt") as partial:
        torch.save(content, partial)
    for path in sorted(folder.glob(PATTERN))[:-N_KEPT]:
        path.unlink()


def resume(folder: Path, state: TrainState, digest: str) -> bool:
    """Put the last readable checkpoint of ``folder`` into ``state``; returns whether there was any checkpoint.

    Raises:
        CheckpointError: the checkpoint belongs to another run, or none of several is readable.
    """
    paths = sorted(folder.glob(PATTERN), reverse=True)
    for path in paths:
        try:
            content = _read(path)
        except DAMAGED as error:
            LOG.warning("%s is damaged and left aside (%s)", path, error)
            continue
        _restore(path, content, state, digest)
        LOG.info("going on from %s", path)
        return True
    if paths:
        raise CheckpointError(f"{folder}: all {len(paths)} checkpoints are damaged; remove the folder to start again")
    return False


def _read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, whose checksums PyTorch writes but does not check."""
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"wrong checksum of {broken}")
    return torch.load(path, map_location="cpu", weights_only=True)


def _restore(path: Path, content: dict[str, Any], state: TrainState, digest: str) -> None:
    """Put ``content`` into ``state`` and into the random generators."""
    if content.get("digest") != digest:
        raise CheckpointError(
            f"{path}: belongs to run {content.get('digest')}, expected {digest}; give each run a folder of its own"
        )
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    state.progress = Progress(**content["progress"])
    state.skipped = content["skipped"]
    state.skipped_in_row = content["skipped_in_row"]
    state.best_weights = content["best_weights"]
    torch.set_rng_state(content["random"])
    if content["random_gpu"]:
        torch.cuda.set_rng_state_all(content["random_gpu"])
