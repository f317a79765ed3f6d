"""Jobs: what each took and on what it ran, over all its attempts.

A job that is killed and begun again notes every attempt in a file of its own, and writes its record when it is done.
Nothing of this enters a digest, or is read by a step that computes something: it decides nothing.
"""

import logging
import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from xlm_core import digests
from xlm_core.errors import StorageError
from xlm_core.io import read_json, write_json

LOG = logging.getLogger(__name__)
BEAT_SECONDS = 60.0  # so much of an attempt is lost at most that is killed and cannot say how long it was
LIBRARIES = ("torch", "numpy", "sentencepiece", "sacremoses", "sacrebleu", "snakemake")
PATHS = ("attempts", "work")  # parameters that say where a job puts things, which is no setting of it
CPU_INFO = Path("/proc/cpuinfo")


@contextmanager
def job_record(snakemake: Any) -> Iterator[None]:
    """A block, the whole of a job, whose time and hardware are recorded.

    Attempts are added to ``params.attempts``: each counts from its beginning to its end, or, if it was killed, to less
    than ``BEAT_SECONDS`` before that. When the block ends well they become ``output.job``. Attempts of a job with other
    parameters or input files are no attempts of this one, and are forgotten.

    Args:
        snakemake: what a script knows of its job; this is the one place to take it whole, for it is what is recorded.

    Raises:
        StorageError: there is no room for the record.
    """
    path = Path(snakemake.params.attempts)
    settings = {name: value for name, value in snakemake.params.items() if name not in PATHS}
    job = digests.of_value([settings, [_seen(file) for file in snakemake.input]])
    n_nodes = snakemake.resources.get("nodes", 1)
    attempt = {
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "finished": False,
        "machines": n_nodes,
        "threads": snakemake.threads,
        "gpus": n_nodes * snakemake.resources.get("gpu", 0),
        "machine": machine(),
        "libraries": libraries(),
    }
    notes = {"job": job, "attempts": [*_earlier(path, job), attempt]}
    with _heartbeat(path, notes):
        yield
    attempt["finished"] = True
    about = {"rule": snakemake.rule, "wildcards": dict(snakemake.wildcards.items()), "settings": settings}
    write_json(Path(snakemake.output.job), {**about, "attempts": notes["attempts"]})
    path.unlink(missing_ok=True)


@contextmanager
def _heartbeat(path: Path, notes: Mapping[str, Any]) -> Iterator[None]:
    """A block during which the seconds of the last attempt grow, on disk from time to time."""
    attempt, begun, ended = notes["attempts"][-1], time.monotonic(), threading.Event()

    def save() -> None:
        attempt["seconds"] = round(time.monotonic() - begun, 1)
        try:
            write_json(path, notes)
        except StorageError as error:  # which must not end a job that needs no more room, nor hide why one ended
            LOG.warning("the time of this job is not noted: %s", error)

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            save()

    save()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        save()


def _seen(file: str) -> list[str | int]:
    """What tells, without reading it, whether a file is the one that an earlier attempt read."""
    status = Path(file).stat()
    return [str(file), status.st_size, status.st_mtime_ns]


def _earlier(path: Path, job: str) -> list[dict[str, Any]]:
    """The attempts that were made at this job so far."""
    if not path.exists():
        return []
    notes = read_json(path)
    return notes["attempts"] if notes["job"] == job else []


def machine() -> dict[str, Any]:
    """What this machine is: its system, its processor, the cores that this process may use, and its GPUs."""
    return {
        "system": platform.platform(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "gpus": _gpus(),
    }


def _cpu() -> str:
    """What the processor calls itself, or its architecture where it does not say."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _gpus() -> list[str]:
    """The names of the GPUs that jobs see on this machine; none where NVIDIA's driver is not there."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError) as error:
        LOG.info("no GPU is recorded: %s", error)
        return []


def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that numbers depend on, as far as they are installed here."""
    return {"python": platform.python_version(), **dict(_versions(LIBRARIES))}


def _versions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            LOG.info("%s is not installed here, and no version of it recorded", name)
