"""A training whose checkpoint has no room ends with a message, and goes on at the one before it."""

from functools import partial
from pathlib import Path

import full_disk
import pytest
import torch
from shared_training import train_all
from small_world import MODEL, SETTINGS

from xlm_core import history
from xlm_core.model import checkpoint
from xlm_core.train import launcher


@pytest.fixture
def arguments(world, tmp_path):
    """The arguments of ``train_all``, by the name of a run; the best weights make checkpoints larger after a while."""
    settings = SETTINGS.model_copy(update={"patience": 100}).model_dump()
    run = {"objectives": ["mlm"], "model": MODEL.model_dump(), "pretraining": settings, "compute": {}}
    run["checkpoint_minutes"] = 1e-6  # after every update
    return lambda name: {"world": world, "runs": {name: run}, "folder": tmp_path}


@pytest.fixture
def call(arguments):
    """The training of a name, as a call."""
    return lambda name: partial(train_all, **arguments(name))


def checkpoints(folder: Path) -> dict[str, int]:
    """The size of every file but the logs."""
    paths = folder.glob("work/*/*")
    return {path.name: path.stat().st_size for path in paths if path.is_file() and path.name != "log.jsonl"}


def evaluations(folder: Path) -> list[dict]:
    """What was logged of each evaluation."""
    return [row for row in history.read(folder / "history.jsonl") if row.split == "valid"]


def test_a_full_disk_costs_one_update_and_changes_nothing(call, tmp_path):
    call("straight")()
    room = checkpoints(tmp_path / "straight")["checkpoint.000000012.pt"] - 1000  # enough without the best weights
    process = full_disk.run(call("full"), room, tmp_path / "process")
    assert process.returncode == 1
    (message,) = process.stderr.splitlines()
    assert message.startswith("StorageError: ") and "checkpoint.000000004.pt could not be written" in message
    assert message.endswith(full_disk.MESSAGE)
    assert set(checkpoints(tmp_path / "full")) == {"checkpoint.000000002.pt", "checkpoint.000000003.pt"}
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["work"]

    process = full_disk.run(call("full"), -1, tmp_path / "process")
    assert process.returncode == 0, process.stderr
    assert "going on from" in (log := (tmp_path / "process" / "log").read_text()) and "checkpoint.000000003.pt" in log
    model, expected = (checkpoint.load(tmp_path / name / "model.safetensors")[0] for name in ("full", "straight"))
    assert all(torch.equal(value, expected.state_dict()[name]) for name, value in model.state_dict().items())
    assert evaluations(tmp_path / "full") == evaluations(tmp_path / "straight")
    assert checkpoints(tmp_path / "full") == checkpoints(tmp_path / "straight")


def test_of_several_processes_the_one_that_met_it_is_named(arguments, tmp_path):
    several = {"n_processes": 2, "n_nodes": 1, "work": tmp_path / "w", "log": tmp_path / "log"}
    job = partial(launcher.launch, train_all, arguments("full"), **several)
    process = full_disk.run(job, 60_000, tmp_path / "process")
    assert process.returncode == 1
    message = next(
        line for line in process.stderr.splitlines() if line.startswith("TrainingError: process 0 of 0 to 1")
    )
    assert "checkpoint.000000001.pt could not be written" in message and message.endswith(full_disk.MESSAGE)
    assert set(checkpoints(tmp_path / "full")) == {"checkpoint.000000000.pt"}
    assert list((tmp_path / "w").iterdir()) == []
