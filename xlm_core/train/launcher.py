"""Starting the processes of a training, on one machine or several, and ending them all when one of them dies.

``launch`` runs this module as a program of its own on every machine. That program starts the machine's processes by
PyTorch's elastic launcher (the one behind ``torchrun``), watches them, and leaves a message where one fails.
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import distributed
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from xlm_core.errors import ConfigError, TrainingError, XlmError
from xlm_core.train.distributed import TIMEOUT
from xlm_core.workflow.step import log_to

LOG = logging.getLogger(__name__)
PORT = 29500  # of the first machine, where those of several meet
GRACE_SECONDS = 5  # between an error of one process and its end, so that the process which died first is the one named
SHUTDOWN_SECONDS = 45  # for the others to save or give up, before they are killed


def launch(job: Callable[[], None], *, n_processes: int, n_nodes: int, work: Path, log: Path) -> None:
    """Do ``job`` in ``n_processes`` on each of ``n_nodes`` machines at once; alone, it is simply done here.

    Args:
        job: picklable, from an importable module; in it, ``DistributedContext()`` are all of them.
        n_processes: on each machine; each uses a GPU of its own where there are any.
        n_nodes: of the Slurm job that this process belongs to; 1 needs no Slurm.
        work: a folder that all machines see.
        log: the file that all processes log to.

    Raises:
        ConfigError: a machine has fewer GPUs than processes.
        TrainingError: a process died or failed, which is named, or all were asked to end.
    """
    if n_processes * n_nodes == 1:
        job()
        return
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix=".launch.") as name:
        folder = Path(name)
        (folder / "job").write_bytes(pickle.dumps((job, n_processes, n_nodes, log)))
        command = [sys.executable, "-m", __spec__.name, str(folder)]
        if n_nodes > 1:
            # The one task of a machine starts all its processes, so it is not bound to a part of the job's cores.
            command = ["srun", f"--nodes={n_nodes}", "--ntasks-per-node=1", "--cpu-bind=none", *command]
        # The open pipe is how the program notices that this process was killed.
        with subprocess.Popen(command, stdin=subprocess.PIPE) as program, _passing_on(signal.SIGTERM, program):
            program.wait()
        messages = sorted(filter(None, (path.read_text(encoding="utf-8") for path in folder.glob("error.*"))))
        if messages or program.returncode:
            raise TrainingError(messages[0] if messages else f"the launcher ended with status {program.returncode}")


@contextmanager
def _passing_on(number: signal.Signals, program: subprocess.Popen[bytes]) -> Iterator[None]:
    """A block in which a signal to this process goes to ``program``, which then ends by itself."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen to signals
        return
    before = signal.signal(number, lambda *_: program.send_signal(number))
    try:
        yield
    finally:
        signal.signal(number, before)


def _watch_over(folder: Path) -> None:
    """Start this machine's processes and wait for them; a message in ``folder`` says what went wrong."""
    job, n_processes, n_nodes, log = pickle.loads((folder / "job").read_bytes())
    log_to(log)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # what it would say is said below
    if n_nodes == 1:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    config = LaunchConfig(
        min_nodes=n_nodes,
        max_nodes=n_nodes,
        nproc_per_node=n_processes,
        run_id=folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0" if n_nodes == 1 else f"{_first_node()}:{PORT}",
        max_restarts=0,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    try:
        elastic_launch(config, _work)(job, log)
    except ChildFailedError as error:
        _leave(folder, _explained(*error.get_first_failure(), n_processes * n_nodes))
    except SignalException as error:
        _leave(folder, f"stopped by {error.sigval.name}; run again to go on from the last checkpoint")


def _work(job: Callable[[], None], log: Path) -> None:
    """What each process does."""
    log_to(log)
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        _choose_gpu(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if has_gpu else "gloo", timeout=TIMEOUT)
    try:
        job()
    except XlmError as error:
        LOG.error("process %d: %s: %s", distributed.get_rank(), type(error).__name__, error)
        raise
    except Exception:
        LOG.exception("process %d failed", distributed.get_rank())
        time.sleep(GRACE_SECONDS)
        raise
    distributed.destroy_process_group()


def _choose_gpu(number: int) -> None:
    """Use GPU ``number`` of this machine."""
    n_gpus = torch.cuda.device_count()
    if number >= n_gpus:
        raise ConfigError(
            f"compute.gpus: found {n_gpus} GPUs on {os.uname().nodename}, expected more than {number}; "
            f"lower compute.gpus"
        )
    torch.cuda.set_device(number)


def _end_with_parent() -> None:
    """End when the process that started this one has died: its end of the pipe is closed then."""
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _first_node() -> str:
    """The name of the first machine of the Slurm job."""
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]


def _explained(rank: int, failure: ProcessFailure, n_processes: int) -> str:
    """What happened to the process that failed first."""
    who = f"process {rank} of 0 to {n_processes - 1} (pid {failure.pid} on {os.uname().nodename})"
    if failure.exitcode < 0:
        return f"{who} was killed by {failure.signal_name()}; run again to go on from the last checkpoint"
    message = failure.message if isinstance(failure.message, str) else failure.message["message"]
    return f"{who} failed: {message}"


def _leave(folder: Path, message: str) -> None:
    """Tell ``launch`` and end; where ``folder`` has no room for the message, the standard error output takes it."""
    try:
        (folder / f"error.{os.uname().nodename}.{os.getpid()}").write_text(message, encoding="utf-8")
    except OSError as error:
        sys.exit(f"{message} (not in {folder}: {error})")
    sys.exit(1)


if __name__ == "__main__":
    _watch_over(Path(sys.argv[1]))
