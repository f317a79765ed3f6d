"""What disturbs a run of the workflow, and what is left of it: kills, disks that are full, rights that are missing."""

import base64
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from project import Project
from reduced import reduced

CONFIGURATION = ("--configfile", "tiny.yaml")
RESULTS = Path("results/tiny")
MODEL = RESULTS / "runs/base/mlm/0/model.safetensors"
OWN = "mein Text/ein wörtchen {key}.txt"  # a corpus whose path has blanks and letters of no ASCII
PATIENCE = 120  # seconds, for what takes a few


def new_project(folder: Path, retries: int = 0) -> Project:
    """The tiny configuration reduced to one run on XNLI, with a corpus of the user's own, and one that is downloaded.

    ``retries`` is how often a training is tried again within a run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder)
    settings = reduced(project.settings)
    settings["corpora"] |= {
        "own": {"format": "text", "keys": ["fr"], "path": OWN},
        "web": {"format": "text", "keys": ["en"], "url": "https://example.org/{key}.txt"},
    }
    settings["monolingual"] = {"en": ["documents", "web"], "fr": ["documents", "own"]}
    settings["pretraining"] |= {"optim": settings["pretraining"]["optim"] | {"max_updates": 200}, "eval_interval": 100}
    settings["compute"] = {"retries": retries}
    settings["mirror"] = "mirror"
    project.write_settings(settings)
    write_corpora(folder)
    return project


def write_corpora(folder: Path) -> None:
    """The texts that a run in ``folder`` reads; more of each than a page of memory holds."""
    own, mirrored = folder / OWN.format(key="fr"), folder / "mirror/example.org/en.txt"
    for path, line in ((own, "le chien numero {} dort\n"), (mirrored, "the dog number {} sleeps\n")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(map(line.format, range(2000))))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments, *CONFIGURATION]


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """Snakemake, running; what it says goes to the end of run.log."""
    with (folder / "run.log").open("a") as log:
        return subprocess.Popen(command(*arguments), cwd=folder, stdout=log, stderr=log)


# What is there --------------------------------------------------------------------------------------------------


def made(folder: Path) -> dict[str, bytes]:
    """Everything that a table is judged by: the tables themselves, without what tells of times, and the model."""
    tables = [path for path in (folder / RESULTS / "tables").iterdir() if "manifest" not in path.name]
    assert len(tables) > 5
    return {path.name: path.read_bytes() for path in [*tables, folder / MODEL]}


def recorded(folder: Path) -> dict[str, str]:
    """Output -> log of its job: of all outputs that Snakemake has recorded and does not think incomplete."""
    state = folder / ".snakemake"
    incomplete = {_name(path) for path in (state / "incomplete").rglob("*") if path.is_file()}
    logs = {}
    for path in (state / "metadata").rglob("*"):
        if path.is_file() and _name(path) not in incomplete:
            try:
                logs[_name(path)] = json.loads(path.read_text())["log"][0]
            except json.JSONDecodeError:  # half-written by a process that was killed, and ignored by the next
                continue
    return logs


def _name(path: Path) -> str:
    """The file that a file of Snakemake's own state is about."""
    parts = path.parts[path.parts.index(".snakemake") + 2 :]
    return base64.b64decode("".join(part.removeprefix("@") for part in parts)).decode()


def finished(folder: Path, expected: dict[str, str]) -> dict[str, tuple[int, int]]:
    """Which file stands under each output of the jobs that are finished, of all those that are ``expected``.

    Snakemake keeps a record of a job that failed, too, but none of its files.
    """
    logs = {output: log for output, log in recorded(folder).items() if (folder / output).exists()}
    unfinished = {log for output, log in expected.items() if output not in logs}
    outputs = [output for output, log in logs.items() if log not in unfinished]
    return {output: _identity(folder / output) for output in outputs}


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def results(folder: Path) -> set[str]:
    """What has its final name, or is half-written beside it; logs and what resumes a job are neither."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)) for path in paths}
    return {name for name in names if name.split("/")[0] not in ("logs", "benchmarks", "work") or "partial" in name}


# Kills ----------------------------------------------------------------------------------------------------------


def jobs_of(run: subprocess.Popen) -> dict[psutil.Process, str]:
    """The processes of jobs that a run of Snakemake has started, and the scripts that they run."""
    jobs = {}
    try:
        for process in psutil.Process(run.pid).children(recursive=True):
            line = " ".join(process.cmdline())
            if script := re.search(r"\.snakemake/scripts/tmp\w+\.(\w+)\.py", line):
                jobs[process] = script[1]
    except psutil.NoSuchProcess:
        pass
    return jobs


def wait_for_jobs(run: subprocess.Popen, n: int = 1) -> dict[psutil.Process, str]:
    """The jobs that run when ``n`` more have begun than there are now; none when the run has ended."""
    now, begun = jobs_of(run).keys() if n > 1 else set(), set()
    while run.poll() is None:
        jobs = jobs_of(run)
        begun |= jobs.keys() - now
        if jobs and len(begun) >= n:
            return jobs
        time.sleep(0.2)  # a job takes longer
    return {}


def kill_a_job(run: subprocess.Popen, rng: random.Random) -> str | None:
    """Kill one of the running jobs, whichever; returns the script that it ran, None where the run has ended."""
    while jobs := wait_for_jobs(run):
        victim = rng.choice(sorted(jobs, key=lambda process: process.pid))
        if victim.is_running():
            victim.kill()
            return jobs[victim]
    return None


def kill_snakemake(run: subprocess.Popen) -> tuple[list[str], float]:
    """Kill Snakemake itself; returns the scripts that ran, and the seconds until the last of them had ended."""
    jobs = jobs_of(run)
    run.kill()
    run.wait()
    begun = time.monotonic()
    while alive := [script for process, script in jobs.items() if _is_alive(process)]:
        assert time.monotonic() < begun + PATIENCE, f"jobs go on without their workflow: {alive}"
        time.sleep(0.02)
    return list(jobs.values()), time.monotonic() - begun


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process still does something; its number may be taken for a while after its end."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def farewells(folder: Path) -> int:
    """How often jobs have said, in their logs or on the screen, that they end because their workflow has died."""
    logs = [folder / "run.log", *(folder / RESULTS / "logs").rglob("*.log")]
    return sum(path.read_text().count("the process that started this one") for path in logs)


# Disks and rights -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory, of a size that can be changed, which only processes started by ``run`` see.

    folder  where those processes see it
    holder  the process that keeps it
    """

    folder: Path
    holder: int

    @property
    def content(self) -> Path:
        """Where this process sees it."""
        return Path(f"/proc/{self.holder}/root{self.folder}")

    def run(self, *arguments: str, cwd: Path = Path("/")) -> subprocess.CompletedProcess:
        enter = ["nsenter", f"--target={self.holder}", "--user", "--mount", "--preserve-credentials"]
        line = ["sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *arguments]
        return subprocess.run([*enter, *line], capture_output=True, text=True, check=False)

    def leave(self, n_bytes: int) -> None:
        """Let so much be free and no more."""
        status = os.statvfs(self.content)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        run = self.run("mount", "-o", f"remount,size={used + n_bytes}", str(self.folder))
        assert run.returncode == 0, run.stderr


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A disk at ``folder``, with much room at first.

    Raises:
        OSError: this machine lets nobody mount file systems, not even for themselves.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = f"mount -t tmpfs -o size=1g none '{folder}' && echo mounted && exec cat"
    line = ["unshare", "--map-root-user", "--mount", "sh", "-c", script]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        if holder.stdout.readline() != b"mounted\n":
            raise OSError(holder.stderr.read().decode())
        try:
            yield SmallDisk(folder, holder.pid)
        finally:
            holder.kill()


def without_privileges() -> list[str]:
    """What to put before a command so that it may write only where the rights of files say so.

    Raises:
        OSError: this is root, and its privileges cannot be dropped.
    """
    if os.geteuid() != 0:
        return []
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*drop, "true"], check=False).returncode:
        raise OSError("root may write everything, and cannot give that up here (setpriv)")
    return drop


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A block during which nothing below ``folder``, nor it itself, may be written."""
    before = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in before.items():
        path.chmod(mode & 0o7555)
    try:
        yield
    finally:
        for path, mode in before.items():
            path.chmod(mode)
