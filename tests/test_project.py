"""The project's own files agree with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import rule_graph
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from xlm_core.version import VERSION

ROOT = Path(__file__).parent.parent
STANDING = ("rules", "workflow_scripts", "configs", "profiles", "envs", "benchmarks", "docs", "tests")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
CONDA_NAMES = {"pytorch": "torch"}


def conda_requirements(path: Path) -> list[str]:
    """What an environment asks of conda, and of pip where conda has it not, pip itself left out."""
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    of_pip = [line for entry in dependencies if isinstance(entry, dict) for line in entry["pip"]]
    assert ("pip" in dependencies) == bool(of_pip)
    return [entry for entry in dependencies if isinstance(entry, str) and entry != "pip"] + of_pip


def requirements() -> dict[str, str]:
    """name -> requirement, over the dependencies and all extras."""
    lines = PROJECT["dependencies"] + [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    return {re.split(r"[\[<>=]", line)[0]: line.partition(";")[0] for line in lines}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_conda_environments_ask_for_the_same_versions(path: Path):
    known = requirements()
    for line in conda_requirements(path):
        name, version = re.fullmatch(r"([A-Za-z0-9_.-]+?)([<>=].*)?", line).groups()
        if name == "python":
            assert version == PROJECT["requires-python"]
        else:
            name = CONDA_NAMES.get(name, name)
            assert known[name] == name + version


def test_the_constraints_pin_all_that_the_package_asks_for_within_its_ranges():
    lines = (ROOT / "envs" / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    asked = [Requirement(line) for line in requirements().values() if not line.startswith("xlm-core")]
    assert len(asked) > 30
    outside = [str(each) for each in asked if pinned.get(canonicalize_name(each.name)) not in each.specifier]
    assert outside == []


def test_the_images_hold_what_was_tested():
    """The constraints' Python, and extras and files that there are; nothing else is sent to the builder."""
    text = (ROOT / "Dockerfile").read_text()
    python = re.search(r"on Python (3\.\d+)", (ROOT / "envs" / "constraints.txt").read_text()).group(1)
    assert f"FROM python:{python}-slim AS packages" in text
    assert re.findall(r"^FROM packages AS (\w+)$", text, re.MULTILINE) == ["cpu", "cuda"]
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for name in line.split()]
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()[1:]]
    assert copied == sent and all((ROOT / name).is_file() for name in copied)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    version = settings["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")[0].replace(".", "/")
    assert {PROJECT["readme"], *PROJECT["license-files"], f"{version}.py"} <= {*copied}  # which installing reads
    installed = re.findall(r"'\.\[(.+)\]'", text)
    assert len(installed) == 2 and {*",".join(installed).split(",")} <= PROJECT["optional-dependencies"].keys()


def test_ci_runs_the_readme_s_test_command():
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"<!-- test command -->\n```bash\n(.+?)\n```", readme, re.DOTALL).group(1)
    assert "pytest" in command
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script and "<!-- test command -->" in script
    assert "pytest -m robustness" in script


def test_workflows_of_github_run_what_is_in_the_project():
    read = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    (tests,), (sources,) = (read[name]["jobs"].values() for name in ("tests", "sources"))
    assert tests["steps"][-1]["run"] == "bash .ci/run" and (ROOT / ".ci" / "run").is_file()
    assert f">={tests['strategy']['matrix']['python'][0]}" == PROJECT["requires-python"]
    assert "snakemake check_sources" in sources["steps"][-1]["run"]
    assert all((ROOT / "configs" / f"{name}.yaml").exists() for name in sources["strategy"]["matrix"]["configuration"])


def test_the_version_is_the_same_everywhere():
    changes = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert changes[0] == yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == VERSION


def test_snakemake_s_floor_is_stated_once():
    floor = re.search(r'min_version\("(.+?)"\)', (ROOT / "Snakefile").read_text()).group(1)
    assert requirements()["snakemake"] == f"snakemake>={floor}"


@pytest.mark.parametrize("check", ["ruff check", "ruff format --check", "snakefmt --check", "mypy --strict"])
def test_style_and_types_are_checked_by_ci_and_before_commits(check: str):
    """Not by a test: they take longer than all tests of the project's own files."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook["entry"] for hook in repository["hooks"]]
    assert f"python -m {check}" in (ROOT / ".ci" / "run").read_text()
    assert f"python -m {check}" in hooks


def test_snakemake_s_linter_finds_nothing():
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_graph_of_rules_in_the_docs_is_snakemake_s():
    (shown,) = rule_graph.BLOCK.findall(rule_graph.PAGE.read_text())
    assert shown.count("-->") > 20 and shown == rule_graph.graph()


def test_profiles_for_clusters_repeat_what_they_replace():
    """A profile of a workflow stands instead of the default one, whose settings of reruns hold on clusters, too."""
    default, *others = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
        for name in ("default", "slurm", "generic")
    )
    of_one_machine = ("cores", "resources", "shared-fs-usage")
    kept = {key: value for key, value in default.items() if key not in of_one_machine}
    assert [profile | kept for profile in others] == others


def test_the_examples_in_the_profile_for_slurm_can_be_uncommented():
    """And give no GPU to jobs that have none: with gpu_model among the defaults the plugin asks for one."""
    profiles = {}
    for name in ("config", "partitions"):
        text = (ROOT / "profiles" / "slurm" / f"{name}.yaml").read_text()
        profiles[name] = yaml.safe_load(
            re.sub(r"^( *)# ?( *[\w-]+:(?: \S+| \{.+\})?)(?: +#.*)?$", r"\1\2", text, flags=re.M)
        )
    profile = profiles["config"]
    assert {"slurm_account", "qos"} <= profile["default-resources"].keys() and profile[
        "slurm-status-command"
    ] == "squeue"
    assert "gpu_model" not in profile["default-resources"]
    rules = {
        name
        for path in [*(ROOT / "rules").glob("*.smk")]
        for name in re.findall(r"^ *rule (\w+):", path.read_text(), re.MULTILINE)
    }
    assert len(profile["set-resources"]) > 5 and profile["set-resources"].keys() <= rules
    limits = pytest.importorskip("snakemake_executor_plugin_slurm.partitions").PartitionLimits
    partitions = [limits(**limited) for limited in profiles["partitions"]["partitions"].values()]
    assert [partition.available_gpu_models for partition in partitions] == [None, None, ["a100"]]


def test_the_readme_names_every_folder():
    listed = (ROOT / "README.md").read_text().split("## The files")[1].split("```")[1]
    packages = [path.parent for path in (ROOT / "xlm_core").glob("*/__init__.py")]
    top = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    tracked = {path.name for path in top if (path / "__init__.py").exists() or path.name in STANDING}
    assert {f"{path.name}/" for path in packages} | {f"{name}/" for name in tracked} <= set(listed.split())


def test_no_path_of_one_machine_is_in_the_tree():
    files = [
        path
        for folder in ("xlm_core", "rules", "workflow_scripts", "configs", "docs")
        for path in (ROOT / folder).rglob("*")
    ]
    for path in [*files, ROOT / "README.md", ROOT / "Snakefile", ROOT / "config.yaml"]:
        if path.is_file() and path.suffix in {".py", ".smk", ".yaml", ".md", ".rst", ""}:
            assert not re.search(r"(^|[\s\"'(=])/(home|root|work|tmp)/", path.read_text()), path
