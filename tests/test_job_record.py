"""What a job took is the sum of its attempts, whatever ended them."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from xlm_core import io
from xlm_core.errors import StorageError
from xlm_core.workflow import step


class Named(dict):
    """Names and values that are attributes, too, as Snakemake gives them."""

    __getattr__ = dict.__getitem__


def job(folder: Path, rate: float = 0.1, **resources: int) -> SimpleNamespace:
    """What the script of a training knows of its job."""
    text = folder / "text"
    if not text.exists():
        text.write_text("a line\n")
    return SimpleNamespace(
        rule="train",
        wildcards=Named(run="mlm", seed="0"),
        params=Named(rate=rate, code="c0de", work="work/x", attempts=str(folder / "attempts.json")),
        input=[str(text)],
        output=Named(job=str(folder / "job.json")),
        threads=2,
        resources=Named(resources),
    )


def read(folder: Path) -> dict:
    return io.read_json(folder / "job.json")


def stop_after(seconds: float, snakemake: SimpleNamespace) -> None:
    """An attempt that is stopped by the user."""
    with pytest.raises(KeyboardInterrupt), step.job_record(snakemake):
        time.sleep(seconds)
        raise KeyboardInterrupt


def test_a_job_says_what_it_was_and_what_it_ran_on(tmp_path: Path):
    with step.job_record(job(tmp_path, gpu=4, nodes=2)):
        time.sleep(0.2)
    record = read(tmp_path)
    assert record["rule"] == "train" and record["wildcards"] == {"run": "mlm", "seed": "0"}
    assert record["settings"] == {"rate": 0.1, "code": "c0de"}  # no paths
    (attempt,) = record["attempts"]
    assert attempt["finished"] and 0.2 <= attempt["seconds"] < 2
    assert (attempt["machines"], attempt["gpus"], attempt["threads"]) == (2, 8, 2)
    assert attempt["machine"]["cpu"] and attempt["machine"]["cores"] >= 1
    assert attempt["libraries"]["python"] == sys.version.split()[0] and "torch" in attempt["libraries"]
    assert not (tmp_path / "attempts.json").exists()


def test_the_attempts_of_a_stopped_job_count(tmp_path: Path):
    stop_after(0.2, job(tmp_path))
    stop_after(0.3, job(tmp_path))
    assert not (tmp_path / "job.json").exists()
    with step.job_record(job(tmp_path)):
        pass
    attempts = read(tmp_path)["attempts"]
    assert [attempt["finished"] for attempt in attempts] == [False, False, True]
    assert attempts[0]["seconds"] >= 0.2 and attempts[1]["seconds"] >= 0.3
    with step.job_record(job(tmp_path)):  # the job is done once more, from its beginning
        pass
    assert len(read(tmp_path)["attempts"]) == 1


@pytest.mark.parametrize("changed", ["settings", "text"])
def test_attempts_at_another_job_do_not_count(tmp_path: Path, changed: str):
    stop_after(0, job(tmp_path))
    if changed == "text":
        (tmp_path / "text").write_text("another line\n")
    with step.job_record(job(tmp_path, rate=0.2 if changed == "settings" else 0.1)):
        pass
    assert len(read(tmp_path)["attempts"]) == 1


KILLED = """
import time
from types import SimpleNamespace
from xlm_core.workflow import step
from test_job_record import job
from pathlib import Path
step.BEAT_SECONDS = 0.1
with step.job_record(job(Path({folder!r}))):
    time.sleep(60)
"""


def test_a_killed_attempt_counts_up_to_its_last_beat(tmp_path: Path):
    job(tmp_path)
    command = [sys.executable, "-c", KILLED.format(folder=str(tmp_path))]
    with subprocess.Popen(command, cwd=Path(__file__).parent) as process:
        noted = 0.0
        until = time.monotonic() + 60
        while noted < 0.5 and time.monotonic() < until:
            time.sleep(0.05)
            if (tmp_path / "attempts.json").exists():
                noted = io.read_json(tmp_path / "attempts.json")["attempts"][0]["seconds"]
        process.kill()
    with step.job_record(job(tmp_path)):
        pass
    killed, last = read(tmp_path)["attempts"]
    assert killed["seconds"] >= noted >= 0.5
    assert not killed["finished"] and last["finished"]


def test_a_full_disk_does_not_hide_why_a_job_ended(tmp_path: Path, monkeypatch, caplog):
    def full(path: Path, value: object) -> None:
        raise StorageError(f"{path}: no room")

    with pytest.raises(ZeroDivisionError), step.job_record(job(tmp_path)):
        monkeypatch.setattr(step, "write_json", full)
        raise ZeroDivisionError
    assert "the time of this job is not noted" in caplog.text


def test_a_full_disk_ends_a_job_that_cannot_write_its_record(tmp_path: Path, monkeypatch):
    def full(path: Path, value: object) -> None:
        raise StorageError(f"{path}: no room")

    with pytest.raises(StorageError, match=r"job\.json"), step.job_record(job(tmp_path)):
        monkeypatch.setattr(step, "write_json", full)


def test_a_library_that_is_not_there_has_no_version(monkeypatch):
    monkeypatch.setattr(step, "LIBRARIES", ("numpy", "no-such-library"))
    assert list(step.libraries()) == ["python", "numpy"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n", None),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n", "architecture"),
    ],
)
def test_the_processor_says_its_name(tmp_path: Path, monkeypatch, text: str, name: str | None):
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(step, "CPU_INFO", tmp_path / "cpuinfo")
    assert step.machine()["cpu"] == (step.platform.machine() if name else "Some CPU @ 2 GHz")


def test_gpus_are_named_by_the_driver(tmp_path: Path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho NVIDIA H100\necho NVIDIA H100\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert step.machine()["gpus"] == ["NVIDIA H100", "NVIDIA H100"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert step.machine()["gpus"] == []
