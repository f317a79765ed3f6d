"""The JSON schema of configurations is current, accepts those of the project, and refuses mistakes."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from xlm_core.config import schema

ROOT = Path(__file__).parent.parent
CONFIGURATIONS = [ROOT / "config.yaml", *ROOT.glob("configs/**/*.yaml"), *ROOT.glob("tests/*/config.yaml")]
SCHEMA = json.loads((ROOT / "configs" / "schema.json").read_text(encoding="utf-8"))


def test_both_files_are_what_the_command_writes():
    made = schema.json_schema((ROOT / "config.yaml").read_text(encoding="utf-8"))
    assert made == SCHEMA, "python -m xlm_core.config.schema writes it anew"
    assert schema.page(made) == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_configuration_fits_and_names_the_schema(path: Path):
    text = path.read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), SCHEMA)
    named = text.partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
    assert os.path.normpath(path.parent / named) == str(ROOT / "configs" / "schema.json")


@pytest.mark.parametrize(
    "laid_over",
    [
        "pretraining: {optim: {learning_rte: 1.0e-3}}",
        "setups: {news: {model: {dim: wide}}}",
        "xnli: {finetuning: {epochs: 0}}",
        "seeds: {pretraining: [-1]}",
    ],
)
def test_a_mistake_is_refused(laid_over: str):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(laid_over), SCHEMA)


def test_comments_above_a_key_and_at_its_end_describe_it():
    text = """# The header.

# Where it
# lies.
name: x
a:         # of a
  # above
  b: "#1"  # at the end
  c: {d: 1}
"""
    expected = {("name",): "Where it\nlies.", ("a",): "of a", ("a", "b"): "above\nat the end"}
    assert dict(schema.comments(text)) == expected


def test_keys_that_sections_share_and_keys_of_names_are_described():
    definitions = SCHEMA["$defs"]
    assert "inverse_sqrt" in definitions["Optim"]["properties"]["schedule"]["description"]
    assert "added to every token" in definitions["ModelConfig"]["properties"]["language_embeddings"]["description"]


def test_a_list_of_keys_in_a_comment_describes_them():
    comment = """Corpora.
  format  text   a file
          moses  an archive
  exactly one of
    url    address,
           or several"""
    summary, of_keys = schema.split_comment(comment, ["format", "url"])
    assert summary == "Corpora."
    assert {name: text.split() for name, text in of_keys.items()} == {
        "format": ["text", "a", "file", "moses", "an", "archive"],
        "url": ["address,", "or", "several"],
    }
    corpus = schema.json_schema((ROOT / "config.yaml").read_text())["$defs"]["Corpus"]["properties"]
    assert all("description" in part for part in corpus.values())
