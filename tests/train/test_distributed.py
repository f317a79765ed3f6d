"""What falls to each of several processes; how they compute together is tested with real ones (tests/tasks)."""

import json
import signal
import stat
import subprocess
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributed.elastic.metrics import api as metrics
from torch.distributed.elastic.multiprocessing.api import SignalException

from xlm_core.errors import ConfigError, TrainingError
from xlm_core.history import ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.train import launcher
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.launcher import rendezvous_endpoint


def of_rank(rank, size):
    processes = DistributedContext()
    processes.rank, processes.size = rank, size
    return processes


def test_shares_by_eye():
    assert [list(of_rank(rank, 3).shard_range(8)) for rank in range(3)] == [[0, 1], [2, 3, 4], [5, 6, 7]]


@given(n=st.integers(0, 200), size=st.integers(1, 64))
def test_everything_falls_to_exactly_one_and_shares_are_even(n, size):
    shares = [of_rank(rank, size).shard_range(n) for rank in range(size)]
    assert [number for share in shares for number in share] == list(range(n))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(n=st.integers(0, 50), size=st.integers(1, 9))
def test_the_results_of_all_come_in_the_order_of_the_items(n, size):
    shares, computed = [], []
    for rank in range(size):
        processes = of_rank(rank, size)
        processes.all_gather = lambda share: [*shares, share, *[[0] * n] * (size - len(shares) - 1)]
        processes.map(lambda item: computed.append(item), range(n))
        results = processes.map(lambda item: 10 * item, range(n))
        shares.append([10 * item for item in range(n)[rank::size]])
    assert results == [10 * item for item in range(n)]  # of the last one, who sees the shares of all
    assert sorted(computed) == list(range(n))


@pytest.mark.parametrize("flag", [True, False])
def test_one_process_alone_keeps_its_own(flag):
    alone = DistributedContext()
    module = torch.nn.Linear(2, 2)
    tallies = {ObjectiveKey("mlm"): LossSum(torch.tensor(3.0), 2, torch.tensor(1))}
    assert alone.is_main_process
    assert alone.wrap_ddp(module) is module
    assert alone.all_reduce_sum([3, 4]) == [3, 4]
    assert bool(alone.any_process(torch.tensor(flag))) is flag
    assert alone.reduce_losses(tallies) == tallies
    assert alone.map(str, [3, 4]) == ["3", "4"]


def test_what_processes_are_to_call_is_json_in_a_folder_of_the_user_alone(tmp_path, monkeypatch):
    seen = []

    def look(path):
        seen.extend([json.loads(path.read_text()), stat.filemode(path.parent.stat().st_mode)])

    monkeypatch.setattr(launcher, "start_processes", look)
    arguments = {"folder": tmp_path, "processes": 2}
    launcher.launch(print, arguments, n_processes=2, n_nodes=1, work=tmp_path / "work", log=tmp_path / "log")
    job, mode = seen
    assert job["function"] == "builtins:print" and job["arguments"] == {"folder": str(tmp_path), "processes": 2}
    assert mode == "drwx------"
    assert not list((tmp_path / "work").iterdir())


def test_trainings_of_different_jobs_meet_at_different_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendezvous_endpoint(1) == "localhost:0"  # any free port
    points = []
    for job in ("4711", "4712"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        points.append(rendezvous_endpoint(2))
    assert len(set(points)) == 2 and all(20000 <= int(point.rpartition(":")[2]) < 30000 for point in points)
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(ConfigError, match=r"compute\.nodes is 2, but this is no job of Slurm"):
        rendezvous_endpoint(2)


def test_a_signal_that_comes_while_pytorch_starts_a_clock_is_told_as_any_other(tmp_path, monkeypatch):
    """Its decorator ``prof`` reads the time first, and its own error hides what comes then."""

    def interrupted():
        raise SignalException("a signal", signal.SIGTERM)

    monkeypatch.setattr(metrics, "time", SimpleNamespace(time=interrupted))
    with pytest.raises(TrainingError, match="stopped by SIGTERM; run again to go on from the last checkpoint"):
        launcher.launch(print, {}, n_processes=2, n_nodes=1, work=tmp_path, log=tmp_path / "log")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_processes_of_all_machines(tmp_path, monkeypatch, number):
    (tmp_path / "srun").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    wait = subprocess.Popen.wait

    def wait_interrupted(process, timeout=None):
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        signal.raise_signal(number)
        return process.wait(timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_interrupted)
    with pytest.raises(TrainingError, match=f"the processes ended with status -{signal.SIGTERM.value}"):
        launcher.launch(print, {}, n_processes=2, n_nodes=2, work=tmp_path, log=tmp_path / "log")
