"""Run a step of the workflow: its log, its named errors, its end when Snakemake dies, and the record of its job.

The record tells what a job took and what it ran on, over all its attempts. A job that is killed and begun again notes
every attempt in a separate file, and writes its record when it is done. No digest contains a record, and no step that
computes something reads one.
"""

import logging
import os
import platform
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from xlm_core import digests
from xlm_core.errors import StorageError, XlmError
from xlm_core.io import disk_full_errors, read_json, write_json
from xlm_core.results import ResultContext

LOG = logging.getLogger(__name__)
WORKFLOW = "XLM_WORKFLOW"  # environment variable: the number of the process of Snakemake that starts the steps
GRACE_SECONDS = 45  # for a training to save, before it is killed
BEAT_SECONDS = 60.0  # an attempt that is killed loses at most so much of its time
LIBRARIES = ("torch", "numpy", "sentencepiece", "sacremoses", "sacrebleu", "snakemake")
PATHS = ("attempts", "work")  # parameters that are paths, not settings
CPU_INFO = Path("/proc/cpuinfo")


@contextmanager
def workflow_step(snakemake: Any) -> Iterator[None]:
    """Run the block as the step of a rule, with ``report_errors``; record it if the rule has an output ``job``.

    The step ends when Snakemake is killed: the next run would start the same step beside it.

    Args:
        snakemake: the object that Snakemake gives to a script.
    """
    with report_errors(snakemake.log[0]):
        if number := os.environ.get(WORKFLOW):
            exit_with_process(int(number))
        with job_record(snakemake) if snakemake.output.get("job") else nullcontext():
            yield


def actual_path(snakemake: Any, path: str) -> Path:
    """Return where an input or an output lies: below the prefix of a module, or where a storage provider puts it.

    Args:
        snakemake: the object that Snakemake gives to a script.
        path: as the rules name it; or of a file in a folder that is an input.
    """
    files = [str(file) for file in (*snakemake.input, *snakemake.output)]
    for named in (Path(path), *Path(path).parents):
        for file in files:
            if file == str(named) or file.endswith(f"/{named}"):
                return Path(file) / Path(path).relative_to(named)
    raise ValueError(f"{path} is no input and no output of {snakemake.rule}")


def result_context(snakemake: Any) -> ResultContext:
    """Return what a scoring step knows of its results: the parameter ``cell`` of the rule, seeds and code digest."""
    wildcards, params = snakemake.wildcards, snakemake.params
    finetuning_seed = wildcards.get("finetuning_seed")
    return ResultContext(
        **{name: params.cell[name] for name in ("table", "system", "setting")},
        pretraining_seed=int(wildcards.seed),
        finetuning_seed=int(finetuning_seed) if finetuning_seed else None,
        code_digest=params.code,
    )


@contextmanager
def report_errors(log: str | Path) -> Iterator[None]:
    """Log to the file ``log``; exit with one message, and no traceback, at an error that the user can mend.

    A full disk is such an error wherever it is met, also in the temporary files of libraries.
    """
    try:
        with disk_full_errors(f"a file of this step ({log} says where)"):
            log_to(log)
            yield
    except XlmError as error:
        logging.exception("The step failed.")
        sys.exit(f"{type(error).__name__}: {error}")


def log_to(log: str | Path) -> None:
    """Append what this process logs to the file ``log``; the screen gets records that have ``is_shown``."""
    file, screen = _LogFile(log, encoding="utf-8"), logging.StreamHandler()
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    screen.setFormatter(logging.Formatter(f"{Path(log).parent.name} {Path(log).stem}: %(message)s"))
    screen.addFilter(lambda record: getattr(record, "is_shown", False))
    logging.basicConfig(handlers=[file, screen], level=logging.INFO, force=True)


def exit_with_process(number: int) -> None:
    """End this process when the process ``number``, which started it, has ended; at once if it already has."""
    try:
        process = os.pidfd_open(number)
    except ProcessLookupError:
        sys.exit(f"the process that started this one ({number}) has died; run the workflow again")
    threading.Thread(target=_exit_after, args=(process,), daemon=True).start()


def _exit_after(process: int) -> None:
    """Wait until the process of a file descriptor has ended, then end this one; trainings save first."""
    select.select([process], [], [])
    LOG.warning("the process that started this one has died: this one ends")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


class _LogFile(logging.FileHandler):
    """A log file that writes a message to the standard error output, on one line, if its disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Show a message that could not be logged, and why not."""
        sys.stderr.write(f"{record.getMessage()} (not in {self.baseFilename}: {sys.exception()})\n")


@contextmanager
def job_record(snakemake: Any) -> Iterator[None]:
    """Record time and hardware of the block, which is the whole of a job.

    Attempts are added to ``params.attempts``: each counts from its beginning to its end, or, if it was killed, to less
    than ``BEAT_SECONDS`` before that. When the block ends well they become ``output.job``. Attempts of a job with other
    parameters or input files are forgotten.

    Args:
        snakemake: the object that Snakemake gives to a script, which is recorded.

    Raises:
        StorageError: there is no room for the record.
    """
    path = Path(snakemake.params.attempts)
    settings = {name: value for name, value in snakemake.params.items() if name not in PATHS}
    files = [(str(file), Path(file).stat()) for file in snakemake.input]  # told apart without reading them
    job = digests.of_value([settings, [[file, status.st_size, status.st_mtime_ns] for file, status in files]])
    earlier: dict[str, Any] = read_json(path) if path.exists() else {"job": None}
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
    attempts = [*(earlier["attempts"] if earlier["job"] == job else []), attempt]
    with _heartbeat(path, {"job": job, "attempts": attempts}):
        yield
    attempt["finished"] = True
    wildcards = dict(snakemake.wildcards.items())
    record = {"rule": snakemake.rule, "wildcards": wildcards, "settings": settings, "attempts": attempts}
    write_json(Path(snakemake.output.job), record)
    path.unlink(missing_ok=True)


@contextmanager
def _heartbeat(path: Path, notes: Mapping[str, Any]) -> Iterator[None]:
    """Run the block while a thread writes the seconds of this attempt to disk from time to time."""
    begun, ended = time.monotonic(), threading.Event()

    def save() -> None:
        notes["attempts"][-1]["seconds"] = round(time.monotonic() - begun, 1)
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


def machine() -> dict[str, Any]:
    """Describe this machine: its system, processor, the cores that this process may use, and its GPUs."""
    model = re.search(r"^model name\s*: *(.*)$", CPU_INFO.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "system": platform.platform(),
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "gpus": _gpus(),
    }


def n_local_gpus() -> int:
    """Count the GPUs of this machine by their devices, without NVIDIA's libraries."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _gpus() -> list[str]:
    """List the names of the GPUs that jobs see on this machine; none without NVIDIA's driver."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError) as error:
        LOG.info("no GPU is recorded: %s", error)
        return []


def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that numbers depend on, if they are installed here."""
    installed = (package for name in LIBRARIES for package in islice(metadata.distributions(name=name), 1))
    return {"python": platform.python_version(), **{package.name: package.version for package in installed}}
