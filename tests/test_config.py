"""The configuration refuses what it does not understand, in words."""

import re
from pathlib import Path

import pytest
import yaml

from xlm_core import config
from xlm_core.errors import ConfigError

ROOT = Path(__file__).parent.parent

FILES = [ROOT / "config.yaml", ROOT / "configs" / "small.yaml", ROOT / "tests" / "tiny" / "config.yaml"]


def default() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def refusal(data: dict) -> str:
    with pytest.raises(ConfigError) as error:
        config.parse(data)
    return str(error.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_every_configuration_of_the_project_is_valid(path: Path):
    assert config.load(path).name in {"microworld", "small", "tiny"}


def test_the_default_configuration_explains_every_key():
    """Every field of every section stands in config.yaml, and a comment stands on its line or above it."""
    text = (ROOT / "config.yaml").read_text()
    sections = [
        config.Source, config.Corpus, config.Microworld, config.Text, config.VocabularyConfig, config.ModelConfig,
        config.Optim, config.Masking, config.Pretraining, config.Compute, config.Run, config.Xnli, config.Finetuning,
        config.Retrieval, config.Seeds, config.Config,
    ]  # fmt: skip
    missing = [
        f"{section.__name__}.{name}"
        for section in sections
        for name in section.model_fields
        if not re.search(rf"(^|[\s{{#]){name}\b", text, re.MULTILINE)
    ]
    assert missing == []


def test_a_misspelt_key_is_named_with_what_was_meant():
    data = default()
    data["pretraining"]["optim"]["learning_rte"] = 1.0e-3
    message = refusal(data)
    assert message == "config.pretraining.optim.learning_rte: unknown key (did you mean 'learning_rate'?)"


def test_a_misspelt_key_inside_a_named_run_is_found():
    data = default()
    data["runs"]["mlm"]["lable"] = data["runs"]["mlm"].pop("label")
    assert refusal(data).splitlines()[0] == "config.runs.mlm.lable: unknown key (did you mean 'label'?)"


def test_a_wrong_type_says_what_was_found():
    data = default()
    data["model"]["dim"] = "64"
    assert refusal(data) == "config.model.dim: Input should be a valid integer, found '64'"


def test_a_number_that_yaml_reads_as_text_is_explained():
    data = default()
    data["pretraining"]["optim"]["learning_rate"] = yaml.safe_load("1e-4")
    assert "1.0e-4" in refusal(data)


def test_an_unquoted_no_is_not_norwegian():
    data = default()
    data["languages"] = yaml.safe_load("[no, en]")
    assert "config.languages.0" in refusal(data) and "found False" in refusal(data)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data["xnli"]["runs"].append("mlm_tml"), "unknown name 'mlm_tml' (did you mean 'mlm_tlm'?)"),
        (lambda data: data["monolingual"].update(fr=["storys"]), "did you mean 'stories'?"),
        (lambda data: data["parallel"].update({"de-fr": ["translations"]}), "but not de-fr"),
        (lambda data: data["monolingual"].pop("fr"), "no corpus for language 'fr'"),
        (lambda data: data["xnli"]["languages"].append("sw"), "unknown name 'sw'"),
        (lambda data: data["corpora"]["stories"].update(url="https://example.org/x"), "exactly one of url, path"),
        (lambda data: data.pop("microworld"), "there is no section 'microworld'"),
        (lambda data: data["pretraining"].update(seq_len=640), "seq_len is 640, but model.max_positions is 128"),
        (lambda data: data["xnli"]["finetuning"].update(max_tokens=129), "max_tokens is 129, but model.max_positions"),
        (lambda data: data["retrieval"].update(layer=9), "retrieval.layer is 9, but model.n_layers is"),
        (lambda data: data["model"].update(n_heads=5), "must be a multiple of n_heads"),
        (lambda data: data["pretraining"]["masking"].update(keep=0.5), "must sum to 1"),
        (lambda data: data["seeds"].update(finetuning=[]), "config.seeds.finetuning"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, expected):
    data = default()
    change(data)
    assert expected in refusal(data)


def test_broken_yaml_is_a_config_error(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text("name: [unclosed")
    with pytest.raises(ConfigError, match="not valid YAML"):
        config.load(path)


def test_a_configuration_cannot_be_changed():
    loaded = config.load(ROOT / "config.yaml")
    with pytest.raises(ValueError, match="frozen"):
        loaded.model.dim = 3


def test_plain_is_what_the_section_was_read_from():
    loaded = config.load(ROOT / "config.yaml")
    assert config.parse(config.plain(loaded)) == loaded
