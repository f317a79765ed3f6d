"""Models of other programs as rows of our tables, end to end: random weights, small, in folders of ``transformers``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from project import Project
from transformers import AutoModelForMaskedLM
from transformers_folders import KINDS, KINDS_OF_OTHERS, write_config, write_model, write_tokenizer

from xlm_core import history, tsv
from xlm_core.model import checkpoint
from xlm_core.text.vocabulary import Vocabulary

pytestmark = pytest.mark.robustness

ROOT = Path(__file__).parents[2]
SHAPE = {
    "dim": 16, "n_layers": 2, "n_heads": 2, "feedforward_dim": 40, "max_positions": 128, "language_embeddings": False,
    "norm_epsilon": 1.0e-5, "prediction_transform": True, "dropout": 0.1, "attention_dropout": 0.1,
}  # fmt: skip
THEIRS = {
    "xlmr": ("xlm-roberta", {}),
    "mbert": ("bert", {"n_segments": 2, "max_positions": 130}),
    "mmbert": ("modernbert", {}),
}  # setup and run -> type, what its shape has beside


def settings(folder: Path, sizes: dict[str, int]) -> dict[str, Any]:
    """The tiny configuration with a setup and a run for each folder, as rows of XNLI, retrieval and GLUE."""
    data = yaml.safe_load((ROOT / "tests" / "tiny" / "config.yaml").read_text(encoding="utf-8"))
    data["text"]["n_shards"], data["xnli"]["languages"], data["setups"] = 1, ["en", "fr"], {}
    data["mirror"] = str(folder / "mirror")
    for table in ("translation", "perplexity", "ablation", "embeddings"):
        data.pop(table)
    data["claims"] = [
        {"claim": "XLM-R is better", "tests": [{"table": "xnli", "a": "xlmr/xlmr", "b": "none"}]},
    ]
    data["xnli"] |= {
        "runs": ["none", "mlm", *({"setup": name, "run": name} for name in THEIRS)],
        "selected_per_language": ["xlmr/xlmr"], "few_shot": {"runs": []}, "translate_test": ["mbert/mbert"],
        "translate_train": ["xlmr/xlmr"], "translate_train_all": [],
    }  # fmt: skip
    data["glue"]["tasks"] = {"MRPC": {"microworld": "glue"}}
    data["glue"]["systems"] = ["none", *({"setup": name, "run": name, "label": f"{name}!"} for name in THEIRS)]
    for name, (_, more) in THEIRS.items():
        pretrained = {"hub": "them/mbert"} if name == "mbert" else {"path": str(folder / name)}
        run = pretrained | ({"format": "transformers"} if name == "mmbert" else {})
        data["runs"][name] = {"label": name, "seeds": [0], "pretrained": run}
        data["setups"][name] = {
            "text": {"tokenization": "none"},
            "vocabulary": {"size": sizes[name], "pretrained": pretrained},
            "model": SHAPE | more,
        }
    data["runs"]["xlmr_tlm"] = {"label": "XLM-R + TLM", "objectives": ["tlm"], "init_from": "xlmr"}
    data["setups"]["xlmr"]["pretraining"] = {"optim": {"learning_rate": 1.0e-3, "max_updates": 100}}
    data["xnli"]["runs"].append({"setup": "xlmr", "run": "xlmr_tlm"})
    data["setups"]["english"] = {"languages": ["en"], "monolingual": {"en": ["documents"]}, "parallel": {}}
    data["runs"]["first"] = {"label": "English alone", "objectives": ["mlm"]}
    data["runs"]["more"] = {
        "label": "two languages more", "objectives": ["mlm"], "init_from": {"setup": "english", "run": "first"}
    }  # fmt: skip
    data["xnli"]["runs"].append("more")
    return data


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A finished run, and what it printed."""
    folder, sizes = tmp_path_factory.mktemp("others"), {}
    text = [line for path in (ROOT / "microworld").glob("grammar.*.yaml") for line in path.read_text().splitlines()]
    hub = folder / "mirror" / "huggingface.co" / "them" / "mbert" / "resolve" / "main"
    folders = {"xlmr": folder / "xlmr", "mbert": hub, "mmbert": folder / "mmbert"}
    for name, (model_type, _) in THEIRS.items():
        sizes[name] = len(write_tokenizer((KINDS | KINDS_OF_OTHERS)[model_type], folders[name], text))
        write_config(model_type, folders[name])
        write_model(AutoModelForMaskedLM, folders[name], std=0.05)
    (folder / "project").mkdir()
    project = Project(folder / "project", settings(folder, sizes))
    run = project.snakemake("xnli_table", "glue_table", "claims", "--cores", "2")
    assert run.returncode == 0, run.stdout + run.stderr
    return project, run.stdout + run.stderr


def test_tables_have_their_rows(others: tuple[Project, str]) -> None:
    project, _ = others
    tables = project.folder / "results" / "tiny" / "tables"
    xnli = pd.read_csv(tables / "xnli.tidy.csv")
    rows = set(zip(xnli["system"], xnli["setting"], strict=True))
    assert {(name, "zero-shot") for name in (*THEIRS, "XLM-R + TLM")} < rows
    assert {("xlmr", "translate-train"), ("mbert", "translate-test")} < rows
    assert xnli["mean"].between(0, 100).all()
    retrieval = pd.read_csv(tables / "retrieval.tidy.csv").query("column == 'avg'")
    ours = {"no pretraining", "XLM (MLM)", "two languages more"}
    assert set(retrieval["system"]) == {*ours, *THEIRS, "XLM-R + TLM"}
    assert retrieval["n_items"].nunique() == 1
    glue = (tables / "glue.md").read_text(encoding="utf-8")
    assert all(f"| {name}!" in glue for name in THEIRS)


def test_a_model_goes_on_with_translations(others: tuple[Project, str]) -> None:
    """It begins with the weights that were given, keeps what it was, and learns from what it reads now."""
    project, _ = others
    runs = project.folder / "results" / "tiny" / "runs" / "xlmr"
    (before, _), (after, metadata) = (
        checkpoint.load(runs / run / "0" / "model.safetensors") for run in ("xlmr", "xlmr_tlm")
    )
    assert metadata["objectives"] == ["mlm", "tlm"] and metadata["symbols"]["between"] == [2, 2]
    assert after.config.prediction_transform
    first, other = before.embeddings.weight.flatten(), after.embeddings.weight.flatten()
    assert torch.corrcoef(torch.stack([first, other]))[0, 1] > 0.5 and not torch.equal(first, other)
    criteria = [
        row.value for row in history.read(runs / "xlmr_tlm" / "0" / "history.jsonl") if row.metric == "criterion"
    ]
    assert min(criteria) < 0.97 * criteria[0]


def test_a_model_goes_on_with_languages_more_and_nothing_is_trained_twice(others: tuple[Project, str]) -> None:
    """Of a setup with English alone: its text and vocabulary are read, and only the run that is named is trained."""
    project, screen = others
    results = project.folder / "results" / "tiny"
    assert screen.count("Pretraining first (english)") == screen.count("Pretraining more (base)") == 1
    assert "Pretraining first (base)" not in screen and "Pretraining more (english)" not in screen
    (before, _), (after, metadata) = (
        checkpoint.load(results / "runs" / path / "0" / "model.safetensors") for path in ("english/first", "base/more")
    )
    assert before.language_embeddings is None and metadata["languages"] == ["en", "fr", "hi"]
    first, second = (Vocabulary.read(results / "bpe" / name / "vocabulary.json") for name in ("english", "base"))
    common = [piece for piece in second.pieces if piece in first.pieces]
    assert 20 < len(common) < len(second)
    there, here = (
        model.embeddings.weight[[words.pieces.index(piece) for piece in common]].flatten()
        for model, words in ((before, first), (after, second))
    )
    assert torch.corrcoef(torch.stack([there, here]))[0, 1] > 0.5


def test_nothing_of_them_is_trained_but_their_classifiers(others: tuple[Project, str]) -> None:
    project, screen = others
    runs = project.folder / "results" / "tiny" / "runs"
    assert not [path for name in THEIRS for path in runs.glob(f"*/{name}/*/history.jsonl")]
    assert list(runs.glob("xlmr/xlmr/0/xnli/zero_shot/*/history.jsonl"))
    assert "Pretraining xlmr_tlm (xlmr)" in screen
    assert "Pretraining xlmr (" not in screen and "Pretraining mbert (" not in screen
    again = project.snakemake("xnli_table", "glue_table", "claims", "-n")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_their_text_is_raw_and_their_symbols_their_own(others: tuple[Project, str]) -> None:
    project, _ = others
    results = project.folder / "results" / "tiny"
    raw = tsv.read(results / "store" / "xlmr" / "xnli" / "test.fr.tsv", 3)
    assert list(raw) == list(tsv.read(results / "store" / "xlmr" / "xnli" / "test.fr.records.tsv", 3))
    assert len(list((results / "tokens").iterdir())) == 2  # of the base and of XLM-R, whose text TLM reads; not mBERT's
    vocabulary = Vocabulary.read(results / "bpe" / "mbert" / "vocabulary.json")
    _, metadata = checkpoint.load(results / "runs" / "mbert" / "mbert" / "0" / "model.safetensors")
    assert metadata["symbols"]["has_segments"] and metadata["symbols"]["mask"] == vocabulary.symbols.mask
    origin = json.loads((results / "bpe" / "mbert" / "origin.json").read_text(encoding="utf-8"))
    assert set(origin["sha256"]) == {"tokenizer.json", "tokenizer_config.json"}


@pytest.mark.parametrize(
    ("setup", "run", "text"),
    [
        ("xlmr", "xlmr", "raw"),
        ("mbert", "mbert", "raw"),
        ("mmbert", "mmbert", "raw"),
        ("base", "mlm", "raw"),
        ("base", "mlm", "tokens"),
    ],
)
def test_classes_of_one_s_own_pairs_are_those_of_the_table(
    others: tuple[Project, str], setup: str, run: str, text: str
) -> None:
    """The test set as a file of pairs, raw as it was published or tokenized, has the accuracy of the table."""
    project, _ = others
    results = project.folder / "results" / "tiny"
    name = "test.fr.records.tsv" if text == "raw" else "test.fr.tsv"
    rows = list(tsv.read(results / "store" / setup / "xnli" / name, 3))
    lines = "".join(f"{premise}\t{hypothesis}\n" for premise, hypothesis, _ in rows)
    model = results / "runs" / setup / run / "0" / "xnli" / "zero_shot" / "0" / "model.safetensors"
    command = [sys.executable, "-m", "xlm_core", "classify", str(model), "--language", "fr"]
    command += ["--vocabulary", str(results / "bpe" / setup / "vocabulary.json")]
    command += ["--tokenized"] if text == "tokens" else []
    ended = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=ROOT, check=True)
    said = [line.split("\t")[0] for line in ended.stdout.splitlines()]
    accuracy = 100 * sum(label == right for label, (*_, right) in zip(said, rows, strict=True)) / len(rows)
    table = pd.read_csv(results / "tables" / "xnli.tidy.csv").query("column == 'fr' and setting == 'zero-shot'")
    label = {"mlm": "XLM (MLM)"}.get(run, run)
    assert accuracy == pytest.approx(table.set_index("system")["mean"][label])
