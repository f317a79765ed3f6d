"""A copy of the project with the tiny configuration, in which tests run Snakemake."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import full_disk
import yaml

ROOT = Path(__file__).parents[2]
COPIED = (
    "Snakefile",
    "rules",
    "workflow_scripts",
    "xlm_core",
    "microworld",
    "profiles",
    "envs",
    "docs",
    "config.yaml",
    "configs",
)


FINISHED = "XLM_FINISHED_TESTS"  # environment variable: a folder that keeps the finished runs for later test sessions


class Project:
    """A copy of the project with a configuration ``tiny.yaml``, and a corpus of the user's own, ``own.fr.txt``."""

    def __init__(self, folder: Path, settings: dict | None = None) -> None:
        """Copy the project into ``folder``; without ``settings``, with the tiny configuration and the own corpus."""
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                shutil.copy(source, folder / name)
        self.settings = with_own_corpus() if settings is None else settings
        self.write_settings(self.settings)
        (folder / "own.fr.txt").write_text("le chien de Leo dort\n" * 50 + "le chat voit un taxi\n" * 50)

    def write_settings(self, settings: dict) -> None:
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))

    def snakemake(
        self, *arguments: str, configuration: Sequence[str] = ("tiny.yaml",), room: int = -1
    ) -> subprocess.CompletedProcess:
        """Run Snakemake, where no file may become larger than ``room`` bytes."""
        command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", *configuration]
        limit = partial(full_disk.limit, room)
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, preexec_fn=limit)

    def waiting(self, *targets: str, **configuration: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
        """What a run would do now: rule -> number of jobs, without the targets themselves; message -> likewise."""
        targets = targets or ("all",)
        run = self.snakemake(*targets, "-n", **configuration)
        output = run.stdout + run.stderr
        assert run.returncode == 0, output
        table = re.search(r"Job stats:\njob +count\n[- ]+\n(.+?)\ntotal", output, re.DOTALL)
        rows = table.group(1).splitlines() if table else []
        rules = Counter({name: int(count) for name, count in map(str.split, rows) if name not in targets})
        return rules, Counter(re.findall(r"^Job \d+: (.+)$", output, re.MULTILINE))

    def waiting_rules(self, *targets: str, **configuration: Sequence[str]) -> Counter[str]:
        """What a run would do now: rule -> number of jobs."""
        return self.waiting(*targets, **configuration)[0]


def with_own_corpus() -> dict:
    """The tiny configuration with a corpus of the user's own, and without a language and with a pair for tests."""
    settings = read_settings("tiny")
    settings["corpora"]["own"] = {"format": "text", "keys": ["fr"], "path": "own.{key}.txt"}
    settings["monolingual"]["fr"].append("own")
    settings["xnli"]["languages"].remove("hi")
    settings["corpora"]["translations"]["keys"].append("en-hi")
    settings["microworld"]["translations"]["en-hi"] = 2200
    return settings


def read_settings(name: str) -> dict:
    """A configuration of the tests."""
    return yaml.safe_load((ROOT / "tests" / name / "config.yaml").read_text())


def finished(folder: Path, settings: dict | None = None) -> Project:
    """A project whose target ``all`` is made: in ``folder``, or where an earlier session of the same tree kept it."""
    if kept := os.environ.get(FINISHED):
        folder = Path(kept) / str((settings or with_own_corpus())["name"]) / tree_digest()
        folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder, settings)
    run = project.snakemake("all")
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
    return project


def tree_digest() -> str:
    """Digest of all files that a project copies."""
    digest = hashlib.sha256()
    for name in COPIED:
        paths = sorted((ROOT / name).rglob("*")) if (ROOT / name).is_dir() else [ROOT / name]
        for path in paths:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
