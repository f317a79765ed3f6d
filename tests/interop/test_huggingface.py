"""Hugging Face folders, against the ``transformers`` library that reads and writes them."""

import json

import pytest
import torch
from published_checkpoint import N_TOKENS, inputs, their_model, their_scores
from safetensors.torch import load_file, save_file
from small_model import write_vocabulary
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, XLMWithLMHeadModel
from transformers_folders import write_exported

from xlm_core.config import ModelConfig
from xlm_core.errors import CheckpointError
from xlm_core.interop.huggingface import export_model, import_model
from xlm_core.interop.tokenizer_files import write_tokenizer
from xlm_core.model.heads import ClassificationHead, Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS
from xlm_core.text.vocabulary import Vocabulary

CONFIG = ModelConfig(dim=16, n_layers=2, n_heads=4, feedforward_dim=64, attention_dropout=0.2, max_positions=12)
LANGUAGES = ("en", "fr")
UNLIKE = {"architectures", "transformers_version", "_name_or_path", "embed_init_std", "mask_token_id", "id2lang"}


def model(config=CONFIG, n_languages=2) -> Transformer:
    torch.manual_seed(1)
    return Transformer(config, N_TOKENS, n_languages).eval()


def read_by_them(kind, folder):
    """What the library makes of a folder; only the weights of a head that it was not asked for may be left over."""
    model, report = kind.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["mismatched_keys"]
    assert {name.partition(".")[0] for name in report["unexpected_keys"]} <= {"pred_layer"}
    return model.eval()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("config", [CONFIG, CONFIG.model_copy(update={"language_embeddings": False})])
def test_what_we_write_they_read_with_our_numbers(tmp_path, causal, config):
    ours, batch = model(config), inputs()
    write_exported(export_model(ours, ["fr", "en"], causal=causal), tmp_path)
    with torch.no_grad():
        hidden = ours(batch, causal)
        states = read_by_them(AutoModel, tmp_path)(batch.tokens, langs=batch.languages, lengths=batch.lengths)
        scores = their_scores(read_by_them(XLMWithLMHeadModel, tmp_path), batch)
    assert (states.last_hidden_state - hidden).abs().max() <= 1e-5
    assert (scores - ours.predict(hidden)).abs().max() <= 1e-5


def test_their_configuration_names_symbols_and_languages(tmp_path):
    write_exported(export_model(model(), ["fr", "en"]), tmp_path)
    config = AutoModel.from_pretrained(tmp_path).config
    assert (config.lang2id, config.id2lang) == ({"en": 0, "fr": 1}, {"0": "en", "1": "fr"})
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (0, 1, 2)
    assert (config.unk_index, config.mask_index, config.mask_token_id) == (3, 5, 5)
    assert (config.dropout, config.attention_dropout, config.layer_norm_eps) == (0.1, 0.2, 1e-12)


@pytest.mark.parametrize("n_languages", [1, 2])
def test_ours_to_theirs_to_ours_changes_no_bit(tmp_path, n_languages):
    ours, languages = model(n_languages=n_languages), LANGUAGES[:n_languages]
    write_exported(export_model(ours, languages, causal=True), tmp_path / "by us")
    read_by_them(XLMWithLMHeadModel, tmp_path / "by us").save_pretrained(tmp_path / "by them")
    for folder in ("by us", "by them"):
        imported, codes, objectives, *_ = import_model(tmp_path / folder)
        assert (imported.config, codes, objectives, imported.training) == (ours.config, languages, ["clm"], False)
        for name, tensor in ours.state_dict().items():
            assert torch.equal(imported.state_dict()[name], tensor)


@pytest.mark.parametrize("n_languages", [1, 2])
def test_theirs_to_ours_to_theirs_changes_no_bit(tmp_path, n_languages):
    theirs, batch = their_model(n_languages=n_languages), inputs()
    theirs.save_pretrained(tmp_path / "by them")
    ours, languages, objectives, *_ = import_model(tmp_path / "by them")
    with torch.no_grad():
        assert (ours.predict(ours(batch)) - their_scores(theirs, batch)).abs().max() <= 1e-5
    write_exported(export_model(ours, languages, causal=objectives == ["clm"]), tmp_path / "by us")
    written, expected = (load_file(tmp_path / folder / "model.safetensors") for folder in ("by us", "by them"))
    assert written.keys() == expected.keys()
    assert all(torch.equal(written[name], expected[name]) for name in expected)
    again, before = (
        {key: value for key, value in config.to_dict().items() if key not in UNLIKE}
        for config in (read_by_them(XLMWithLMHeadModel, tmp_path / "by us").config, theirs.config)
    )
    assert again == before


def test_the_epsilon_of_normalization_is_theirs(tmp_path):
    theirs, batch = their_model(), inputs()
    theirs.config.layer_norm_eps = 0.1
    theirs.save_pretrained(tmp_path)
    ours, *_ = import_model(tmp_path)
    with torch.no_grad():
        scores = their_scores(read_by_them(XLMWithLMHeadModel, tmp_path), batch)
        assert (ours.predict(ours(batch)) - scores).abs().max() <= 1e-5
    assert ours.config.norm_epsilon == 0.1


def test_languages_in_another_order_keep_their_embeddings(tmp_path):
    theirs = their_model()
    theirs.config.lang2id = {"fr": 0, "en": 1}
    theirs.save_pretrained(tmp_path)
    ours, languages, *_ = import_model(tmp_path)
    assert languages == ("en", "fr")
    assert torch.equal(ours.language_embeddings.weight, theirs.transformer.lang_embeddings.weight.flip(0))


def test_a_classifier_gives_them_our_scores(tmp_path):
    classifier, batch = Classifier(model(), 3, 0.3).eval(), inputs()
    labels = ["entailment", "neutral", "contradiction"]
    write_exported(export_model(classifier.encoder, LANGUAGES, head=classifier.head, labels=labels), tmp_path)
    theirs = read_by_them(AutoModelForSequenceClassification, tmp_path)
    with torch.no_grad():
        scores = theirs(batch.tokens, langs=batch.languages, lengths=batch.lengths).logits
        assert (scores - classifier(batch)).abs().max() <= 1e-5
    assert theirs.config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}
    assert theirs.sequence_summary.first_dropout.p == 0.3
    assert isinstance(theirs.sequence_summary.activation, torch.nn.Identity)


def test_a_classifier_is_read_back(tmp_path):
    """Its file lacks the bias of the prediction layer, which is zero then."""
    classifier, batch = Classifier(model(), 3, 0.3).eval(), inputs()
    exported = export_model(classifier.encoder, LANGUAGES, head=classifier.head, labels=["a", "b", "c"])
    write_exported(exported, tmp_path)
    read = import_model(tmp_path)
    with torch.no_grad():
        assert (read.head(read.model(batch)[:, 0]) - classifier(batch)).abs().max() <= 1e-5
    assert read.labels == ["a", "b", "c"] and read.head.dropout.p == 0.3
    assert read.model.output_bias.abs().max() == 0


def test_an_encoder_alone_and_an_old_folder_with_a_buffer_are_read(tmp_path):
    """As transformers 3.1 to 4.30 wrote them: with the numbers of the positions among the weights."""
    theirs, batch = their_model().transformer, inputs()
    theirs.config.architectures = ["XLMModel"]
    theirs.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(weights | {"position_ids": torch.arange(12)[None].float()}, tmp_path / "model.safetensors")
    ours = import_model(tmp_path).model
    with torch.no_grad():
        states = theirs(batch.tokens, langs=batch.languages, lengths=batch.lengths).last_hidden_state
        assert (ours(batch) - states).abs().max() <= 1e-5


def test_a_tokenizer_cuts_at_the_model_s_length(tmp_path):
    words = Vocabulary.read(write_vocabulary(tmp_path))
    write_tokenizer(words, tmp_path / "folder", LANGUAGES, 20)
    ids = AutoTokenizer.from_pretrained(tmp_path / "folder")("the dog " * 30, truncation=True)["input_ids"]
    assert len(ids) == 20 and ids[-1] == EOS


def test_what_they_cannot_represent_is_refused():
    narrow = model(CONFIG.model_copy(update={"feedforward_dim": 32}))
    with pytest.raises(CheckpointError, match="feedforward_dim 32 and dim 16"):
        export_model(narrow, LANGUAGES)
    with pytest.raises(CheckpointError, match="2 labels for 3 classes"):
        export_model(model(), LANGUAGES, head=ClassificationHead(16, 3, 0.1), labels=["yes", "no"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "t5"}, "found a model of type t5, expected one of bert, roberta, xlm-roberta, xlm"),
        ({"gelu_activation": False}, "gelu_activation"),
        ({"sinusoidal_embeddings": True}, "sinusoidal"),
        ({"asm": True}, "asm"),
        ({"pad_index": 0}, "found {'pad_index': 0}"),
        ({"eos_token_id": 3}, "found {'eos_token_id': 3}"),
        ({"n_heads": 5}, "must be a multiple"),
        ({"n_heads": "4"}, "n_heads"),
        ({"use_lang_emb": False}, "left over"),
        ({"lang2id": None, "id2lang": None}, "languages are not named"),
        ({"lang2id": {"en": 0, "fr": 1, "hi": 2}}, r"(?s)do not agree .*language_embeddings.*\[2, 16\].*\[3, 16\]"),
    ],
)
def test_configurations_of_other_models_are_refused(tmp_path, change, message):
    write_exported(export_model(model(), LANGUAGES), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=message):
        import_model(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff\xfe"])
def test_missing_and_damaged_files_are_named(tmp_path, name, content):
    write_exported(export_model(model(), LANGUAGES), tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name} ({'does not exist' if content is None else 'is damaged'})"):
        import_model(tmp_path)


def test_weights_that_are_missing_or_too_many_are_named(tmp_path):
    write_exported(export_model(model(), LANGUAGES), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    bias = tensors.pop("transformer.layer_norm1.1.bias")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing .'layer_norm1.1.bias'"):
        import_model(tmp_path)
    save_file(tensors | {"transformer.layer_norm1.1.bias": bias, "extra": bias.clone()}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"left over .'extra'"):
        import_model(tmp_path)
