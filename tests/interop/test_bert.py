"""Encoders of the BERT family, against ``transformers``, which makes the folders with random weights."""

import io
import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import processors
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)
from transformers_folders import (
    KINDS,
    MAKERS,
    SENTENCES,
    batches,
    wordpiece,
    write_config,
    write_model,
    write_tokenizer,
)

from xlm_core.cli import main
from xlm_core.errors import CheckpointError, CorpusError
from xlm_core.interop import bert, huggingface
from xlm_core.interop.pretrained import read_tokenizer
from xlm_core.model.heads import Classifier
from xlm_core.text.vocabulary import Vocabulary


@pytest.fixture(params=KINDS)
def model_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path, model_type: str) -> Path:
    """A folder with a tokenizer and the configuration of a small model."""
    write_tokenizer(KINDS[model_type], tmp_path)
    write_config(model_type, tmp_path)
    return tmp_path


@pytest.mark.parametrize("pairs", [False, True])
def test_ids_and_states_are_theirs(folder: Path, pairs: bool) -> None:
    them = write_model(AutoModel, folder)
    ours = huggingface.import_model(folder).model
    inputs, batch = batches(folder, pairs)
    assert batch.tokens.tolist() == inputs["input_ids"].tolist()
    with torch.no_grad():
        expected, states = them(**inputs).last_hidden_state, ours(batch)
    is_token = inputs["attention_mask"].bool()
    assert (states - expected)[is_token].abs().max() <= 1e-5
    assert expected[is_token].std(dim=0).mean() > 0.1  # it tells tokens apart


@pytest.mark.parametrize("pairs", [False, True])
def test_scores_of_hidden_tokens_are_theirs(folder: Path, pairs: bool) -> None:
    them = write_model(AutoModelForMaskedLM, folder)
    ours = huggingface.import_model(folder).model
    inputs, batch = batches(folder, pairs)
    with torch.no_grad():
        expected = them(**inputs).logits[:, 1]
        scores = ours.predict(ours(batch)[:, 1])
    assert (scores - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("pairs", [False, True])
def test_scores_of_classes_are_theirs(folder: Path, pairs: bool) -> None:
    them = write_model(AutoModelForSequenceClassification, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    read = bert.read_model(settings, huggingface.read_weights(folder / "model.safetensors"), str(folder))
    assert read.labels == ["no", "maybe", "yes"]
    inputs, batch = batches(folder, pairs)
    with torch.no_grad():
        classifier = Classifier(read.model, 3, 0.1).eval()
        classifier.head = read.head
        assert (classifier(batch) - them(**inputs).logits).abs().max() <= 1e-5


@pytest.mark.parametrize("kind", MAKERS)
def test_ids_of_every_kind_of_tokenizer_are_theirs(tmp_path: Path, kind: str) -> None:
    tokenizer = write_tokenizer(kind, tmp_path)
    vocabulary = read_tokenizer(tmp_path, ["en", "fr"])
    assert vocabulary.encode(SENTENCES, "fr") == tokenizer(SENTENCES, add_special_tokens=False)["input_ids"]
    assert len(vocabulary) == len(tokenizer)
    assert list(vocabulary.pieces) == tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    vocabulary.write(tmp_path / "vocabulary.json")
    again = Vocabulary.read(tmp_path / "vocabulary.json")
    assert (again.digest, again.symbols) == (vocabulary.digest, vocabulary.symbols)
    assert again.encode(SENTENCES, "en") == vocabulary.encode(SENTENCES, "en")
    ids = vocabulary.encode(SENTENCES[:1], "en")[0]
    assert vocabulary.decode([vocabulary.symbols.begin, *ids, vocabulary.symbols.end], "en") == tokenizer.decode(ids)


@pytest.mark.parametrize("kind", MAKERS)
def test_names_of_symbols_in_a_text_stay_text(tmp_path: Path, kind: str) -> None:
    write_tokenizer(kind, tmp_path)
    vocabulary = read_tokenizer(tmp_path, ["en"])
    ids = vocabulary.encode([f"a {piece} b" for piece in ("<mask>", "[MASK]", "</s>", "[SEP]")], "en")
    assert not {id_ for each in ids for id_ in each} & ({*vocabulary.symbols.special} - {vocabulary.symbols.unk})


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("text", ["The <mask> sleeps.", "<mask> cat", "a <mask>, <mask>!", "the<mask>"])
def test_masked_text_has_their_ids(tmp_path: Path, kind: str, text: str) -> None:
    tokenizer = write_tokenizer(kind, tmp_path)
    vocabulary = read_tokenizer(tmp_path, ["en"])
    expected = tokenizer(text.replace("<mask>", tokenizer.mask_token), add_special_tokens=False)["input_ids"]
    assert vocabulary.encode_masked(text, "<mask>", "en") == expected
    assert expected.count(vocabulary.symbols.mask) == text.count("<mask>")


def test_a_folder_becomes_a_model_of_the_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its classes of raw pairs are theirs, also of letters that are written in two parts."""
    them, output = write_model(AutoModelForSequenceClassification, folder), folder / "ours"
    main(["import-huggingface", str(folder), "--languages", "en", "fr", "--output", str(output)])
    pairs = [("The Cat\u200b é", "sleeps."), ("A child!", "eats bread, and it rains!")]
    typed = "".join(f"{unicodedata.normalize('NFD', a)}\t{b}\n" for a, b in pairs)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
    main(
        [
            "classify",
            str(output / "model.safetensors"),
            "--vocabulary",
            str(output / "vocabulary.json"),
            "--language",
            "fr",
        ]
    )
    said = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    first, second = (list(column) for column in zip(*[(a.replace("\u200b", " "), b) for a, b in pairs], strict=True))
    first = [" ".join(text.split()) for text in first]
    inputs = tokenizer(first, second, return_tensors="pt", padding=True, return_token_type_ids=True)
    with torch.no_grad():
        best = them(**inputs).logits.softmax(dim=-1).max(dim=-1)
    assert [label for label, _ in said] == [["no", "maybe", "yes"][index] for index in best.indices]
    assert [float(value) for _, value in said] == pytest.approx(best.values.tolist(), abs=1e-4)
    with pytest.raises(SystemExit, match="has none of its own; name yours with --languages"):
        main(["import-huggingface", str(folder), "--output", str(output)])


def test_symbols(tmp_path: Path) -> None:
    (tmp_path / "bert").mkdir(), (tmp_path / "roberta").mkdir()
    write_tokenizer("wordpiece", tmp_path / "bert"), write_tokenizer("unigram", tmp_path / "roberta")
    bert_like, roberta = (read_tokenizer(tmp_path / name, ["en"]).symbols for name in ("bert", "roberta"))
    assert (bert_like.pad, bert_like.unk, bert_like.mask) == (0, 1, 4)
    assert (bert_like.begin, bert_like.between, bert_like.end, bert_like.has_segments) == (2, [3], 3, True)
    assert bert_like.special == [0, 1, 2, 3, 4]
    assert (roberta.begin, roberta.between, roberta.end, roberta.has_segments) == (0, [2, 2], 2, False)
    assert roberta.mask == roberta.special[-1] and roberta.special[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize("is_lower", [True, False])
def test_word_pieces_alone_are_a_tokenizer(tmp_path: Path, is_lower: bool) -> None:
    """As folders of the first years have them."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "Cat", "##s", ".", "é", "e"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": is_lower}), encoding="utf-8")
    vocabulary = read_tokenizer(tmp_path, ["en"])
    expected = ["the", "cat", "##s", "e", "."] if is_lower else ["[UNK]", "Cat", "##s", "é", "."]
    assert [vocabulary.pieces[id_] for id_ in vocabulary.encode(["The Cats é."], "en")[0]] == expected
    assert vocabulary.symbols.has_segments and vocabulary.symbols.mask == 4
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert (
        vocabulary.encode(["The Cats é."], "en")[0] == tokenizer("The Cats é.", add_special_tokens=False)["input_ids"]
    )


def test_old_names_of_normalizations_are_read(folder: Path) -> None:
    write_model(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = huggingface.read_weights(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in weights.items()
    }
    states = [bert.read_model(settings, each, "here").model.state_dict() for each in (weights, old)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "relu"}, "found {'hidden_act': 'relu'}, expected {'hidden_act': 'gelu'}"),
        ({"is_decoder": True}, "found {'is_decoder': True}"),
        ({"num_hidden_layers": 3}, "found no weights or setting 'encoder.layer.2"),
        ({"num_attention_heads": 3}, "do not agree"),
        ({"hidden_size": 32}, "do not agree"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any], message: str) -> None:
    write_model(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8")) | changes
    with pytest.raises(CheckpointError) as error:
        bert.read_model(settings, huggingface.read_weights(folder / "model.safetensors"), "folder")
    assert message in str(error.value)


def test_an_output_of_its_own_is_refused(folder: Path) -> None:
    write_model(AutoModelForMaskedLM, folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = huggingface.read_weights(folder / "model.safetensors")
    name = "cls.predictions.decoder.weight" if settings["model_type"] == "bert" else "lm_head.decoder.weight"
    embeddings = next(tensor for key, tensor in weights.items() if key.endswith("word_embeddings.weight"))
    assert bert.read_model(settings, weights | {name: embeddings.clone()}, "here").model.vocab_size == len(embeddings)
    with pytest.raises(CheckpointError, match="here: the output has weights of its own"):
        bert.read_model(settings, weights | {name: embeddings + 1}, "here")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"model": {"type": "None"}}'])
def test_what_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"found no tokenizer that can be read; expected tokenizer.json or vocab.txt"):
        read_tokenizer(tmp_path, ["en"])
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(CorpusError, match="does not hold a tokenizer"):
        read_tokenizer(tmp_path, ["en"])


def test_a_tokenizer_that_puts_nothing_around_a_sentence_is_refused(tmp_path: Path) -> None:
    tokenizer = wordpiece()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CorpusError, match="expected one symbol before a sentence and one after it"):
        read_tokenizer(tmp_path, ["en"])
