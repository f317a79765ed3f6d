"""Several processes train as one does, and a dead one ends them all. On a CPU, over Gloo."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shared_training
from small_world import COMPUTE, MODEL, SETTINGS

from xlm_core import history
from xlm_core.config import Optim
from xlm_core.errors import TrainingError
from xlm_core.train.launcher import launch

PROGRAM = Path(shared_training.__file__)


def run(objective="mlm", compute=None, checkpoint_minutes=60.0, **settings):
    """What ``shared_training.py`` needs to know of a run."""
    pretraining = SETTINGS.model_copy(update=settings).model_dump()
    compute = COMPUTE.model_copy(update=compute or {}).model_dump()
    shared = {"model": MODEL.model_dump(), "compute": compute, "checkpoint_minutes": checkpoint_minutes}
    return {"objectives": [objective], "pretraining": pretraining, **shared}


def start(world, folder, n_processes, **runs):
    """Start a program that trains ``runs``; its messages are on its standard error."""
    folder.mkdir(exist_ok=True)
    arguments = {"world": world, "n_processes": n_processes, "runs": runs}
    (folder / "arguments.json").write_text(json.dumps(arguments, default=str))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PROGRAM), str(folder / "arguments.json")]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def finish(program):
    _, message = program.communicate(timeout=600)
    assert program.returncode == 0, message


def values(folder, metric):
    """Every value of a metric in a run, in training and in evaluation."""
    return [row.value for row in history.read(folder / "history.jsonl") if row.metric == metric]


@pytest.fixture(scope="module")
def shared(world, tmp_path_factory):
    """Folders of the same runs on 1, 2 and 4 processes; their names are objective and batches per update."""
    folder = tmp_path_factory.mktemp("shared")
    runs = {
        f"{name}{n}": run(name, micro_batch_tokens=240 // n) for name in ("clm", "mlm", "tlm") for n in (2, 4, 6, 12)
    }
    runs["sharded"] = run(micro_batch_tokens=60, compute={"zero_stage1": True, "activation_checkpointing": True})
    for n_processes in (1, 2, 4):
        finish(start(world, folder / str(n_processes), n_processes, **{
            name: settings for name, settings in runs.items() if name == "sharded" or int(name[3:]) >= n_processes
        }))  # fmt: skip
    return folder


@pytest.mark.parametrize("objective", ["clm", "mlm", "tlm"])
@pytest.mark.parametrize(("n_processes", "n_accumulated"), [(2, 1), (2, 3), (4, 1), (4, 3)])
def test_several_processes_have_the_losses_of_one(shared, objective, n_processes, n_accumulated):
    """With dropout, too, for that belongs to the batch and not to the process."""
    name = f"{objective}{n_processes * n_accumulated}"
    expected, parallel = shared / "1" / name, shared / str(n_processes) / name
    assert len(values(expected, "loss")) > 12
    assert values(parallel, "loss") == pytest.approx(values(expected, "loss"), rel=1e-5)
    assert values(parallel, "n_tokens") == values(expected, "n_tokens")


@pytest.mark.parametrize("n_processes", [1, 2, 4])
def test_sharing_the_optimizer_and_computing_activations_again_changes_nothing(shared, n_processes):
    sharded, expected = shared / str(n_processes) / "sharded", shared / "1" / "mlm4"
    assert values(sharded, "loss") == pytest.approx(values(expected, "loss"), rel=1e-5)


def long_run(**settings):
    """A run of a minute or more."""
    optim = Optim(learning_rate=0.01, warmup_updates=4, max_updates=100_000)
    return run(optim=optim, eval_interval=1000, checkpoint_minutes=0.001, **settings)


def wait_for(condition, program):
    """Wait until ``condition`` holds of a program that is running."""
    while not condition():
        assert program.poll() is None, program.communicate()[1]
        time.sleep(0.05)


def workers(program):
    """Process ids of the processes that train, in the order of their ranks."""

    def children(pid):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    return [pid for pid in children(program.pid) if b"launcher" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def has_saved(folder):
    return lambda: list(folder.glob("long/work/*/checkpoint.*.pt"))


def test_a_killed_process_ends_the_others_and_is_named(world, tmp_path):
    program = start(world, tmp_path, 2, long=long_run())
    wait_for(has_saved(tmp_path), program)
    pids = workers(program)
    assert len(pids) == 2
    os.kill(pids[1], signal.SIGKILL)
    killed = time.monotonic()
    _, message = program.communicate(timeout=60)
    assert time.monotonic() - killed < 60
    assert program.returncode == 1
    killed = "was killed by SIGKILL, most likely because the memory ran out; run"
    assert re.search(rf"TrainingError: process 1 of 0 to 1 \(pid {pids[1]} on .*\) {killed}", message)
    assert alive(pids) == []
    assert not list(tmp_path.glob("launch/.*"))


def test_a_killed_launcher_leaves_no_process(world, tmp_path):
    program = start(world, tmp_path, 2, long=long_run())
    wait_for(has_saved(tmp_path), program)
    pids = workers(program)
    program.kill()
    program.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert alive(pids) == []


def test_sigterm_saves_on_all_and_another_number_of_processes_goes_on(world, tmp_path):
    program = start(world, tmp_path, 2, long=long_run())
    wait_for(has_saved(tmp_path), program)
    program.send_signal(signal.SIGTERM)
    _, message = program.communicate(timeout=60)
    assert program.returncode == 1 and "stopped by SIGTERM; run again" in message
    (last,) = sorted(tmp_path.glob("long/work/*/checkpoint.*.pt"))[-1:]
    update = int(last.name.split(".")[1])
    assert f"after update {update}; run again" in (tmp_path / "log").read_text()
    program = start(world, tmp_path, 1, long=long_run())
    wait_for(lambda: f"going on from {last}" in (tmp_path / "log").read_text(), program)
    program.kill()
    program.communicate()


def test_a_silent_process_is_named_with_what_the_others_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    arguments, work, log = {"folder": tmp_path}, tmp_path / "launch", tmp_path / "log"
    with pytest.raises(TrainingError) as raised:
        launch(shared_training.fall_silent, arguments, n_processes=3, n_nodes=1, work=work, log=log)
    pid = (tmp_path / "silent").read_text()
    silent = rf"no answer from process 1 \(pid {pid} on [^)]*\); this process waited in barrier > all_reduce_sum"
    error = rf"process [02] of 0 to 2 .* failed: TrainingError: {silent} \(Timed out waiting 2000ms"
    assert re.search(error, str(raised.value))


def test_an_error_of_the_user_is_told_once(world, tmp_path):
    program = start(world, tmp_path, 2, alone=run(micro_batch_tokens=240))
    _, message = program.communicate(timeout=600)
    assert program.returncode == 1
    assert "ConfigError: pretraining.batch_tokens (240) is 1 batches" in message
    assert "there are 2 processes" in message and "Traceback" not in message
