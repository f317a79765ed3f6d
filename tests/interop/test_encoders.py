"""Encoders that ``transformers`` computes, against that library itself, which makes the folders with random weights."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)
from transformers_folders import KINDS_OF_OTHERS, SENTENCES, batches, write_config, write_model, write_tokenizer

from xlm_core.cli import main
from xlm_core.config import ModelConfig, Optim
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.history import ObjectiveKey
from xlm_core.interop import encoders
from xlm_core.interop.convert import import_model
from xlm_core.interop.pretrained import read_tokenizer
from xlm_core.model import checkpoint
from xlm_core.model.heads import Classifier
from xlm_core.tasks.inference import SentenceEncoder, embed
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, train_step
from xlm_core.train.losses import classification_loss
from xlm_core.train.optimization import make_optimizer
from xlm_core.train.state import TrainState

KINDS = KINDS_OF_OTHERS | {"bert": "wordpiece"}  # BERT has a pooler and segments
SHAPE = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=40, max_positions=128)


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return folder_of(request.param, tmp_path)


def folder_of(model_type: str, path: Path, **changes: Any) -> Path:
    """A folder with a tokenizer and the configuration of a small model, whose embeddings have rows to spare."""
    tokenizer = write_tokenizer(KINDS[model_type], path / "folder")
    write_config(model_type, path / "folder", **{"vocab_size": len(tokenizer) + 3} | changes)
    return path / "folder"


def imported(folder: Path, model: ModelConfig = SHAPE) -> Path:
    """The file that the workflow makes of a folder."""
    vocabulary, output = folder.parent / "vocabulary.json", folder.parent / "model.safetensors"
    read_tokenizer(folder, ["en", "fr"]).write(vocabulary)
    pretrained = PretrainedModel(format="transformers", path=str(folder))
    files = [folder / name for name in pretrained.names]
    import_model(pretrained, files, vocabulary=vocabulary, languages=["fr", "en"], model=model, output=output)
    return output


def their_inputs(folder: Path, them: Any, pairs: bool) -> tuple[dict[str, torch.Tensor], Any]:
    """Inputs for their model, with segments where it knows them, and the same for ours."""
    inputs, batch = batches(folder, pairs)
    if not hasattr(them.config, "type_vocab_size"):
        inputs.pop("token_type_ids")
    return inputs, batch


@pytest.mark.parametrize("pairs", [False, True])
def test_states_of_all_layers_are_theirs(folder: Path, pairs: bool) -> None:
    them = write_model(AutoModel, folder)
    encoder, metadata = encoders.load(imported(folder))
    inputs, batch = their_inputs(folder, them, pairs)
    with torch.no_grad():
        expected = them(**inputs, output_hidden_states=True)
        states = torch.stack(list(encoder.states(batch)))
        last, first = encoder(batch), encoder(batch, output_positions=torch.tensor([0, batch.tokens.shape[1]]))
        pooled = encoder.pool(first)
    is_token = inputs["attention_mask"].bool()
    assert not is_token.all() and len(states) == 3
    assert (states - torch.stack(expected.hidden_states))[:, is_token].abs().max() <= 1e-5
    assert (states[:, ~is_token] == 0).all() and (last[~is_token] == 0).all()
    assert (last - expected.last_hidden_state)[is_token].abs().max() <= 1e-5
    theirs = expected.last_hidden_state[:, 0] if expected.get("pooler_output") is None else expected.pooler_output
    assert (pooled - theirs[:2]).abs().max() <= 1e-5
    assert states.std(dim=(1, 2)).mean() > 0.1  # it tells tokens apart
    assert (metadata["languages"], metadata["objectives"]) == (["en", "fr"], [])


@pytest.mark.parametrize("kind", [AutoModelForMaskedLM, AutoModelForSequenceClassification])
def test_the_encoder_of_a_model_with_a_head_is_read(folder: Path, kind: Any) -> None:
    them = write_model(kind, folder)
    encoder, _ = encoders.load(imported(folder))
    inputs, batch = their_inputs(folder, them, pairs=True)
    with torch.no_grad():
        expected = them.base_model(**inputs).last_hidden_state
        assert (encoder(batch) - expected)[inputs["attention_mask"].bool()].abs().max() <= 1e-5
    has_pooler = json.loads((folder / "config.json").read_text())["model_type"] == "bert"
    first = torch.ones(1, 16)
    assert torch.equal(encoder.pool(first), first) != (has_pooler and kind is AutoModelForSequenceClassification)


def test_weights_in_half_precision_become_whole(tmp_path: Path) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModel, folder).bfloat16().save_pretrained(folder)
    assert '"bfloat16"' in (folder / "config.json").read_text(encoding="utf-8")
    encoder, _ = encoders.load(imported(folder))
    them = AutoModel.from_pretrained(folder).float().eval()
    inputs, batch = their_inputs(folder, them, pairs=False)
    with torch.no_grad():
        difference = encoder(batch) - them(**inputs).last_hidden_state
    assert difference[inputs["attention_mask"].bool()].abs().max() <= 1e-5


@pytest.mark.parametrize("model_type", KINDS)
def test_a_step_of_fine_tuning_is_theirs_with_adamw(model_type: str, tmp_path: Path) -> None:
    dropout = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout"), 0.0)
    folder = folder_of(model_type, tmp_path, **dropout)
    write_model(AutoModel, folder)
    encoder, _ = encoders.load(imported(folder))
    them = AutoModel.from_pretrained(folder)
    inputs, batch = their_inputs(folder, them, pairs=True)
    labels = torch.arange(len(batch.tokens)) % 3
    classifier = Classifier(encoder, 3, dropout=0.0)
    head = torch.nn.Linear(16, 3)
    head.load_state_dict(classifier.head.classes.state_dict())

    optim = Optim(learning_rate=1e-3, schedule="constant", warmup_updates=0, max_updates=1, max_grad_norm=1e9)
    state = TrainState(classifier.train(), make_optimizer(classifier, optim.model_copy(update={"beta2": 0.999})))
    micro_batch = MicroBatch(
        ObjectiveKey("classification"), len(labels), 1, 0, lambda: classification_loss(classifier, batch, labels)
    )
    train_step(state, [micro_batch], len(labels), optim, DistributedContext())

    optimizer = torch.optim.AdamW([*them.train().parameters(), *head.parameters()], lr=1e-3, weight_decay=0.0)
    output = them(**inputs)
    first = output.last_hidden_state[:, 0] if output.get("pooler_output") is None else output.pooler_output
    cross_entropy(head(first), labels).backward()
    gradients = {name: weight.grad for name, weight in them.named_parameters()}
    optimizer.step()
    after = dict(them.named_parameters())
    n_changed = 0
    for name, weight in encoder.model.named_parameters():
        # Adam's first step is the sign of the gradient; where that is all but zero, it is noise.
        is_sure = gradients[name] is not None and gradients[name].abs() > 1e-4
        assert ((weight - after[name]).abs()[is_sure] <= 1e-5).all(), name
        n_changed += int(torch.as_tensor(is_sure).sum())
    assert n_changed > 1000 and (classifier.head.classes.weight - head.weight).abs().max() <= 1e-5


def test_a_classifier_comes_back_from_its_file(folder: Path) -> None:
    write_model(AutoModel, folder)
    path = imported(folder)
    encoder, metadata = encoders.load(path)
    classifier = Classifier(encoder, 3, dropout=0.3).eval()
    checkpoint.save(path, encoder, metadata | {"labels": ["a", "b", "c"]}, head=classifier.head)
    again, metadata = encoders.load_classifier(path)
    _, batch = batches(folder, pairs=True)
    with torch.no_grad():
        assert torch.equal(classifier(batch), again(batch))
    assert again.head.dropout.p == 0.3 and metadata["labels"] == ["a", "b", "c"] and not again.training


@pytest.mark.parametrize("n_frozen", [0, 1])
def test_frozen_layers_get_no_gradients(folder: Path, n_frozen: int) -> None:
    write_model(AutoModel, folder)
    encoder, _ = encoders.load(imported(folder))
    encoder.freeze(n_frozen)
    trained = {name for name, parameter in encoder.named_parameters() if parameter.requires_grad}
    of_layers = {name for name, _ in encoder.named_parameters() if ".0." in name or ".1." in name}
    assert {name for name in of_layers & trained if ".0." in name} == (
        set() if n_frozen else {name for name in of_layers if ".0." in name}
    )
    assert {name for name in of_layers if ".1." in name} <= trained
    assert not any("embeddings.word" in name or "tok_embeddings" in name or "embed_tokens" in name for name in trained)


def test_layers_that_share_their_weights_are_not_frozen_one_by_one(tmp_path: Path) -> None:
    tokenizer = write_tokenizer("wordpiece", tmp_path / "folder")
    write_config("albert", tmp_path / "folder", embedding_size=8, vocab_size=len(tokenizer))
    write_model(AutoModel, tmp_path / "folder")
    encoder, _ = encoders.load(imported(tmp_path / "folder"))
    with pytest.raises(ConfigError, match="a model of type albert does not have 2 layers that can be frozen"):
        encoder.freeze(1)


def test_vectors_of_sentences_are_theirs(folder: Path) -> None:
    them = write_model(AutoModel, folder)
    path = imported(folder)
    encoder = SentenceEncoder(path, path.with_name("vocabulary.json"), "en", "cpu")
    inputs, _ = their_inputs(folder, them, pairs=False)
    with torch.no_grad():
        hidden = them(**inputs, output_hidden_states=True).hidden_states[1]
    is_token = inputs["attention_mask"][:, :, None]
    expected = (hidden * is_token).sum(dim=1) / is_token.sum(dim=1)
    assert (embed(encoder, [[line] for line in SENTENCES], "mean", layer=1) - expected).abs().max() <= 1e-5
    long = embed(encoder, [["a " * 500], ["a " * 126]], "mean")  # cut at 128 tokens
    assert torch.isfinite(long).all()


@pytest.mark.parametrize("command", ["fill-mask", "export-huggingface"])
def test_what_such_a_model_cannot_do_is_refused_by_the_command_line(tmp_path: Path, command: str) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModelForMaskedLM, folder)
    path = imported(folder)
    arguments = [command, str(path), "--vocabulary", str(path.with_name("vocabulary.json"))]
    arguments += ["--text", "a <mask>", "--language", "en"] if command == "fill-mask" else ["--output", "out"]
    with pytest.raises(SystemExit, match=r"an encoder of transformers( \(modernbert\), which can be fine-tuned)?"):
        main(arguments)
    with pytest.raises(CheckpointError, match="expected a model that was trained here"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba9"}, r"config.json: found an architecture 'mamba9' that transformers .* does not know"),
        ({"model_type": None}, r"found an architecture None that transformers"),
        ({"model_type": "gpt2"}, "found a model of type gpt2, expected an encoder that attends both ways"),
        ({"model_type": "bart"}, "found a model of type bart, expected an encoder"),
        ({"is_decoder": True}, "found a model of type modernbert, expected an encoder"),
        ({"num_hidden_layers": 3, "layer_types": None}, "found no weights layers.2"),
        ({"intermediate_size": 41}, "weights are missing or do not fit the settings"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8")) | changes
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        imported(folder)


def test_code_of_a_folder_is_not_run(tmp_path: Path) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModel, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["auto_map"] = {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "theirs.py").write_text("raise SystemExit('it was run')", encoding="utf-8")
    assert encoders.load(imported(folder))[0].config.dim == 16


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_damaged_files_are_refused(tmp_path: Path, content: str) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModel, folder)
    (folder / "model.safetensors").write_text(content)
    with pytest.raises(CheckpointError, match="weights are missing or do not fit the settings"):
        imported(folder)
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config.json is damaged"):
        imported(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_layers": 3}, r"found a model of n_layers: 2; expected n_layers: 3"),
        ({"dim": 32, "feedforward_dim": 41}, r"found a model of dim: 16, feedforward_dim: 40; expected dim: 32"),
        ({"max_positions": 131}, r"found a model of max_positions: 130; expected max_positions: 131"),
    ],
)
def test_another_shape_is_named(tmp_path: Path, changes: dict[str, int], message: str) -> None:
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModel, folder)
    with pytest.raises(CheckpointError, match=message):
        imported(folder, SHAPE.model_copy(update=changes))


def test_a_model_that_cannot_compute_so_many_positions_is_refused(tmp_path: Path) -> None:
    """Positions of RoBERTa begin behind the padding symbol: a table of 130 rows is for 128 tokens."""
    write_tokenizer("unigram", tmp_path / "folder")
    write_config("camembert", tmp_path / "folder")
    write_model(AutoModel, tmp_path / "folder")
    assert encoders.load(imported(tmp_path / "folder"))[0].config.max_positions == 128
    with pytest.raises(CheckpointError, match=r"a text of 129 tokens cannot be computed .* lower the max_positions"):
        imported(tmp_path / "folder", SHAPE.model_copy(update={"max_positions": 129}))


def test_a_tokenizer_with_more_pieces_than_embeddings_is_refused(tmp_path: Path) -> None:
    folder = folder_of("modernbert", tmp_path, vocab_size=100)
    write_model(AutoModel, folder)
    with pytest.raises(CheckpointError, match="a model of 100 pieces whose tokenizer is vocabulary"):
        imported(folder)


def test_a_tokenizer_of_bytes_needs_no_symbol_for_what_is_unknown(tmp_path: Path) -> None:
    write_tokenizer("bpe", tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    renamed = json.loads(json.dumps(content).replace('"<unk>"', '"<other>"'))
    (tmp_path / "tokenizer.json").write_text(json.dumps(renamed), encoding="utf-8")
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    del settings["unk_token"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    vocabulary = read_tokenizer(tmp_path, ["en"])
    assert vocabulary.symbols.unk == vocabulary.symbols.mask
    theirs = PreTrainedTokenizerFast.from_pretrained(tmp_path)(SENTENCES, add_special_tokens=False)["input_ids"]
    assert vocabulary.encode(SENTENCES, "en") == theirs


def test_without_transformers_all_else_works_and_such_a_model_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; sys.modules['transformers'] = None; import xlm_core.cli, xlm_core.tasks.retrieval"
    subprocess.run([sys.executable, "-c", code], check=True)
    folder = folder_of("modernbert", tmp_path)
    write_model(AutoModel, folder)
    path = imported(folder)
    monkeypatch.setitem(sys.modules, "transformers", None)
    for use in (lambda: encoders.load(path), lambda: imported(folder)):
        with pytest.raises(ConfigError, match=r"run by the package transformers, .* pip install -e '.\[interop\]'"):
            use()
