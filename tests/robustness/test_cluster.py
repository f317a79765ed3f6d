"""The workflow on a cluster: what its jobs ask for, and a real Slurm of two nodes that takes some of them away."""

import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import slurm
import torch
import yaml
from project import Project
from reduced import reduced
from safetensors.torch import load_file

from xlm_core import history

pytest.importorskip("snakemake_executor_plugin_slurm", reason="pip install -e '.[slurm]'")

SLURM = ("--workflow-profile", "profiles/slurm")
# Of a cluster without accounting, on one disk, whose jobs are short.
HURRIED = (
    "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "20"
)  # fmt: skip
RUN = "results/tiny/runs/base/mlm/0"
WORK = "results/tiny/work/pretrain/base.mlm.0"
LOG = "results/tiny/logs/pretrain/base.mlm.0.log"
TABLE = "results/tiny/tables/xnli"
ON_GPUS = {
    "pretrain", "finetune_xnli", "score_xnli", "score_retrieval", "finetune_glue", "score_glue", "train_translator",
    "score_translation", "score_perplexity",
}  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Cluster]:
    if reason := slurm.missing():
        pytest.skip(reason)
    try:
        with slurm.running(tmp_path_factory.mktemp("slurm")) as cluster:
            yield cluster
    except slurm.SlurmError as error:
        pytest.skip(f"no Slurm could be started: {error}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    project.write_settings(reduced(project.settings))
    return project


def submitted(project: Project, *arguments: str, options: Sequence[str] = (*SLURM, *HURRIED)) -> subprocess.Popen:
    """Snakemake, submitting; what it says goes to run.log."""
    command = [sys.executable, "-m", "snakemake", *options, *arguments]
    with (project.folder / "run.log").open("w") as log:
        return subprocess.Popen(command, cwd=project.folder, stdout=log, stderr=log)


def wait_for(condition: Callable[[], list], run: subprocess.Popen) -> list:
    """What is found, as soon as there is any."""
    while not (what := condition()):
        assert run.poll() is None, "the run ended first"
        time.sleep(0.1)
    return what


def jobs_of(cluster: slurm.Cluster, rule: str, *states: str) -> list[str]:
    """The jobs of a rule, in their order."""
    jobs = cluster.jobs(*states).items()
    return sorted((job for job, comment in jobs if re.match(rf"rule_{rule}(_wildcards|$)", comment)), key=int)


def losses(project: Project) -> list[float]:
    """The loss of every update that was logged."""
    rows = history.read(project.folder / RUN / "history.jsonl")
    return [row.value for row in rows if (row.split, row.objective, row.metric) == ("train", "mlm", "loss")]


def went_on(project: Project) -> list[str]:
    """The checkpoint from which the last job of the training went on; empty where it is at its beginning."""
    log = project.folder / LOG
    return re.findall(r"going on from .+/(checkpoint\.0*[1-9]\d*)\.pt", log.read_text() if log.exists() else "")


@dataclass(frozen=True)
class Disturbance:
    """A node that was taken away under a training.

    job       that ran there
    node      which was drained, and then went down
    drained   the job's state while the node was drained
    """

    job: str
    node: str
    drained: str


@pytest.fixture(scope="module")
def disturbance(cluster: slurm.Cluster, project: Project) -> Disturbance:
    """The table is made, while tokenizing and pretraining are each cancelled once, and a node is lost."""
    run = submitted(project, "xnli_table", "--configfile", "tiny.yaml")
    cluster.cancel(wait_for(lambda: jobs_of(cluster, "tokenize", "RUNNING"), run)[0])
    wait_for(lambda: list((project.folder / WORK).glob("*/checkpoint.*")), run)
    cluster.cancel(jobs_of(cluster, "pretrain", "RUNNING")[0])
    wait_for(lambda: went_on(project), run)
    job = jobs_of(cluster, "pretrain", "RUNNING")[-1]
    node = cluster.details(job)["NodeList"]
    cluster.control("update", f"nodename={node}", "state=drain", "reason=test")
    seen = Disturbance(job, node, drained=cluster.details(job)["JobState"])
    cluster.control("update", f"nodename={node}", "state=down", "reason=test")
    failed = run.wait()
    cluster.control("update", f"nodename={node}", "state=resume")
    assert not failed, (project.folder / "run.log").read_text()[-5000:]
    return seen


@pytest.fixture(scope="module")
def disturbed(project: Project, disturbance: Disturbance) -> Project:
    """The project, with its table."""
    assert disturbance.node
    return project


def test_the_table_is_made_though_jobs_were_cancelled_and_a_node_was_lost(disturbed: Project):
    assert "| XLM (MLM)" in (disturbed.folder / f"{TABLE}.md").read_text()
    assert disturbed.waiting_rules("xnli_table").total() == 0


def test_a_job_stays_on_a_drained_node_and_leaves_one_that_is_down(cluster: slurm.Cluster, disturbance: Disturbance):
    """Slurm itself begins it again, on the other node, where all later jobs go."""
    assert disturbance.drained == "RUNNING"
    later = [job for job in cluster.jobs("all") if int(job) >= int(disturbance.job)]
    states = [cluster.details(job) for job in later]
    assert {(job["JobState"], job["NodeList"]) for job in states} == {
        ("COMPLETED", next(node for node in cluster.nodes if node != disturbance.node))
    }
    assert [job["JobId"] for job in states if job["Restarts"] == "1"] == [disturbance.job]


def test_what_was_cancelled_was_tried_again(cluster: slurm.Cluster, disturbed: Project):
    """Text with twice the memory; a training as it was, for it goes on where it was."""
    asked = {
        rule: sorted(cluster.details(job)["MinMemoryNode"] for job in jobs_of(cluster, rule, "all"))
        for rule in ("tokenize", "pretrain", "build_store")
    }
    assert asked == {
        "tokenize": ["1000M", "1000M", "2000M"], "pretrain": ["4000M", "4000M"], "build_store": ["1000M", "1000M"]
    }  # fmt: skip
    assert not jobs_of(cluster, "download", "all") + jobs_of(cluster, "make_xnli_table", "all")


def test_an_interrupted_training_goes_on_and_ends_as_one_that_was_not(disturbed: Project):
    """And so does the table."""
    assert went_on(disturbed)
    table, model = disturbed.folder / f"{TABLE}.tidy.csv", disturbed.folder / RUN / "model.safetensors"
    weights, cells = load_file(model), table.read_text()
    shutil.rmtree(disturbed.folder / WORK)
    run = disturbed.snakemake("xnli_table", "--forcerun", "pretrain")
    assert run.returncode == 0, run.stderr
    assert not went_on(disturbed)
    expected = load_file(model)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert table.read_text() == cells


def test_two_nodes_have_the_losses_of_one_process(cluster: slurm.Cluster, disturbed: Project):
    alone = losses(disturbed)
    several = {"compute": {"nodes": 2, "processes": 1}, "pretraining": {"optim": {"max_updates": 100}}}
    (disturbed.folder / "several.yaml").write_text(yaml.safe_dump(several))
    shutil.rmtree(disturbed.folder / WORK)
    run = submitted(disturbed, f"{RUN}/model.safetensors", "--configfile", "tiny.yaml", "several.yaml")
    assert run.wait() == 0, (disturbed.folder / "run.log").read_text()[-5000:]
    assert cluster.details(jobs_of(cluster, "pretrain", "all")[-1])["NumNodes"] == "2"
    assert "on 2 processes" in (disturbed.folder / LOG).read_text()
    together = losses(disturbed)
    assert len(together) > 3 and together == pytest.approx(alone[: len(together)], rel=1e-4)


def listed_jobs(project: Project, *arguments: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rule and resources of every job of a dry run."""
    run = project.snakemake(*SLURM, *arguments, "-n", configuration=["configs/paper.yaml"])
    assert run.returncode == 0, run.stderr
    for rule, block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", run.stdout + run.stderr, re.MULTILINE):
        if resources := re.search(r"^    resources: (.+)$", block, re.MULTILINE):
            yield rule, dict(resource.split("=", 1) for resource in resources.group(1).split(", ") if "=" in resource)


def test_every_job_of_the_paper_says_what_it_needs(tmp_path: Path):
    """On a machine without GPUs, as a login node is."""
    project = Project(tmp_path)
    for path in (tmp_path / "rules").glob("*.smk"):  # a job that has a message does not list its resources
        path.write_text(re.sub(r"^ +message:\n(?: +\".*\n)+", "", path.read_text(), flags=re.MULTILINE))
    asked = defaultdict(list)
    for rule, resources in listed_jobs(project, "all"):
        asked[rule].append(resources)
    assert sum(map(len, asked.values())) <= 2000
    for rule, jobs in asked.items():
        for job in jobs:
            if rule != "score_embeddings":  # by the size of files that are not there yet
                assert 500 <= int(job["mem_mb"]) <= 128_000, rule
            assert 10 <= int(job["runtime"]) <= (7200 if rule == "train_word_vectors" else 2880), rule
        n_gpus = {(job.get("gpu", "0"), job.get("gres", "gpu:0"), job.get("nodes", "1")) for job in jobs}
        expected = {"pretrain": ("0", "gpu:8", "8"), "train_translator": ("8", "gpu:0", "1")}
        single = ("1" if rule in ON_GPUS else "0", "gpu:0", "1")
        assert n_gpus == {expected.get(rule, single)}, rule
    assert set(asked) >= ON_GPUS
