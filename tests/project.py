"""A copy of the project with the tiny configuration, in which tests run Snakemake."""

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

ROOT = Path(__file__).parent.parent
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


class Project:
    """A copy of the project with the tiny configuration, and a corpus of the user's own beside the generated ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        settings = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text())
        settings["corpora"]["own"] = {"format": "text", "keys": ["fr"], "path": "own.{key}.txt"}
        settings["monolingual"]["fr"].append("own")
        # A language and a pair that are there, and that tests add.
        settings["xnli"]["languages"].remove("hi")
        settings["corpora"]["translations"]["keys"].append("en-hi")
        settings["microworld"]["translations"]["en-hi"] = 2200
        self.settings = settings
        self.write_settings(settings)
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

    def waiting_jobs(self) -> Counter[str]:
        """What a run would do now: message -> how often."""
        run = self.snakemake("all", "-n")
        assert run.returncode == 0, run.stderr
        return Counter(re.findall(r"^Job \d+: (.+)$", run.stdout + run.stderr, re.MULTILINE))

    def waiting_rules(self, *targets: str, **configuration: Sequence[str]) -> Counter[str]:
        """What a run would do now: rule -> number of jobs, the targets themselves left out; without targets: all."""
        targets = targets or ("all",)
        run = self.snakemake(*targets, "-n", **configuration)
        assert run.returncode == 0, run.stdout + run.stderr
        table = re.search(r"Job stats:\njob +count\n[- ]+\n(.+?)\ntotal", run.stdout + run.stderr, re.DOTALL)
        rows = table.group(1).splitlines() if table else []
        return Counter({name: int(count) for name, count in map(str.split, rows) if name not in targets})
