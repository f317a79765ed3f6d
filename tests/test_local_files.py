"""Local files that a configuration names exist when it is read, or are refused with their keys."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xlm_core import config
from xlm_core.config.local_files import check_container, check_local_files, local_files
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


XLMR = {
    "model_type": "xlm-roberta", "vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2, "pad_token_id": 1,
    "num_attention_heads": 2, "intermediate_size": 40, "max_position_embeddings": 130, "layer_norm_eps": 1e-5,
}  # fmt: skip
XLM = {"model_type": "xlm", "vocab_size": 300, "emb_dim": 16, "n_layers": 2, "n_heads": 2, "use_lang_emb": False}
BERT = XLMR | {"model_type": "bert", "pad_token_id": 0, "max_position_embeddings": 128}
MODERN = XLMR | {"model_type": "modernbert", "vocab_size": 304, "max_position_embeddings": 8192}
FILES = ("config.json", "model.safetensors", "tokenizer.json")
SAVING = r"transformers.{}.from_pretrained\('theirs'\).save_pretrained\('theirs'\)"


def of_folder(format: str = "huggingface", **model: Any) -> config.Config:  # noqa: A002
    """A configuration with a model of the folder "theirs" as a row, or one that begins with it."""
    shape = {"dim": 16, "n_layers": 2, "n_heads": 2, "feedforward_dim": 40, "max_positions": 128}
    options = {"language_embeddings": False, "norm_epsilon": 1e-5, "prediction_transform": True}
    setup = {
        "text": {"tokenization": "none"},
        "vocabulary": {"size": model.pop("vocab_size", 300), "pretrained": {"path": "theirs"}},
        "model": shape | options | model,
    }
    runs = {"theirs": {"label": "theirs", "seeds": [0], "pretrained": {"format": format, "path": "theirs"}}}
    if format == "huggingface":
        runs["more"] = {"label": "more", "objectives": ["mlm"], "init_from": "theirs"}
    rows = ["none", "mlm_no_language_embeddings", "mlm", "mlm_tlm", {"setup": "theirs", "run": [*runs][-1]}]
    return tiny(setups={"theirs": setup}, runs=runs, xnli={"runs": rows})


def write_folder(folder: Path, settings: dict[str, Any], names: tuple[str, ...] = FILES) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    if "config.json" in names:
        (folder / "config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        (XLMR, {}),
        (BERT, {}),
        (XLM, {}),
        ({key: value for key, value in XLM.items() if key != "model_type"}, {}),
        (MODERN, {"format": "transformers"}),
        (MODERN | {"layer_norm_eps": 0.1}, {"format": "transformers", "max_positions": 256}),
        ({"model_type": "of other names", "width": 3}, {"format": "transformers"}),
    ],
)
def test_a_folder_that_fits_its_setup_is_taken(
    settings: dict[str, Any], model: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "theirs", settings)
    config = of_folder(**model)
    check_local_files(config)  # raises nothing, and has looked at the folder:
    (tmp_path / "theirs" / "config.json").write_text("[]")
    with pytest.raises(ConfigError, match="expected a whole folder of transformers"):
        check_local_files(config)


@pytest.mark.parametrize(
    ("settings", "model", "found", "expected"),
    [
        (
            XLMR,
            {"n_layers": 3, "vocab_size": 299},
            "n_layers: 2, vocabulary.size: 300",
            "n_layers: 3, vocabulary.*: 299",
        ),
        (XLMR, {"max_positions": 130}, "max_positions: 128", "max_positions: 130"),
        (XLMR, {"norm_epsilon": 1e-12}, "norm_epsilon: 1e-05", "norm_epsilon: 1e-12"),
        (XLM, {"dim": 32}, "dim: 16", "dim: 32"),
        (XLM, {"language_embeddings": True}, "language_embeddings: False", "language_embeddings: True"),
        (XLMR, {"vocab_size": 200}, "vocabulary.size: 300", "vocabulary.size: 200"),
        (MODERN, {"format": "transformers", "vocab_size": 305}, "vocabulary.size: 304", "vocabulary.size: 305"),
        (MODERN, {"format": "transformers", "max_positions": 9000}, "max_positions: 8192", "max_positions: 9000"),
    ],
)
def test_a_folder_of_another_shape_is_refused(
    settings: dict[str, Any],
    model: dict[str, Any],
    found: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "theirs", settings)
    message = (
        rf"config.runs.theirs.pretrained: theirs/config.json: found (model.)?{found}; expected (model.)?{expected}"
    )
    with pytest.raises(ConfigError, match=f"^{message}.*as setup 'theirs' says; write there what was found"):
        check_local_files(of_folder(**model))


@pytest.mark.parametrize(
    ("names", "key", "problem"),
    [
        (("model.safetensors", "tokenizer.json"), "runs.theirs", "config.json does not exist"),
        ((*FILES[::2], "pytorch_model.bin"), "runs.theirs", SAVING.format("AutoModelForMaskedLM")),
        ((*FILES[:2], "sentencepiece.bpe.model"), "setups.theirs.vocabulary", SAVING.format("AutoTokenizer")),
        ((*FILES[:2], "tokenizer_config.json"), "setups.theirs.vocabulary", SAVING.format("AutoTokenizer")),
        ((*FILES[:2], "vocab.json"), "runs.theirs", "vocab.json with merges.txt"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused_with_what_writes_it(
    names: tuple[str, ...], key: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "theirs", XLMR, names)
    with pytest.raises(ConfigError, match=rf"(?m)^config.{key}.pretrained: theirs.*{problem}"):
        check_local_files(of_folder())


@pytest.mark.parametrize("content", ["", "[]", "3", '{"model_type": "roberta", "max_position_embeddings": "many"}'])
def test_a_damaged_configuration_of_a_folder_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "theirs", XLMR)
    (tmp_path / "theirs" / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"theirs/config.json is damaged.*expected a whole folder of transformers"):
        check_local_files(of_folder())


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
