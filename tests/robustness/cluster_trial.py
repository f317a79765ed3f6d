"""What tests/robustness/test_cluster.py has no time for, by hand: walltime, another executor, all targets.

    PYTHONPATH=.:tests/helpers python tests/robustness/cluster_trial.py FOLDER [walltime] [generic] [all]

Everything is made in FOLDER, by a Slurm of two pretended nodes; a line says what was found.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import slurm
import torch
import yaml
from project import Project
from reduced import reduced
from safetensors.torch import load_file
from test_cluster import RUN, WORK, jobs_of, submitted, wait_for, went_on

GENERIC = ("--workflow-profile", "profiles/generic", "--latency-wait", "20")
TINY = ("--configfile", "tiny.yaml")


def new_project(folder: Path, **settings: object) -> Project:
    """The reduced configuration, with other settings."""
    folder.mkdir()
    project = Project(folder)
    project.write_settings(reduced(project.settings) | settings)
    return project


def came_from(project: Project) -> str:
    """The checkpoint from which the last pretraining went on."""
    return went_on(project)[-1]


def finish(run: subprocess.Popen, project: Project) -> float:
    """Wait for the end of a run, which must be a good one."""
    begun = time.monotonic()
    if run.wait():
        sys.exit((project.folder / "run.log").read_text()[-5000:])
    return time.monotonic() - begun


def walltime(cluster: slurm.Cluster, folder: Path) -> str:
    """A training of several minutes, in jobs that have two, and the same on this machine, which nothing ends."""
    before = cluster.jobs("all")
    project = new_project(folder, compute={"retries": 20}, checkpoint_minutes=10.0)
    longer = {"pretraining": {"optim": {"max_updates": 20_000}, "eval_interval": 5000}}
    (folder / "longer.yaml").write_text(yaml.safe_dump(longer))
    short = ("--set-resources", "pretrain:runtime=2", "pretrain:slurm_extra='--signal=TERM@20'")
    model = f"{RUN}/model.safetensors"
    finish(submitted(project, model, *TINY, "longer.yaml", *short), project)
    jobs = [cluster.details(job) for job in jobs_of(cluster, "pretrain", "all") if job not in before]
    weights, last = load_file(folder / model), came_from(project)
    shutil.rmtree(folder / WORK)
    alone = project.snakemake(model, "--forcerun", "pretrain", configuration=("tiny.yaml", "longer.yaml"))
    expected = load_file(folder / model)
    if alone.returncode or not all(torch.equal(weights[name], expected[name]) for name in expected):
        sys.exit(f"not the model of a training without interruption {alone.stderr[-5000:]}")
    seen = ", ".join(f"{job['JobState']} after {job['RunTime']}" for job in jobs)
    return (
        f"{len(jobs)} jobs of two minutes ({seen}), the last from {last}; the model of a training without interruption"
    )


def generic(cluster: slurm.Cluster, folder: Path) -> str:
    """The other profile, with a training that is cancelled."""
    project = new_project(folder)
    run = submitted(project, "xnli_table", *TINY, options=GENERIC)
    wait_for(lambda: list((folder / WORK).glob("*/checkpoint.*")), run)
    cluster.cancel(slurm.output("squeue", "-h", "-n", "pretrain.setup.base.run.mlm.seed.0", "-o", "%A").split()[0])
    finish(run, project)
    return f"cluster-generic: made, the training went on from {came_from(project)}"


def everything(cluster: slurm.Cluster, folder: Path) -> str:
    """All targets of the tiny configuration, on the nodes' pretended GPUs."""
    folder.mkdir()
    project = Project(folder)
    (folder / "gpus.yaml").write_text("compute: {gpus: 1}\n")
    seconds = finish(submitted(project, "all", *TINY, "gpus.yaml"), project)
    return f"{len(cluster.jobs('all'))} jobs so far; all targets in {seconds / 60:.0f} minutes"


TRIALS = {"walltime": walltime, "generic": generic, "all": everything}

if __name__ == "__main__":
    top = Path(sys.argv[1]).absolute()
    with slurm.running(top / "slurm") as started:
        for name in sys.argv[2:] or TRIALS:
            print(f"{name}: {TRIALS[name](started, top / name)}", flush=True)
