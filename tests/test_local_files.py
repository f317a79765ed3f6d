"""Local files that a configuration names exist when it is read, or are refused with their keys."""

from pathlib import Path

import pytest
import yaml

from xlm_core import config
from xlm_core.config.configuration import check_container, check_local_files, local_files
from xlm_core.errors import ConfigError

ROOT = Path(__file__).parent.parent
SUM = "0" * 64
PRETRAINED = {"format": "xlm_core", "path": "models", "sha256": {"model.safetensors": SUM}}
STORES = [f"{key}/{n}/{split}.store" for key in ("en", "fr") for n in (0, 1) for split in ("train", "valid", "test")]
STORE = {"format": "store", "keys": ["en", "fr"], "path": "old/{key}/{shard}/", "sha256": dict.fromkeys(STORES, SUM)}
OWN = {"format": "text", "keys": ["fr", "en-fr"], "path": "own/{key}.{language}.{year}.txt", "years": [1, 2]}


def tiny(**changes: dict) -> config.Config:
    """The tiny configuration, with keys of its sections added or replaced."""
    data = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text())
    for section, values in changes.items():
        data[section] = {**data[section], **values} if isinstance(values, dict) else values
    return config.parse(data)


CASES = {
    "corpora.own.path": (
        {"corpora": {"own": OWN}},
        [f"own/{name}.{year}.txt" for name in ("fr.fr", "en-fr.en", "en-fr.fr") for year in (1, 2)],
    ),
    "corpora.old.path": (
        {"corpora": {"old": STORE}},
        [f"old/{name}" for name in STORES],
    ),
    "xnli.evaluation.path": ({"xnli": {"evaluation": {"path": "task.zip"}}}, ["task.zip"]),
    "glue.tasks.MRPC.path": (
        {"glue": {"tasks": {"MRPC": {"path": "glue/{file}", "files": ["a", "b", "c"]}}, "systems": [{"run": "none"}]}},
        ["glue/a", "glue/b", "glue/c"],
    ),
    "embeddings.dictionary.path": (
        {"embeddings": {"dictionary": {"keys": ["en-fr"], "path": "words/{key}.txt"}}},
        ["words/en-fr.txt"],
    ),
    "runs.theirs.pretrained": (
        {"runs": {"theirs": {"label": "theirs", "pretrained": PRETRAINED}}},
        ["models/model.safetensors"],
    ),
    "vocabulary.pretrained": (
        {"vocabulary": {"pretrained": PRETRAINED | {"path": "old", "sha256": {"vocabulary.json": SUM}}}},
        ["old/vocabulary.json"],
    ),
    "mirror": ({"mirror": "mirror"}, ["mirror"]),
}  # fmt: skip


@pytest.mark.parametrize("key", CASES)
def test_a_missing_file_is_one_line_and_an_existing_one_is_none(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    changes, paths = CASES[key]
    loaded = tiny(claims=[], **changes) if key.startswith("glue") else tiny(**changes)
    assert sorted(local_files(loaded)[key]) == sorted(paths)
    with pytest.raises(ConfigError) as error:
        check_local_files(loaded)
    (line,) = [line for line in str(error.value).splitlines() if line.startswith(f"config.{key}: ")]
    assert f"{paths[0]} does not exist" in line and f"relative to {tmp_path}" in line
    assert (f"({len(paths)} files are missing)" in line) == (len(paths) > 1)
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    check_local_files(loaded)


def test_a_configuration_without_local_files_needs_none():
    assert not any(local_files(tiny()).values())


@pytest.mark.parametrize(
    ("path", "expected"), [("a.{kye}.txt", "'kye'.*did you mean 'key'"), ("a.{key", "expected '}'")]
)
def test_an_unknown_placeholder_is_refused(path: str, expected: str):
    with pytest.raises(ConfigError, match=expected):
        tiny(corpora={"own": {"format": "text", "keys": ["fr"], "path": path}})


def test_an_image_is_a_file_that_exists_or_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given, problem in ((None, "no image is named"), ("xlm.sif", "xlm.sif does not exist")):
        with pytest.raises(ConfigError, match=f"compute.container: {problem}, and --sdm apptainer needs one"):
            check_container(given)
    (tmp_path / "xlm.sif").touch()
    check_container("xlm.sif")
    check_container("docker://host/xlm:cpu")
