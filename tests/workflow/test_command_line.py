"""A target behind ``--configfile``, which Snakemake takes for a file."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from project import ROOT

from xlm_core.workflow.command_line import check_configuration_files


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("my.yaml", "over.json"):
        Path(name).touch()


@pytest.mark.parametrize(
    ("command", "corrected"),
    [
        ("--configfile my.yaml xnli_table", "xnli_table --configfile my.yaml"),
        ("-n --configfiles my.yaml over.json a b -c 2", "a b -n --configfiles my.yaml over.json -c 2"),
        ("--config name=x --configfile results/x.md", "results/x.md --config name=x --configfile"),
    ],
)
def test_a_target_is_refused_with_the_command_that_works(command: str, corrected: str) -> None:
    with pytest.raises(SystemExit, match=rf"Name what you want first:\n    snakemake {corrected}$"):
        check_configuration_files(command.split())


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SystemExit, match=r"^mine\.yaml: there is no such configuration file; correct"):
        check_configuration_files(["all", "--configfile", "my.yaml", "mine.yaml"])


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("xnli_table --configfile my.yaml over.json", True),
        ("--configfile my.yaml -n all", True),
        ("--configfile=my.yaml all", False),  # Snakemake takes no other word for a file here, and names a missing one
        ("--cores 2 all", False),
        ("", False),
    ],
)
def test_files_that_are_there_pass_and_no_other_word_is_taken_for_one(command: str, named: bool) -> None:
    check_configuration_files(command.split())
    Path("my.yaml").unlink()
    with pytest.raises(SystemExit, match=r"^my\.yaml: there is no such") if named else nullcontext():
        check_configuration_files(command.split())


@pytest.mark.parametrize("profile", ["default", "slurm", "generic"])
def test_every_profile_refuses_it_before_snakemake_reads_the_files(profile: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", f"profiles/{profile}"]
    run = subprocess.run(
        [*command, "--configfile", "config.yaml", "xnli_table"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].endswith(
        "xnli_table --workflow-profile profiles/" + profile + " --configfile config.yaml"
    )
