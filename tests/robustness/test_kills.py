"""A training that is killed again and again ends as one that never was."""

import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

import pytest
import torch
from shared_training import train_all
from small_world import MODEL, SETTINGS

from xlm_core import history
from xlm_core.config import Optim
from xlm_core.model import checkpoint

N_KILLS = 20
LONGEST = 0.06  # seconds between the first update of a process and its end


@pytest.fixture
def processes(monkeypatch):
    """DistributedContext that begin with everything imported, so that most of their life is training."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # which is all that the server of forks knows
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["shared_training", "torch._dynamo"])  # the optimizer imports the latter
    return context


def test_twenty_kills_change_nothing(world, tmp_path, processes):
    """Every update is saved, so that many of the kills fall into a save."""
    optim = Optim(learning_rate=0.01, warmup_updates=20, max_updates=200)
    pretraining = SETTINGS.model_copy(update={"optim": optim, "eval_interval": 50}).model_dump()
    run = {"objectives": ["mlm", "tlm"], "model": MODEL.model_dump(), "compute": {}, "checkpoint_minutes": 1e-6}
    run["pretraining"] = pretraining

    def start(name):
        process = processes.Process(target=train_all, args=(world, {name: run}, tmp_path))
        process.start()
        return process

    rng = random.Random(0)
    updates = [0]
    for _ in range(N_KILLS):
        process = start("killed")
        while last_update(tmp_path / "killed") == updates[-1] and process.is_alive():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, LONGEST))
        assert process.is_alive(), f"it ended with status {process.exitcode} after {updates}: kill it sooner"
        process.kill()
        process.join()
        updates.append(last_update(tmp_path / "killed"))
    for name in ("killed", "straight"):
        process = start(name)
        process.join()
        assert process.exitcode == 0
    model, expected = (checkpoint.load(tmp_path / name / "model.safetensors")[0] for name in ("killed", "straight"))
    assert all(torch.equal(value, expected.state_dict()[name]) for name, value in model.state_dict().items())
    assert log(tmp_path / "killed") == log(tmp_path / "straight")
    assert files(tmp_path / "killed") == files(tmp_path / "straight")


def last_update(folder: Path) -> int:
    """The update of the last checkpoint; 0 before the first."""
    return max((int(path.name.split(".")[1]) for path in folder.glob("work/*/checkpoint.*")), default=0)


def log(folder: Path) -> list:
    """What was logged of each evaluation."""
    return [row for row in history.read(folder / "history.jsonl") if row.split == "valid"]


def files(folder: Path) -> list[str]:
    """Everything in ``folder`` but TensorBoard's files, of which each start writes one."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("events.out.tfevents")
    )
