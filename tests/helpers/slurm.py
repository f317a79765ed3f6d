"""A Slurm cluster on this machine, for tests: the daemons are real, the nodes and their GPUs are pretended ones.

Needs Debian's packages slurmctld, slurmd, slurm-client and munge, and root. By hand, until Ctrl-C:

    python tests/slurm.py FOLDER
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NAME = "pretended"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
CONFIGURATION = Path("/etc/slurm/slurm.conf")  # Slurm's plugin of Snakemake hides any other place from its jobs
FIRST_ADDRESS = "127.0.0."  # nodes are called by addresses of this machine: names would have to be known to it
START_SECONDS = 60


class SlurmError(Exception):
    """The cluster cannot be started, or does not do what it was asked."""


@dataclass(frozen=True)
class Cluster:
    """Nodes of the same kind, in two partitions, cpu and gpu, both of which have all of them.

    folder    where configuration, state and logs lie
    nodes     their names
    n_cpus    of one node; a job gets no more of them, but all share this machine's
    n_gpus    of one node; jobs are told their numbers, and there is nothing behind them
    """

    folder: Path
    nodes: tuple[str, ...]
    n_cpus: int = 8
    n_gpus: int = 2
    memory_mb: int = 64_000

    def control(self, *arguments: str) -> str:
        """What ``scontrol`` answers."""
        return output("scontrol", *arguments)

    def jobs(self, *states: str) -> dict[str, str]:
        """Job -> its comment, which is the rule and wildcards of Snakemake; in these states, or waiting or running."""
        lines = output("squeue", "-h", "-o", "%A %k", *(["-t", ",".join(states)] if states else [])).splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def details(self, job: str) -> dict[str, str]:
        """What Slurm knows of a job: name of a field -> value."""
        fields = self.control("--oneliner", "show", "job", job).split()
        return dict(field.split("=", 1) for field in fields if "=" in field)

    def cancel(self, job: str) -> None:
        """End a job, as its owner or an administrator would."""
        output("scancel", job)


def missing() -> str | None:
    """Why there can be no cluster here; None where there can be one."""
    absent = [name for name in PROGRAMS if not _program(name)]
    if absent:
        return f"needs Slurm's and munge's programs, of which there are none here called {', '.join(absent)}"
    if os.geteuid():
        return "needs root, for munged and slurmd"
    if CONFIGURATION.exists() and _answers():
        return f"this machine has a Slurm of its own: {CONFIGURATION}"
    return None


@contextmanager
def running(folder: Path, n_nodes: int = 2) -> Iterator[Cluster]:
    """A block in which there is a cluster, whose nodes are idle at its beginning.

    Raises:
        SlurmError: a daemon does not start, or a node does not come up.
    """
    cluster = Cluster(folder, tuple(f"{FIRST_ADDRESS}{number}" for number in range(1, n_nodes + 1)))
    _write(cluster)
    munge, configuration = folder / "munge", str(folder / "slurm.conf")
    with ExitStack() as stack:
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.unlink(missing_ok=True)  # of a cluster that was not stopped
        CONFIGURATION.symlink_to(configuration)
        stack.callback(CONFIGURATION.unlink)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={munge / name}" for option, name in files.items()]
        _start(stack, folder, "munged", "--foreground", "--force", *options)
        _start(stack, folder, "slurmctld", "-D", "-c", "-f", configuration)
        for node in cluster.nodes:
            _start(stack, folder, "slurmd", "-D", "-c", "-f", configuration, "-N", node)
        _wait_for_nodes(cluster)
        yield cluster
        subprocess.run(["scancel", "--user", "root"], check=False)
        _end_steps()


def _end_steps() -> None:
    """Kill what jobs have left behind: a node that is only said to be down does not take its processes with it."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # has ended meanwhile; not one of ours
            if f"SLURM_CLUSTER_NAME={NAME}".encode() in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)


def _program(name: str) -> str | None:
    """Where a program is; daemons are not on everyone's path."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def output(*command: str) -> str:
    """What a command of Slurm prints."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SlurmError(f"{' '.join(command)}: {run.stderr.strip()}")
    return run.stdout


def _answers() -> bool:
    """Whether the controller that the machine's configuration names is alive."""
    return " is UP" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False).stdout


def _start(stack: ExitStack, folder: Path, name: str, *arguments: str) -> None:
    """Start a daemon, which is stopped when the stack is left."""
    with (folder / f"{name}.out").open("ab") as output:
        program = subprocess.Popen([str(_program(name)), *arguments], stdout=output, stderr=output)
    stack.callback(_stop, program)


def _stop(program: subprocess.Popen[bytes]) -> None:
    program.send_signal(signal.SIGTERM)
    try:
        program.wait(timeout=20)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def _wait_for_nodes(cluster: Cluster) -> None:
    """Return when all nodes are idle."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        run = subprocess.run(
            ["sinfo", "-h", "-N", "-p", "cpu", "-o", "%T"], capture_output=True, text=True, check=False
        )
        if run.stdout.split() == ["idle"] * len(cluster.nodes):
            return
        time.sleep(0.5)
    logs = {path.name: path.read_text(errors="replace")[-500:] for path in cluster.folder.glob("*.out")}
    raise SlurmError(f"the nodes did not come up in {START_SECONDS} s: {run.stdout} {run.stderr} {logs}")


def _write(cluster: Cluster) -> None:
    """The configuration, the secret that the daemons share, and what stands for GPUs: a device it must be."""
    folder = cluster.folder
    for name in ("munge", "state", *(f"spool/{node}" for node in cluster.nodes)):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "munge").chmod(0o700)
    (folder / "munge" / "key").write_bytes(os.urandom(128))
    (folder / "munge" / "key").chmod(0o600)
    gpus = [folder / f"gpu{number}" for number in range(cluster.n_gpus)]
    for gpu in gpus:
        gpu.symlink_to(os.devnull)
    ports = _free_ports(1 + len(cluster.nodes))
    host = socket.gethostname().split(".")[0]
    shape = f"CPUs={cluster.n_cpus} RealMemory={cluster.memory_mb} Gres=gpu:{cluster.n_gpus} State=UNKNOWN"
    lines = [
        f"ClusterName={NAME}",
        f"SlurmctldHost={host}(127.0.0.1)",
        f"SlurmctldPort={ports[0]}",
        "SlurmUser=root",
        "SlurmdUser=root",
        f"AuthInfo=socket={folder / 'munge' / 'socket'}",
        f"StateSaveLocation={folder / 'state'}",
        f"SlurmdSpoolDir={folder / 'spool' / '%n'}",
        f"SlurmctldPidFile={folder / 'slurmctld.pid'}",
        f"SlurmdPidFile={folder / 'slurmd.%n.pid'}",
        "ProctrackType=proctrack/linuxproc",  # control groups are not there in every container
        "TaskPlugin=task/none",
        "JobAcctGatherType=jobacct_gather/none",
        "AccountingStorageType=accounting_storage/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_CPU_Memory",
        "SlurmdParameters=config_overrides",  # the machine may have fewer CPUs than its nodes pretend
        "ReturnToService=2",
        "MpiDefault=none",
        "KillWait=20",  # seconds from SIGTERM to SIGKILL
        "MinJobAge=3600",  # seconds for which squeue lists what has ended
        "GresTypes=gpu",
        *(
            f"NodeName={node} NodeHostname={host} NodeAddr={node} Port={port} {shape}"
            for node, port in zip(cluster.nodes, ports[1:], strict=True)
        ),
        f"PartitionName=cpu Nodes={','.join(cluster.nodes)} Default=YES MaxTime=INFINITE",
        f"PartitionName=gpu Nodes={','.join(cluster.nodes)} MaxTime=INFINITE",
    ]
    (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
    (folder / "gres.conf").write_text(
        "".join(f"NodeName={node} Name=gpu File={gpu}\n" for node in cluster.nodes for gpu in gpus)
    )


def _free_ports(n: int) -> list[int]:
    """Ports that nobody listens to."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with running(Path(sys.argv[1]).absolute()) as started:
        print(started.control("show", "nodes"), flush=True)
        signal.pause()
