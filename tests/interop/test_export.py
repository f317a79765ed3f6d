"""Exported folders: models of the BERT family, complete settings, pipelines on raw text, and translators."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from small_model import CONFIG, LANGUAGES, write_model, write_vocabulary
from small_translator import write_translator
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)
from transformers_folders import KINDS, SENTENCES, write_config, write_tokenizer
from transformers_folders import write_model as write_theirs

from xlm_core.cli import main
from xlm_core.config import Text
from xlm_core.data.batch import Batch
from xlm_core.data.labelled import join_sentences
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.interop import bert, encoders
from xlm_core.interop.convert import export_huggingface, import_huggingface
from xlm_core.interop.tokenizer_files import write_tokenizer as write_tokenizer_files
from xlm_core.model import checkpoint
from xlm_core.model.heads import ClassificationHead
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.classification.predict import ClassificationPipeline
from xlm_core.tasks.inference import SentenceEncoder, embed, encode_fields, fill_mask
from xlm_core.text.tokenize import tokenize_line
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.version import VERSION

AWKWARD = "thecat e\u0301é\u200b\u200c\u200d\u00a0\u3000\t\r\u0085\x1c\x07\u00ad\ufeff\u2028ß"
LABELS = ["no", "maybe", "yes"]
# What a library notes of itself, and what only generation and training with it read.
OWN = {"transformers_version", "_name_or_path", "output_hidden_states", "output_attentions", "return_dict",
       "chunk_size_feed_forward", "is_encoder_decoder", "id2label", "label2id", "problem_type"}  # fmt: skip


def trained_further(folder: Path, model_type: str, has_head: bool, pooler: bool | None = None) -> list[str]:
    """The arguments of a model that was imported, trained further and maybe fine-tuned."""
    write_tokenizer(KINDS[model_type], folder / "theirs")
    write_config(model_type, folder / "theirs")
    kind = AutoModelForSequenceClassification if pooler else AutoModelForMaskedLM
    write_theirs(kind, folder / "theirs")
    import_huggingface(folder / "theirs", ["en", "fr"], folder / "ours")
    path = folder / "ours" / "model.safetensors"
    model, metadata = checkpoint.load(path)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    head = None
    if has_head:
        head = ClassificationHead(model.config.dim, 3, 0.2)
        metadata |= {"labels": LABELS, "max_tokens": 64}
    checkpoint.save(path, model, metadata, head=head)
    return [str(path), "--vocabulary", str(path.with_name("vocabulary.json"))]


def exported(arguments: list[str], folder: Path, *options: str) -> Path:
    main(["export-huggingface", *arguments, "--output", str(folder), *options])
    return folder


def inputs_of(folder: Path, arguments: list[str], pairs: bool) -> tuple[Any, Batch]:
    """Raw sentences, or pairs of them, as the exported tokenizer batches them and as ours does."""
    seconds = SENTENCES[::-1]
    theirs = AutoTokenizer.from_pretrained(folder)(
        SENTENCES, seconds if pairs else None, padding=True, return_tensors="pt"
    )
    encoder = SentenceEncoder(Path(arguments[0]), Path(arguments[2]), "en", "cpu")
    examples = list(zip(SENTENCES, seconds, strict=True) if pairs else zip(SENTENCES, strict=True))
    fields = encode_fields(encoder.vocabulary, "en", examples)
    return theirs, encoder.batch([join_sentences(each, 128, encoder.vocabulary.symbols) for each in fields])


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("model_type", KINDS)
def test_a_model_that_was_trained_further_is_theirs_again(tmp_path: Path, model_type: str, pairs: bool) -> None:
    arguments = trained_further(tmp_path, model_type, has_head=False)
    folder = exported(arguments, tmp_path / "again")
    ours = checkpoint.load(Path(arguments[0]))[0]
    theirs, report = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert type(theirs).__name__ == f"{bert.CLASSES_OF[model_type]}ForMaskedLM"
    assert not any(report.values())
    inputs, batch = inputs_of(folder, arguments, pairs)
    assert batch.tokens.tolist() == inputs["input_ids"].tolist()
    with torch.no_grad():
        expected, states = ours(batch), AutoModel.from_pretrained(folder)(**inputs).last_hidden_state
        scores = theirs(**inputs).logits
    is_token = inputs["attention_mask"].bool()
    assert (states - expected)[is_token].abs().max() <= 1e-5
    assert (scores - ours.predict(expected))[is_token].abs().max() <= 1e-5
    assert (folder / "tokenizer.json").read_bytes() == (tmp_path / "theirs" / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("pooler", [False, True])
@pytest.mark.parametrize("model_type", KINDS)
def test_a_classifier_with_or_without_pooler_is_theirs(tmp_path: Path, model_type: str, pooler: bool) -> None:
    arguments = trained_further(tmp_path, model_type, has_head=True, pooler=pooler)
    folder = exported(arguments, tmp_path / "again")
    ours = encoders.load_classifier(Path(arguments[0]))[0]
    assert (ours.encoder.pooler is not None) == pooler
    theirs, report = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    inputs, batch = inputs_of(folder, arguments, pairs=True)
    with torch.no_grad():
        scores, expected = theirs(**inputs).logits, ours(batch)
    assert (scores - expected).abs().max() <= 1e-5 and expected.std() > 0.1
    assert ("begin with the encoder alone" in (folder / "README.md").read_text()) == (not pooler)
    assert AutoTokenizer.from_pretrained(folder).model_max_length == 64


@pytest.mark.parametrize("has_head", [False, True])
@pytest.mark.parametrize("model_type", KINDS)
def test_what_is_exported_is_imported_again_without_a_change(tmp_path: Path, model_type: str, has_head: bool) -> None:
    """A classifier comes back without what predicts tokens."""
    arguments = trained_further(tmp_path, model_type, has_head)
    main(["import-huggingface", str(exported(arguments, tmp_path / "again")), "--languages", "en", "fr",
          "--output", str(tmp_path / "ours again")])  # fmt: skip
    (before, head_before, about), (after, head, described) = (
        checkpoint.load_any(path) for path in (Path(arguments[0]), tmp_path / "ours again" / "model.safetensors")
    )
    state = after.state_dict()
    old = before.state_dict()
    changed = {name for name in old if name not in state or not torch.equal(old[name], state[name])}
    assert all("prediction_transform" in name or "output_bias" in name for name in changed)
    assert bool(changed) == has_head and (head is None) == (head_before is None)
    assert head is None or torch.equal(head.classes.weight, head_before.classes.weight)
    assert described["vocabulary"] == about["vocabulary"] and described["origin"]["model_type"] == model_type
    assert described.get("labels") == about.get("labels")
    again = exported([str(tmp_path / "ours again" / "model.safetensors"), *arguments[1:]], tmp_path / "third")
    assert (again / "model.safetensors").read_bytes() == (tmp_path / "again" / "model.safetensors").read_bytes()


def test_an_encoder_alone_stays_one(tmp_path: Path) -> None:
    write_tokenizer("unigram", tmp_path)
    write_config("xlm-roberta", tmp_path)
    write_theirs(AutoModel, tmp_path)
    import_huggingface(tmp_path, ["en"], tmp_path / "ours")
    model, _ = checkpoint.load(tmp_path / "ours" / "model.safetensors")
    written = bert.export_model(model, Vocabulary.read(tmp_path / "ours" / "vocabulary.json").symbols, "xlm-roberta")
    assert written.settings["architectures"] == ["XLMRobertaModel"]
    assert not any(name.startswith("lm_head") for name in written.weights)


def test_a_model_of_here_with_bert_s_options_has_a_type_of_theirs(tmp_path: Path) -> None:
    """It is of XLM-R's type, with another padding symbol; where it tells languages apart, one must be named."""
    words = write_vocabulary(tmp_path, Text(tokenization="none"))
    vocabulary = Vocabulary.read(words)
    torch.manual_seed(0)
    config = CONFIG.model_copy(update={"prediction_transform": True})
    metadata = {"languages": ["en", "fr"], "objectives": ["mlm"], "vocabulary": vocabulary.digest}
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, Transformer(config, len(vocabulary), 2), metadata | {"config": "c", "data": "d"})
    with pytest.raises(CheckpointError, match="name the language of the text with --language"):
        export_huggingface(path, words, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    export_huggingface(path, words, tmp_path / "fr", "fr")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "fr")
    inputs = tokenizer(["le chat dort", "un chien"], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(tmp_path / "fr")(**inputs).last_hidden_state[:, 0]
    encoder = SentenceEncoder(path, words, "fr", "cpu")
    assert (states - embed(encoder, [["le chat dort"], ["un chien"]], "first")).abs().max() <= 1e-5


@pytest.fixture
def xlm(tmp_path: Path) -> list[str]:
    """The arguments of a model of XLM that reads raw text."""
    words = write_vocabulary(tmp_path, Text(tokenization="none"))
    return [str(write_model(tmp_path / "model.safetensors", words)), "--vocabulary", str(words)]


@pytest.mark.parametrize("model_type", ["xlm", *KINDS])
@pytest.mark.parametrize("has_head", [False, True])
def test_no_setting_is_left_to_the_library(tmp_path: Path, xlm: list[str], model_type: str, has_head: bool) -> None:
    arguments = trained_further(tmp_path, model_type, has_head) if model_type != "xlm" else xlm
    folder = exported(arguments, tmp_path / "again")
    written = json.loads((folder / "config.json").read_text())
    assert AutoConfig.from_pretrained(folder).to_dict().keys() - written.keys() <= OWN
    if has_head and model_type != "xlm":
        assert written["id2label"] == dict(zip("012", LABELS, strict=True))
        assert written["label2id"] == dict(zip(LABELS, range(3), strict=True))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    assert ("token_type_ids" in tokenizer["model_input_names"]) == (model_type == "bert")
    assert {"model_max_length", "bos_token", "eos_token", "pad_token", "mask_token"} <= tokenizer.keys()
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert file.metadata()["xlm_core"] == VERSION
    with safe_open(arguments[0], "pt") as file:
        assert json.loads(file.metadata()["xlm"])["version"] == VERSION


@pytest.mark.parametrize("model_type", ["xlm", *KINDS])
def test_pipelines_read_raw_text_as_the_command_line(tmp_path: Path, xlm: list[str], model_type: str) -> None:
    arguments = trained_further(tmp_path, model_type, has_head=False) if model_type != "xlm" else xlm
    folder = exported(arguments, tmp_path / "again", "--language", "en")
    encoder = SentenceEncoder(Path(arguments[0]), Path(arguments[2]), "en", "cpu")
    vocabulary, text = encoder.vocabulary, "The cat sees a dog!"

    def prepare(line: str) -> str:
        return tokenize_line(line, "en", Text(tokenization="none"))

    features = pipeline("feature-extraction", model=str(folder))(text)
    expected = embed(encoder, [[prepare(text)]], "mean")[0]
    assert np.abs(np.mean(features[0], axis=0) - expected.numpy()).max() <= 1e-5
    fill = pipeline("fill-mask", model=str(folder), top_k=len(vocabulary))
    theirs = {item["token"]: item["score"] for item in fill(f"the {fill.tokenizer.mask_token} sees a dog .")}
    for piece, probability in fill_mask(encoder, "the <mask> sees a dog .", 5, prepare)[0]:
        assert theirs[vocabulary.pieces.index(piece)] == pytest.approx(probability, abs=1e-5)


def test_a_classifier_whose_languages_have_one_embedding_needs_no_language(tmp_path: Path, xlm: list[str]) -> None:
    """So is every classifier by default: a pipeline, which passes no language, says what we say."""
    model, metadata = checkpoint.load(Path(xlm[0]))
    with torch.no_grad():
        model.average_language_embeddings()
        head = ClassificationHead(16, 3, 0.1)
    checkpoint.save(Path(xlm[0]), model, metadata | {"labels": LABELS, "max_tokens": 16}, head=head)
    folder = exported(xlm, tmp_path / "again")
    ours = ClassificationPipeline(Path(xlm[0]), Path(xlm[2]), "fr", "cpu").classify([["the cat", "a dog sees"]])[0]
    classify = pipeline("text-classification", model=str(folder), top_k=None)
    said = classify({"text": "the cat", "text_pair": "a dog sees"})
    assert {item["label"]: pytest.approx(item["score"], abs=1e-5) for item in said} == ours.probabilities
    import_huggingface(folder, [], tmp_path / "back")
    files = (tmp_path / "back" / name for name in ("model.safetensors", "vocabulary.json"))
    back = ClassificationPipeline(*files, "fr", "cpu")
    assert back.classify([["the cat", "a dog sees"]])[0].probabilities == pytest.approx(ours.probabilities, abs=1e-5)


def test_raw_text_has_our_ids(tmp_path: Path) -> None:
    """Of a vocabulary whose text is not tokenized: letters in parts, odd blanks, invisible characters."""
    vocabulary = Vocabulary.read(write_vocabulary(tmp_path, Text(tokenization="none")))
    write_tokenizer_files(vocabulary, tmp_path / "theirs", LANGUAGES)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "theirs")

    @settings(max_examples=400, deadline=None)
    @given(st.text(st.sampled_from(AWKWARD), max_size=25))
    def check(text: str) -> None:
        (ids,) = vocabulary.encode([tokenize_line(text, "en", Text(tokenization="none"))], "en")
        assert theirs(text)["input_ids"][1:-1] == ids

    check()


def test_a_language_that_the_model_lacks_and_a_translator_are_refused(tmp_path: Path, xlm: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"--language sw: .* was trained on en, fr"):
        export_huggingface(Path(xlm[0]), Path(xlm[2]), tmp_path / "none", "sw")
    (tmp_path / "translator").mkdir()
    model = write_translator(tmp_path / "translator")[0]
    with pytest.raises(CheckpointError, match=r"found a translator; .* Share this file with its vocabulary\.json"):
        export_huggingface(model, model.with_name("vocabulary.json"), tmp_path / "none")
    assert not (tmp_path / "none").exists()
