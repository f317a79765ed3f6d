"""The XNLI table through a storage provider, without a shared file system, and of a module with a prefix."""

import importlib.util
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


@pytest.fixture
def settings() -> dict:
    """The quick configuration without the corpus that lies in the working directory."""
    settings = read_settings("quick")
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
