"""The XNLI table through a storage provider, of a module with a prefix, and jobs in an image."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from project import Project, read_settings

MODULE = """
configfile: "tiny.yaml"


module xlm:
    snakefile: "project/Snakefile"
    config: config
    prefix: "models"


use rule * from xlm as xlm_*
"""

# Pretends to be apptainer: runs the command here, with the folders that are bound in the place of those they are bound
# to, and writes down what it was asked.
APPTAINER = """#!{python}
import os, sys
if sys.argv[1] == "--version":
    sys.exit(print("apptainer version 1.3.4"))
bound = [argument for before, argument in zip(sys.argv, sys.argv[1:]) if before == "--bind"]
os.environ["PYTHONPATH"] = ":".join(folder.partition(":")[0] for folder in bound)
with open("{asked}", "a") as file:
    file.write(" ".join(sys.argv[-4:-2]) + chr(10))
os.execvp(sys.argv[-3], sys.argv[-3:])
"""


@pytest.fixture
def settings() -> dict:
    """The quick configuration without the corpus that lies in the working directory, and with half the jobs of text."""
    settings = read_settings("quick")
    settings["text"]["n_shards"] = 1
    del settings["corpora"]["own"]
    settings["monolingual"]["fr"].remove("own")
    return settings


def assert_made(folder: Path) -> None:
    tidy = pd.read_csv(folder / "xnli.tidy.csv")
    assert len(tidy) == 5 * 4 and tidy["mean"].notna().all()
    assert (folder / "xnli.manifest.json").stat().st_size > 0


@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_storage_plugin_fs") is None, reason="needs the storage plugin fs"
)
@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync, by which the storage plugin copies")
def test_a_storage_provider_without_a_shared_file_system(tmp_path: Path, settings: dict):
    (tmp_path / "project").mkdir()
    project, storage = Project(tmp_path / "project", settings), tmp_path / "storage"
    arguments = ["xnli_table", "--default-storage-provider", "fs", "--default-storage-prefix", str(storage)]
    arguments += ["--shared-fs-usage", "none", "--local-storage-prefix", str(tmp_path / "local")]
    run = project.snakemake(*arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    assert_made(storage / "results" / "quick" / "tables")
    assert not list((project.folder / "results").rglob("*.store"))
    assert "Nothing to be done" in project.snakemake(*arguments).stderr


def test_a_module_with_a_prefix(tmp_path: Path, settings: dict):
    (tmp_path / "project").mkdir()
    Project(tmp_path / "project", settings)
    (tmp_path / "Snakefile").write_text(MODULE)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(settings))

    def snakemake(*arguments: str) -> str:
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    snakemake("xlm_xnli_table")
    assert_made(tmp_path / "models" / "results" / "quick" / "tables")
    assert Counter(path.name for path in (tmp_path / "results" / "quick").iterdir()) == Counter(["work"])
    assert "Nothing to be done" in snakemake("xlm_xnli_table", "-n", "--rerun-triggers", "mtime", "params", "input")


def test_jobs_run_in_the_image_that_is_named(tmp_path: Path):
    for name in ("project", "programs"):
        (tmp_path / name).mkdir()
    project, program = Project(tmp_path / "project"), tmp_path / "programs" / "apptainer"
    program.write_text(APPTAINER.format(python=sys.executable, asked=tmp_path / "asked"))
    program.chmod(0o755)
    project.write_settings(project.settings | {"compute": {"container": "xlm.sif"}})
    command = [sys.executable, "-m", "snakemake", "results/tiny/text/own/fr/statistics.json", "--sdm", "apptainer"]
    command += ["--configfile", "tiny.yaml", "--apptainer-args=--nv"]
    # In the image there is no project, only what is bound.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"

    def run() -> subprocess.CompletedProcess:
        return subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)

    refused = run()
    assert refused.returncode == 1
    assert "config.compute.container: xlm.sif does not exist" in refused.stdout + refused.stderr
    (project.folder / "xlm.sif").touch()
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "asked").read_text().splitlines() == ["xlm.sif bash"]
