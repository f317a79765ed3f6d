"""The profile for other schedulers, by programs that pretend to be theirs: what is asked for, and what is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from project import Project

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "profiles" / "generic"
# Of a job of 4 cores, 8000 MB, 25 hours and 1 minute: walltimes are no minutes but with Slurm. Memory is that of all
# cores, but with Grid Engine.
JOB = ("tokenize", "text=base,shard=0", "4", "8000", "1501")
NAME = "tokenize.text.base.shard.0"
ASKED = {
    "slurm": ("sbatch", ["--cpus-per-task=4", "--mem=8000", "--time=1501"], ["--gpus=2"]),
    "pbs": ("qsub", ["walltime=25:01:00", "select=1:ncpus=4:mem=8000mb:ngpus=2"], []),
    "sge": ("qsub", ["-pe", "smp", "4", "h_vmem=2000M", "h_rt=25:01:00"], ["gpu=2"]),
    "lsf": ("bsub", ["-n", "4", "-M", "8000", "-W", "25:01", "span[hosts=1] rusage[mem=8000]"], ["-gpu", "num=2"]),
}
ANSWERS = {"lsf": "Job <17> is submitted to queue <normal>."}
# PBS: runs a job when it is submitted, with what it says in the file that was asked for, and as name.
QSUB = """#!/bin/sh
printf '%s\\n' "$@" >> {folder}/asked
while [ $# -gt 1 ]; do
  [ "$1" != -o ] || log=$2
  shift
done
number=$(($(ls {folder}/jobs | wc -l) + 1))
: > {folder}/jobs/$number
{{ echo "node7: the job begins" > "$log"; sh "$1" >> "$log" 2>&1; echo "Exit_status = $?" > {folder}/jobs/$number; }} \\
  > /dev/null 2>&1 &
echo $number.server
"""
QSTAT = '#!/bin/sh\necho "    job_state = R"\ncat "{folder}/jobs/${{3%.server}}"\n'


def command(folder: Path, name: str, text: str) -> None:
    """A program in ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess:
    """A script of the profile in ``folder``, where it meets the programs there."""
    path = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", str(PROFILE / script), *arguments], cwd=folder, env=path, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("n_gpus", ["0", "2"])
@pytest.mark.parametrize("scheduler", ASKED)
def test_a_job_is_asked_for_in_the_scheduler_s_own_words(tmp_path: Path, scheduler: str, n_gpus: str):
    program, expected, on_gpus = ASKED[scheduler]
    answer = ANSWERS.get(scheduler, "17")
    command(tmp_path, program, f"#!/bin/sh\nprintf '%s\\n' \"$@\" > asked\necho '{answer}'\n")
    submitted = run(tmp_path, "submit.sh", scheduler, *JOB, n_gpus, "job.sh")
    assert (submitted.returncode, submitted.stdout) == (0, "17\n"), submitted.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[-1] == "job.sh" and any(argument.removeprefix("--job-name=") == NAME for argument in asked)
    assert {text if n_gpus == "2" else text.removesuffix(":ngpus=2") for text in expected} <= set(asked)
    assert set(on_gpus) <= set(asked) if n_gpus == "2" else not set(on_gpus) & set(asked)
    (log,) = (argument.removeprefix("--output=") for argument in asked if argument.endswith(".log"))
    assert Path(log).parent == tmp_path / ".snakemake" / "cluster_logs" and Path(log).name.startswith(f"{NAME}.")


def test_names_have_no_letter_that_a_scheduler_refuses(tmp_path: Path):
    command(tmp_path, "qsub", "#!/bin/sh\necho $3\n")
    submitted = run(tmp_path, "submit.sh", "pbs", "download", "example.org/a b:c*.gz", *JOB[2:], "0", "job.sh")
    assert submitted.stdout == "download.example.org.a.b.c..gz\n"


def test_a_refused_job_is_an_error(tmp_path: Path):
    command(tmp_path, "qsub", "#!/bin/sh\necho 'qsub: Unknown queue' >&2\nexit 170\n")
    refused = run(tmp_path, "submit.sh", "pbs", *JOB, "0", "job.sh")
    assert refused.returncode == 170 and refused.stderr == "qsub: Unknown queue\n"
    unknown = run(tmp_path, "submit.sh", "condor", *JOB, "0", "job.sh")
    assert unknown.returncode == 2 and "'condor'; expected slurm, pbs, sge or lsf" in unknown.stderr


@pytest.mark.parametrize(
    ("scheduler", "program", "says", "status"),
    [
        ("slurm", "squeue", "RUNNING", "running"),
        ("slurm", "squeue", "COMPLETED", "success"),
        ("slurm", "sacct", "OUT_OF_ME+", "failed"),
        ("slurm", "sacct", "", "running"),
        ("pbs", "qstat", "Job Id: 17.server\n    job_state = R", "running"),
        ("pbs", "qstat", "    job_state = F\n    Exit_status = 0", "success"),
        ("pbs", "qstat", "    job_state = F\n    Exit_status = 271", "failed"),
        ("pbs", "qstat", "    job_state = C\n    exit_status = 0", "success"),
        ("pbs", "qstat", "    job_state = F", "failed"),  # deleted before it began
        ("pbs", "qstat", "", "running"),
        ("sge", "qstat", "job_number: 17", "running"),
        ("sge", "qacct", "failed       0\nexit_status  0", "success"),
        ("sge", "qacct", "failed       100\nexit_status  137", "failed"),
        ("lsf", "bjobs", "PEND", "running"),
        ("lsf", "bjobs", "DONE", "success"),
        ("lsf", "bjobs", "EXIT", "failed"),
    ],
)
def test_what_a_scheduler_says_of_a_job_is_understood(
    tmp_path: Path, scheduler: str, program: str, says: str, status: str
):
    for name in ("squeue", "sacct", "qstat", "qacct", "bjobs"):
        command(tmp_path, name, f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n" if name == program else "#!/bin/sh\nexit 1\n")
    asked = run(tmp_path, "status.sh", scheduler, "17")
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, f"{status}\n", "")


@pytest.mark.robustness
def test_snakemake_submits_by_it_and_what_the_scheduler_said_is_kept(tmp_path: Path):
    """To a pretended PBS: a job that succeeds, and one that fails."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="pip install -e '.[cluster-generic]'")
    for name in ("project", "jobs"):
        (tmp_path / name).mkdir()
    project, programs = Project(tmp_path / "project"), tmp_path / "programs"
    command(programs, "qsub", QSUB.format(folder=tmp_path))
    command(programs, "qstat", QSTAT.format(folder=tmp_path))
    profile = project.folder / "profiles" / "generic" / "config.yaml"
    profile.write_text(profile.read_text().replace(".sh slurm", ".sh pbs").replace("scancel", "qdel"))

    def made(own: str) -> subprocess.CompletedProcess:
        (project.folder / "own.fr.txt").write_bytes(own.encode("latin-1"))
        arguments = ["--workflow-profile", "profiles/generic", "--configfile", "tiny.yaml"]
        arguments += ["--latency-wait", "5", "--retries", "0", "--seconds-between-status-checks", "1"]
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "results/tiny/text/own/fr/statistics.json", *arguments],
            cwd=project.folder,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    name = "extract.corpus.own.key.fr"
    done = made("le chien dort\n" * 100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name, "walltime=24:00:00"} <= set((tmp_path / "asked").read_text().splitlines())
    failed = made("\xff\n" * 3)
    assert failed.returncode == 1 and "rule extract" in failed.stdout + failed.stderr
    logs = sorted((project.folder / ".snakemake" / "cluster_logs").glob(f"{name}.*.log"))
    assert len(logs) == 2 and all("node7: the job begins" in log.read_text() for log in logs)
    assert "CorpusError" in logs[1].read_text()


def test_the_profile_names_one_scheduler():
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text())
    submit, status = (profile[f"cluster-generic-{name}-cmd"].split() for name in ("submit", "status"))
    assert submit[2] == status[2] == "slurm"
