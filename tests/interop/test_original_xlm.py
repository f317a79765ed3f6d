"""Published checkpoints, against the ``transformers`` library with the same weights."""

import logging
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_checkpoint import N_TOKENS, PIECES, inputs, original_checkpoint, saved, their_model, their_scores
from transformers import XLMConfig, XLMWithLMHeadModel

from xlm_core.config import ModelConfig
from xlm_core.errors import CheckpointError
from xlm_core.interop.original_xlm import from_original_names, read_checkpoint, to_original_names


@pytest.fixture
def content():
    return original_checkpoint(their_model())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pth"


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_its_scores_are_those_of_the_published_model(path, zipped, prefix):
    """The library's rule: everything but the prediction layer is prefixed with ``transformer.``."""
    saved(path, original_checkpoint(their_model(), prefix), zipped=zipped)
    weights = torch.load(path, weights_only=False)["model"]
    plain = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    renamed = {name if name.startswith("pred_layer") else f"transformer.{name}": plain[name] for name in plain}
    config = XLMConfig(vocab_size=N_TOKENS, emb_dim=16, n_layers=2, n_heads=4, n_langs=2, max_position_embeddings=12)
    theirs = XLMWithLMHeadModel(config).eval()
    theirs.load_state_dict(renamed, strict=True)

    imported, batch = read_checkpoint(path), inputs()
    assert (imported.model.predict(imported.model(batch)) - their_scores(theirs, batch)).abs().max() <= 1e-5
    assert not imported.model.training


def test_what_is_read_beside_the_weights(path, content):
    imported = read_checkpoint(saved(path, content))
    assert imported.pieces == PIECES[:N_TOKENS]
    assert (imported.languages, imported.objectives) == (("en", "fr"), ("mlm", "tlm"))
    assert imported.model.config == ModelConfig(
        dim=16, n_layers=2, n_heads=4, feedforward_dim=64, dropout=0.1, attention_dropout=0.0, max_positions=12
    )


@pytest.mark.parametrize("said_by", ["lang2id", "id2lang", "lgs"])
def test_languages_are_found_wherever_they_are_named(path, content, said_by):
    for key in {"lang2id", "id2lang", "lgs"} - {said_by}:
        del content["params"][key]
    assert read_checkpoint(saved(path, content)).languages == ("en", "fr")


def test_languages_in_another_order_keep_their_embeddings(path, content):
    content["params"]["lang2id"] = {"fr": 0, "en": 1}
    embeddings = read_checkpoint(saved(path, content)).model.language_embeddings.weight
    assert torch.equal(embeddings, content["model"]["module.lang_embeddings.weight"].flip(0))


def test_one_language_has_no_table(path):
    content = original_checkpoint(their_model(n_languages=1))
    content["params"] |= {"lang2id": {"en": 0}, "clm_steps": [("en", None)], "mlm_steps": []}
    imported = read_checkpoint(saved(path, content))
    assert imported.model.language_embeddings is None
    assert imported.objectives == ("clm",)


def test_of_a_translation_model_the_encoder_is_read_and_the_user_told(path, content, caplog):
    content["encoder"] = content.pop("model")
    content["decoder"] = {"layer_norm15.0.weight": torch.ones(16)}
    with caplog.at_level(logging.WARNING):
        imported = read_checkpoint(saved(path, content))
    assert imported.model.vocab_size == N_TOKENS
    assert "decoder left aside" in caplog.text


def test_published_names_there_and_back(path, content):
    model = read_checkpoint(saved(path, content)).model
    again, languages = from_original_names(to_original_names(model), content["params"], "here")
    assert (again.config, languages) == (model.config, ("en", "fr"))
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)


class _Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_does_not_run(path, tmp_path, content, zipped):
    content["params"]["surprise"] = _Malicious(tmp_path / "created")
    saved(path, content, zipped=zipped)
    with pytest.raises(CheckpointError, match="could run code"):
        read_checkpoint(path)
    assert not (tmp_path / "created").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "created").exists(), "the file is not malicious: this test shows nothing"


def test_after_reading_no_class_stays_allowed(path, content):
    before = set(torch.serialization.get_safe_globals())
    read_checkpoint(saved(path, content))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sinusoidal_embeddings": True}, "sinusoidal_embeddings"),
        ({"asm": True}, "asm"),
        ({"use_memory": True}, "use_memory"),
        ({"gelu_activation": False}, "found {'gelu_activation': False}, expected {'gelu_activation': True}"),
        ({"n_heads": None}, "n_heads: .*found None"),
        ({"n_heads": 3}, r"dim \(16\) must be a multiple of n_heads \(3\)"),
        ({"use_lang_emb": False}, r"left over \['lang_embeddings.weight'\]"),
        ({"lang2id": {"en": 0, "fr": 2}}, "expected 0, 1, 2"),
        ({"lang2id": {"de": 0, "en": 1, "fr": 2}}, r"(?s)do not agree .*language_embeddings.*\[2, 16\].*\[3, 16\]"),
        ({"lang2id": None, "id2lang": None, "lgs": None}, "languages are not named"),
    ],
)
def test_a_model_that_is_not_of_the_paper_is_refused(path, content, change, message):
    content["params"] |= change
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(saved(path, content))


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("attentions.1.q_lin.weight", None, "q_lin|missing"),
        ("layer_norm15.0.weight", torch.ones(16), "left over .'layer_norm15.0.weight'"),
        ("layer_norm1.0.bias", torch.ones(17), "do not agree"),
        ("pred_layer.proj.weight", torch.zeros(N_TOKENS, 16), "weights of its own"),
        ("embeddings.weight", None, "not those of an XLM encoder"),
        ("position_embeddings.weight", 3, "expected weights"),
    ],
)
def test_weights_of_another_model_are_refused(path, content, name, tensor, message):
    content["model"].pop("module." + name, None)
    if tensor is not None:
        content["model"]["module." + name] = tensor
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(saved(path, content))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("dico_id2word", None, "names fewer than its 30"),
        ("dico_id2word", dict(enumerate(PIECES[:29])), "names fewer than its 30"),
        ("dico_id2word", dict(enumerate(PIECES[::-1])), "special symbols"),
        ("params", None, "no settings"),
        ("model", None, "expected weights under 'model' or 'encoder'"),
    ],
)
def test_parts_that_are_missing_or_wrong_are_named(path, content, key, value, message):
    content[key] = value
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(saved(path, content))


def test_other_files_are_refused(path):
    with pytest.raises(CheckpointError, match="missing, damaged"):
        read_checkpoint(path)
    path.write_text("Not Found")
    with pytest.raises(CheckpointError, match="missing, damaged"):
        read_checkpoint(path)
    saved(path, [torch.zeros(2)])
    with pytest.raises(CheckpointError, match="holds a list"):
        read_checkpoint(path)


@pytest.fixture(scope="module", params=[True, False], ids=["zipped", "plain"])
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "model.pth"
    return saved(path, original_checkpoint(their_model()), zipped=request.param)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_refused(whole, tmp_path, share):
    (tmp_path / "cut.pth").write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path / "cut.pth")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.999), byte=st.integers(0, 255))
def test_a_damaged_file_is_refused_or_read_but_nothing_else_happens(whole, tmp_path, where, byte):
    """The format protects its weights by no checksum, so damage there cannot be seen."""
    damaged = bytearray(whole.read_bytes())
    damaged[int(where * len(damaged))] = byte
    (tmp_path / "damaged.pth").write_bytes(damaged)
    try:
        assert read_checkpoint(tmp_path / "damaged.pth").model.vocab_size == N_TOKENS
    except CheckpointError as error:
        assert "damaged.pth" in str(error)
