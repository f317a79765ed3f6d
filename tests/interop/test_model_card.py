"""The card of an exported folder: what the hub reads, what lies beside the model, and programs that run."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import published_codes
import pytest
import torch
from huggingface_hub import ModelCard
from small_model import CONFIG, write_model, write_vocabulary

from xlm_core import results
from xlm_core.cli import main
from xlm_core.config import Text
from xlm_core.history import HistoryRow
from xlm_core.interop.pretrained import PUBLISHED_TEXT
from xlm_core.interop.tokenizer_files import reads_raw_text
from xlm_core.io import write_json, write_text
from xlm_core.model import checkpoint
from xlm_core.model.heads import ClassificationHead
from xlm_core.results import Result
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.version import VERSION

HUB = {"hub": "FacebookAI/xlm-roberta-base", "revision": "main", "format": "huggingface"}
PAGE = Path(__file__).parents[2] / "docs" / "models.md"
MACHINE = {"cpu": "a processor", "gpus": ["a GPU"]}


def card_of(folder: Path, *options: str, text: Text | None = Text(), n_classes: int = 0, **metadata: Any) -> ModelCard:  # noqa: B008 (a frozen value)
    """The card of a small model that was exported into ``folder / "my-model"``."""
    words, path = write_vocabulary(folder, text), folder / "model.safetensors"
    model, written = checkpoint.load(write_model(path, words))
    head = ClassificationHead(CONFIG.dim, n_classes, 0.1) if n_classes else None
    if head:
        metadata = {"labels": ["no", "maybe", "yes"][:n_classes], "max_tokens": 20} | metadata
    checkpoint.save(path, model, written | metadata, head=head)
    files = [str(path), "--vocabulary", str(words)]
    main(["export-huggingface", *files, "--output", str(folder / "my-model"), *options])
    return ModelCard.load(folder / "my-model" / "README.md")


def run_program(card: ModelCard, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for program in re.findall(r"```python\n(.*?)```", card.content, re.DOTALL):
        exec(compile(program, "README.md", "exec"), {})


@pytest.mark.parametrize("tokenization", ["moses", "none"])
@pytest.mark.parametrize(
    ("n_classes", "objectives", "task"),
    [
        (0, ["mlm"], "fill-mask"),
        (0, ["clm"], "text-generation"),
        (3, ["mlm"], "text-classification"),
        (1, ["mlm"], "text-classification"),
    ],
)
@pytest.mark.parametrize("language", [None, "fr"])
def test_its_program_runs_and_the_hub_reads_it(
    tmp_path: Path,
    tokenization: str,
    n_classes: int,
    objectives: list[str],
    task: str,
    language: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if task == "text-generation" and language and tokenization == "none":
        pytest.skip("the library generates 20 tokens or more, and this model has 20 positions")
    options = ["--language", language, "--license", "mit"] if language else []
    text = Text(tokenization=tokenization)
    card = card_of(tmp_path, *options, text=text, n_classes=n_classes, objectives=objectives)
    data = card.data.to_dict()
    assert (data["pipeline_tag"], data["library_name"]) == (task, "transformers")
    assert (data["language"], data["license"]) == ((["fr"], "mit") if language else (["en", "fr"], "other"))
    assert {"xlm", *objectives} <= set(data["tags"]) and "base_model" not in data
    assert ("does not read raw text" in card.content) == (tokenization == "moses")
    assert ("pipelines give other results" in card.content) == (language is None)
    assert f"xlm-core {VERSION}" in card.content
    run_program(card, tmp_path, monkeypatch)
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("tokenization", "raw", "read"),
    [("moses", "A child sleeps.", "a <special1> sleeps ."), ("none", "A <special1> sleeps.", "A <special1> sleeps.")],
)
def test_its_example_with_a_mask_begins_with_raw_text(
    tmp_path: Path, tokenization: str, raw: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = card_of(tmp_path, text=Text(tokenization=tokenization))
    monkeypatch.chdir(tmp_path)
    program = re.findall(r"```python\n(.*?)```", card.content, re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), names)
    assert raw in program and names["text"] == read
    assert names["inputs"]["input_ids"].eq(names["tokenizer"].mask_token_id).sum() == 1


def embedded(folder: Path) -> Any:
    """The vector that the command line gives of the sentence of the programs."""
    (folder / "lines").write_text("A child sleeps.\n")
    files = ["model.safetensors", "--vocabulary", str(next(folder.glob("*.json")))]
    main(["embed", *files, "--language", "en", "--input", "lines", "--output", "vectors.npy"])
    return np.load("vectors.npy")[0]


@pytest.mark.parametrize(("tokenization", "objective"), [("moses", "mlm"), ("none", "mlm"), ("moses", "clm")])
@pytest.mark.parametrize("language", [None, "en"])
def test_its_vectors_are_those_of_the_command_line(
    tmp_path: Path,
    tokenization: str,
    language: str | None,
    objective: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options, text = ["--language", language] if language else [], Text(tokenization=tokenization)
    card = card_of(tmp_path, *options, text=text, objectives=[objective])
    torch.set_printoptions(precision=8, sci_mode=False)
    run_program(card, tmp_path, monkeypatch)
    torch.set_printoptions(profile="default")
    printed = capsys.readouterr().out.rpartition("tensor([[")[2].partition("]]")[0]
    assert np.abs(np.fromstring(printed, sep=",") - embedded(tmp_path)).max() <= 1e-5


def test_so_is_the_vector_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = re.findall(r"```python\n(from pathlib .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    card_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(program, PAGE.name, "exec"), names)
    assert np.abs(names["vector"][0].numpy() - embedded(tmp_path)).max() <= 1e-5


def test_published_codes_read_raw_text(tmp_path: Path) -> None:
    vocabulary = Vocabulary.from_fastbpe(*published_codes.write(tmp_path), ["en"])
    assert not reads_raw_text(vocabulary) and not reads_raw_text(replace(vocabulary, text=Text()))
    assert reads_raw_text(replace(vocabulary, text=PUBLISHED_TEXT))


def test_text_whose_preparation_is_not_known_is_said_to_be_so(tmp_path: Path) -> None:
    assert "Its files do not say how" in card_of(tmp_path, text=None).content


@pytest.mark.parametrize("origin", [HUB, {"format": "xlm_core", "about": {"origin": HUB}}])
def test_a_model_of_the_hub_is_its_base(tmp_path: Path, origin: dict[str, Any]) -> None:
    card = card_of(tmp_path, origin=origin)
    assert card.data.base_model == "FacebookAI/xlm-roberta-base"
    assert (
        "begun with [FacebookAI/xlm-roberta-base](https://huggingface.co/FacebookAI/xlm-roberta-base)" in card.content
    )


def job(rule: str, **wildcards: str) -> dict[str, Any]:
    attempt = {"seconds": 7.4, "machine": MACHINE, "libraries": {"torch": "2.0"}}
    return {"rule": rule, "wildcards": wildcards, "settings": {"max_updates": 12, "rule": rule}, "attempts": [attempt]}


def result(setting: str, value: float, **others: Any) -> Result:
    fields = {
        "table": "xnli", "system": "mlm", "setting": setting, "column": "fr", "metric": "accuracy", "value": value,
        "n": 10, "pretraining_seed": 0, "finetuning_seed": 1, "config_digest": "mine", "data_digest": "",
        "code_digest": "", "signature": "",
    }  # fmt: skip
    return Result(**fields | others)


def test_it_tells_what_the_records_of_the_workflow_say(tmp_path: Path) -> None:
    """Trainings, curves, files, and the scores of this model alone: not of other seeds, settings or checkpoints."""
    run = tmp_path / "tiny" / "runs" / "base" / "mlm" / "0"
    folder = run / "xnli" / "zero_shot" / "1"
    write_json(run / "job.json", job("pretrain", run="mlm", seed="0"))
    write_json(folder / "job.json", job("finetune_xnli", run="mlm", seed="0", finetuning_seed="1"))
    rows = [HistoryRow(1, "valid", "classification", ("fr",), "accuracy", value) for value in (51.0, 62.0, 57.0)]
    rows += [HistoryRow(1, "valid", "mlm", ("en",), "perplexity", value) for value in (9.0, 4.0, 5.0)]
    write_text(folder / "history.jsonl", "".join(row.to_json() for row in rows))
    measured = [
        result("zero-shot", 71.25), result("zero-shot", 11.5, pretraining_seed=1),
        result("zero-shot", 12.5, finetuning_seed=0), result("zero-shot", 13.5, config_digest="other"),
        result("zero-shot, selected per language", 14.5),
    ]  # fmt: skip
    results.write(measured, tmp_path / "tiny" / "results" / "xnli" / "base.mlm.0.1.jsonl")
    name = "results/tiny/runs/base/mlm/0/xnli/zero_shot/1/job.json"
    source = {"path": "raw/en.txt", "origin": "local", "licence": "CC0", "sha256": "ab" * 32}
    write_json(tmp_path / "tiny" / "tables" / "a.manifest.json", {"jobs": {}, "sources": [source | {"path": "none"}]})
    write_json(tmp_path / "tiny" / "tables" / "xnli.manifest.json", {"jobs": {name: {}}, "sources": [source]})
    content = card_of(folder, n_classes=3, config="mine").content
    assert "| xnli | zero-shot | fr | accuracy | 71.2 | 10 |" in content
    assert not re.search(r"\b1[1-4]\.5\b", content)
    assert content.index("Training: finetune_xnli") < content.index("Training before: pretrain")
    assert "run mlm, seed 0, finetuning_seed 1:" in content and "max_updates: 12" in content
    assert "7 seconds on a processor, a GPU, with torch 2.0" in content
    assert "| classification | fr | accuracy | 62.00 |" in content and "| mlm | en | perplexity | 4.00 |" in content
    assert "| `raw/en.txt` | local | CC0 | abababababababab |" in content and "none`" not in content
    (evaluation,) = ModelCard(content).data.eval_results
    assert (evaluation.dataset_type, evaluation.metric_type, evaluation.metric_value) == ("xnli", "accuracy", 71.25)


def test_a_model_alone_says_that_nothing_lies_beside_it(tmp_path: Path) -> None:
    content = card_of(tmp_path).content
    assert "No record of a training lies beside the model." in content and "## Scores" not in content
