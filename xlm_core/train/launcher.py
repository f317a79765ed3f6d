"""Call a function in several processes, on one machine or several; the death of one process ends all.

The processes of a machine are started and watched by PyTorch's elastic launcher (the one behind ``torchrun``). Each
runs this module as a program, which reads from a JSON file what to call. On several machines ``srun`` starts this
module on each, too, to start the machine's processes.
"""

import logging
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from torch import distributed
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # PyTorch documents it, and does not list it
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, get_error_handler
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from xlm_core.errors import ConfigError, TrainingError, XlmError
from xlm_core.train.distributed import TIMEOUT
from xlm_core.train.loop import stop_signals
from xlm_core.workflow.step import exit_with_process, log_to, report_errors

LOG = logging.getLogger(__name__)
PROGRAM = (sys.executable, "-m", "xlm_core.train.launcher")
PACKAGE = Path(__file__).parents[1]
PORTS = range(20000, 30000)  # of the first of several machines, where their processes meet: one for each Slurm job
GRACE_SECONDS = 5  # between an error of one process and its end, so that the process which died first is the one named
KILLED = {  # signal -> its most likely reason
    "SIGKILL": ", most likely because the memory ran out",
    "SIGABRT": f", most likely by NCCL, whose messages say which exchange was not answered for {TIMEOUT}",
}
SHUTDOWN_SECONDS = 170  # for the others to save or give up, before they are killed; Slurm gives three minutes


def launch(
    function: Callable[..., None],
    arguments: Mapping[str, Any],
    *,
    n_processes: int,
    n_nodes: int,
    work: Path,
    log: Path,
) -> None:
    """Call ``function`` in ``n_processes`` on each of ``n_nodes`` machines; a single one is this process.

    Args:
        function: from an importable module; in it, ``DistributedContext()`` are all processes.
        arguments: by name. Other processes get them as JSON, read by the annotations of ``function`` (pydantic).
        n_processes: on each machine; each uses one GPU if there are any.
        n_nodes: of the Slurm job that this process belongs to; 1 needs no Slurm.
        work: a folder that all machines see.
        log: the file that all processes log to.

    Raises:
        ConfigError: a machine has fewer GPUs than processes.
        TrainingError: a process died or failed, which is named, or all were asked to end.
    """
    if n_processes * n_nodes == 1:
        function(**arguments)
        return
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix=".launch.") as folder:
        path = Path(folder) / "job.json"
        name = f"{function.__module__}:{function.__qualname__}"
        job = {"function": name, "arguments": arguments, "log": log, "endpoint": rendezvous_endpoint(n_nodes)}
        path.write_bytes(to_json({**job, "n_processes": n_processes, "n_nodes": n_nodes}))
        if n_nodes == 1:
            start_processes(path)
            return
        # The one task of a machine starts all its processes, so it is not bound to a part of the job's cores.
        command = ["srun", f"--nodes={n_nodes}", "--ntasks-per-node=1", "--cpu-bind=none", *PROGRAM, str(path)]
        with subprocess.Popen(command) as nodes, stop_signals(nodes.terminate):
            status = nodes.wait()
        if status:
            raise TrainingError(f"the processes ended with status {status}; {log} says which failed, and why")


def rendezvous_endpoint(n_nodes: int) -> str:
    """Return host and port where the processes meet: on several machines the first one, and a port of the Slurm job's.

    Raises:
        ConfigError: there are several machines, and no job of Slurm.
    """
    if n_nodes == 1:
        return "localhost:0"
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        raise ConfigError(f"compute.nodes is {n_nodes}, but this is no job of Slurm; use its profile, or set it to 1")
    return f"{os.uname().nodename}:{PORTS[int(job) % len(PORTS)]}"


def start_processes(path: Path) -> None:
    """Start this machine's processes of the job in the file ``path`` and wait for them.

    Raises:
        TrainingError: a process died or failed, or all were asked to end.
    """
    job = from_json(path.read_bytes())
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the errors below say the same
    config = LaunchConfig(
        min_nodes=job["n_nodes"],
        max_nodes=job["n_nodes"],
        nproc_per_node=job["n_processes"],
        run_id=path.parent.name,
        rdzv_backend="c10d",
        rdzv_endpoint=job["endpoint"],
        max_restarts=0,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    try:
        elastic_launch(config, PROGRAM[0])(*PROGRAM[1:], str(path), str(os.getpid()))
    except (SignalException, UnboundLocalError) as error:
        # A signal that comes while PyTorch's decorator prof starts its clock is hidden by an error of that decorator.
        stopped = error.__context__ if isinstance(error, UnboundLocalError) else error
        if not isinstance(stopped, SignalException):
            raise
        raise TrainingError(f"stopped by {stopped.sigval.name}; run again to go on from the last checkpoint") from None
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        last = job["n_nodes"] * job["n_processes"] - 1
        if failure.exitcode < 0:
            name = failure.signal_name()
            what = f"was killed by {name}{KILLED.get(name, '')}; run again to go on from the last checkpoint"
        else:
            what = f"failed: {failure.message if isinstance(failure.message, str) else failure.message['message']}"
        who = f"process {rank} of 0 to {last} (pid {failure.pid} on {os.uname().nodename})"
        raise TrainingError(f"{who} {what}") from None


def run_process(path: Path, parent: int) -> None:
    """Call the function of a job as one of its processes, which ends with the process ``parent``."""
    job = from_json(path.read_bytes())
    log_to(job["log"])
    exit_with_process(parent)
    try:
        join_group()
        with hang_errors():
            TypeAdapter(pkgutil.resolve_name(job["function"])).validate_json(to_json(job["arguments"]))
    except Exception as error:
        is_expected = isinstance(error, XlmError)
        LOG.error("process %s: %s: %s", os.environ["RANK"], type(error).__name__, error, exc_info=not is_expected)
        get_error_handler().record_exception(error)
        time.sleep(GRACE_SECONDS)
        sys.exit(1)
    distributed.destroy_process_group()


def join_group() -> None:
    """Join the processes of the job, over NCCL with one GPU for each process, or over Gloo without GPUs."""
    n_gpus, number = torch.cuda.device_count(), int(os.environ["LOCAL_RANK"])
    if 0 < n_gpus <= number:
        raise ConfigError(
            f"compute.gpus: found {n_gpus} GPUs on {os.uname().nodename}, expected more than {number}; "
            "lower compute.gpus"
        )
    if n_gpus:
        torch.cuda.set_device(number)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if n_gpus else "gloo", timeout=TIMEOUT)
    _store().set(f"process/{distributed.get_rank()}", f"pid {os.getpid()} on {os.uname().nodename}")


@contextmanager
def hang_errors() -> Iterator[None]:
    """Turn a wait for other processes that took too long into an error, which names those that are not waiting, too.

    Raises:
        TrainingError: a process lives but does not answer, or the network between them fails.
    """
    try:
        yield
    except RuntimeError as error:
        if "Timed out waiting" not in str(error):  # Gloo's error has no class of its own
            raise
        store = _store()
        store.set(f"waiting/{distributed.get_rank()}", "")
        time.sleep(GRACE_SECONDS)  # until the others have given up
        silent = [rank for rank in range(distributed.get_world_size()) if not store.check([f"waiting/{rank}"])]
        who = ", ".join(f"process {rank} ({store.get(f'process/{rank}').decode()})" for rank in silent)
        frames = traceback.extract_tb(error.__traceback__)[2:]
        calls = " > ".join(frame.name for frame in frames if Path(frame.filename).is_relative_to(PACKAGE))
        raise TrainingError(
            f"no answer from {who or 'the network, while all processes wait'}; this process waited in {calls} "
            f"({str(error).rpartition('] ')[2]}); look at the machine, then run again to go on from the last checkpoint"
        ) from error


def _store() -> TCPStore:
    """Connect to the names and values that all processes of the job share."""
    return TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)


if __name__ == "__main__":
    job_file, *parent_process = sys.argv[1:]
    if parent_process:
        run_process(Path(job_file), int(parent_process[0]))
    else:
        with report_errors(from_json(Path(job_file).read_bytes())["log"]):
            start_processes(Path(job_file))
