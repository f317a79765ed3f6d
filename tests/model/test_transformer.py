from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import XLMConfig, XLMWithLMHeadModel

from xlm_core.config import ModelConfig
from xlm_core.data.batch import Batch, from_arrays
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import PAD

N_TOKENS, N_LANGUAGES = 60, 3
CONFIG = ModelConfig(
    dim=16, n_layers=2, n_heads=4, feedforward_dim=64, dropout=0.0, attention_dropout=0.0, max_positions=32
)


def model(seed=0, config=CONFIG, n_languages=N_LANGUAGES) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(config, N_TOKENS, n_languages).eval()


def batch(lengths=(9, 7, 4), seed=0, width=0) -> Batch:
    """Rows of two halves whose positions restart and whose languages differ, as TLM's."""
    rng = np.random.default_rng(seed)
    shape = (len(lengths), max(max(lengths), width))
    is_padding = np.arange(shape[1]) >= np.array(lengths)[:, None]
    tokens = np.where(is_padding, PAD, rng.integers(14, N_TOKENS, shape))
    column = np.arange(shape[1])
    positions = np.where(column < 3, column, column - 3)
    return from_arrays(tokens, positions, np.where(column < 3, 0, 2), np.array(lengths))


def test_every_embedding_that_is_read_is_trained_and_padding_is_not():
    """Also that of the id which is padding in XLM: in other vocabularies it is a token."""
    ours = model().train()
    tokens = np.array([[20, PAD, 21, 22], [23, PAD, PAD, PAD]])
    lengths = np.array([4, 1])
    ours(from_arrays(tokens, np.arange(4), np.array(0), lengths)).square().sum().backward()
    rows = ours.embeddings.weight.grad.abs().sum(dim=1)
    assert set(torch.nonzero(rows).flatten().tolist()) == {20, PAD, 21, 22, 23}
    ours.zero_grad()
    tokens[0, 1] = 24
    ours(from_arrays(tokens, np.arange(4), np.array(0), lengths)).square().sum().backward()
    assert not ours.embeddings.weight.grad[PAD].any()


def published(ours: Transformer, causal: bool) -> XLMWithLMHeadModel:
    """The independent implementation of the ``transformers`` library with the weights of ``ours``."""
    config = XLMConfig(
        vocab_size=N_TOKENS,
        emb_dim=16,
        n_layers=2,
        n_heads=4,
        dropout=0.0,
        attention_dropout=0.0,
        gelu_activation=True,
        causal=causal,
        n_langs=N_LANGUAGES,
        use_lang_emb=True,
        max_position_embeddings=32,
        pad_index=PAD,
    )
    theirs = XLMWithLMHeadModel(config).eval()
    theirs.load_state_dict(renamed(ours), strict=True)
    return theirs


def renamed(ours: Transformer) -> dict[str, torch.Tensor]:
    """The weights under their published names."""
    state = ours.state_dict()
    weights = {
        "transformer.embeddings.weight": state["embeddings.weight"],
        "transformer.position_embeddings.weight": state["position_embeddings.weight"],
        "transformer.lang_embeddings.weight": state["language_embeddings.weight"],
        "pred_layer.proj.weight": state["embeddings.weight"],
        "pred_layer.proj.bias": state["output_bias"],
    }
    for kind in ("weight", "bias"):
        weights[f"transformer.layer_norm_emb.{kind}"] = state[f"embedding_norm.{kind}"]
        for i in range(2):
            for name, part in zip("qkv", state[f"layers.{i}.attention.qkv.{kind}"].chunk(3), strict=True):
                weights[f"transformer.attentions.{i}.{name}_lin.{kind}"] = part
            names = {
                "attentions.{}.out_lin": "attention.out",
                "layer_norm1.{}": "attention_norm",
                "ffns.{}.lin1": "wide",
                "ffns.{}.lin2": "narrow",
                "layer_norm2.{}": "feedforward_norm",
            }
            for theirs, our_name in names.items():
                weights[f"transformer.{theirs.format(i)}.{kind}"] = state[f"layers.{i}.{our_name}.{kind}"]
    return weights


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [(9, 7, 4), (8, 8)])
def test_parity_with_the_published_model(causal, lengths):
    ours, inputs = model(), batch(lengths)
    arguments = {"input_ids": inputs.tokens, "position_ids": inputs.positions, "langs": inputs.languages}
    with torch.no_grad():
        hidden = ours(inputs, causal)
        theirs = published(ours, causal)(**arguments, lengths=inputs.lengths, output_hidden_states=True)
    assert (hidden - theirs.hidden_states[-1]).abs().max() <= 1e-5
    assert (ours.predict(hidden) - theirs.logits).abs().max() <= 1e-5


@pytest.mark.parametrize(
    ("config", "n_tokens", "n_languages", "expected"),
    [
        ({"dim": 1024, "n_layers": 6, "n_heads": 8, "feedforward_dim": 4096}, 64139, 2, 141_848_203),
        ({"dim": 1024, "n_layers": 12, "n_heads": 8, "feedforward_dim": 4096}, 95000, 15, 249_071_384),
        ({"dim": 2048, "n_layers": 12, "n_heads": 16, "feedforward_dim": 8192}, 30145, 1, 667_119_041),
    ],
)
def test_sizes_of_the_published_models(config, n_tokens, n_languages, expected):
    with torch.device("meta"):
        model = Transformer(ModelConfig(**config), n_tokens, n_languages)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.mark.parametrize("causal", [False, True])
def test_more_padding_changes_nothing(causal):
    ours = model()
    short, long = batch(), batch(width=15)
    long.tokens[:, :9] = short.tokens
    with torch.no_grad():
        expected, padded = ours(short, causal), ours(long, causal)
    assert (padded[:, :9] - expected).abs().max() < 1e-5
    assert (padded[:, 9:] == 0).all()
    assert (expected[2, 4:] == 0).all()


@pytest.mark.parametrize("recomputes", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_some_places_have_the_states_and_gradients_that_they_have_among_all(causal, recomputes):
    ours, inputs = model(), batch()
    ours.gradient_checkpointing = recomputes
    at = torch.tensor([0, 8, 9, 14, 21])
    weight = torch.randn(len(at), CONFIG.dim)
    results = []
    for states in (ours(inputs, causal, at), ours(inputs, causal).flatten(0, 1)[at]):
        results.append((states.detach(), torch.autograd.grad((states * weight).sum(), ours.layers.parameters())))
    (selected, gradients), (among_all, expected) = results
    assert (selected - among_all).abs().max() < 1e-6
    for ours_, theirs in zip(gradients, expected, strict=True):
        assert (ours_ - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("causal", [False, True])
def test_states_are_those_of_the_embeddings_and_of_models_cut_after_each_layer(causal):
    ours, inputs = model(config=CONFIG.model_copy(update={"n_layers": 3})), batch()
    with torch.no_grad():
        states = list(ours.states(inputs, causal))
        expected = [ours.embed(inputs).masked_fill((inputs.tokens == PAD)[:, :, None], 0.0)]
        layers = ours.layers
        for n in (1, 2, 3):
            ours.layers = layers[:n]
            expected.append(ours(inputs, causal))
    assert len(states) == len(expected) == 4
    assert all(torch.equal(state, other) for state, other in zip(states, expected, strict=True))
    assert not any(torch.allclose(below, above) for below, above in pairwise(states))


def test_permuting_the_batch_permutes_the_output():
    ours, inputs = model(), batch()
    order = torch.tensor([2, 0, 1])
    lengths = inputs.lengths[order].numpy()
    permuted = from_arrays(
        inputs.tokens[order].numpy(), inputs.positions[0].numpy(), inputs.languages[0].numpy(), lengths
    )
    with torch.no_grad():
        assert (ours(permuted) - ours(inputs)[order]).abs().max() < 1e-5


def test_a_causal_model_does_not_see_what_comes_later():
    ours, inputs, changed = model(), batch((9, 9)), batch((9, 9))
    changed.tokens[:, 5] = 59 - changed.tokens[:, 5] % 3
    with torch.no_grad():
        causal = (ours(changed, causal=True) - ours(inputs, causal=True)).abs().amax(dim=(0, 2))
        both_ways = (ours(changed) - ours(inputs)).abs().amax(dim=(0, 2))
    assert causal[:5].max() == 0
    assert causal[5:].min() > 0
    assert both_ways.min() > 0


def test_language_and_position_matter_and_can_be_switched_off():
    inputs = batch((6, 6))
    other = from_arrays(inputs.tokens.numpy(), inputs.positions.numpy(), np.array(1))
    blind = model(config=CONFIG.model_copy(update={"language_embeddings": False}))
    with torch.no_grad():
        assert not torch.allclose(model()(inputs), model()(other))
        assert torch.equal(blind(inputs), blind(other))
    assert blind.language_embeddings is None
    assert model(n_languages=1).language_embeddings is None


def test_averaged_language_embeddings_tell_no_language_from_another():
    """All have the states of the model whose every language embedding is the mean, and it is not trained."""
    averaged, expected, inputs = model(), model(), batch((6, 6))
    averaged.average_language_embeddings()
    mean = expected.language_embeddings.weight.detach().mean(dim=0)
    with torch.no_grad():
        for row in expected.language_embeddings.weight:
            row.copy_(mean)
    others = [from_arrays(inputs.tokens.numpy(), inputs.positions.numpy(), np.array(n)) for n in range(N_LANGUAGES)]
    states = [averaged(each) for each in others]
    assert all(torch.equal(each, expected(inputs)) for each in states)
    sum(states).sum().backward()
    assert averaged.language_embeddings.weight.grad is None
    blind = model(config=CONFIG.model_copy(update={"language_embeddings": False}))
    blind.average_language_embeddings()
    assert blind.language_embeddings is None


def test_initialization():
    ours = Transformer(ModelConfig(dim=64, n_layers=1, n_heads=4, feedforward_dim=256), 4000, 2)
    assert (ours.embeddings.weight[PAD] == 0).all()
    for table in (ours.embeddings, ours.position_embeddings):
        assert table.weight.std().item() == pytest.approx(64**-0.5, rel=0.02)
    assert ours.layers[0].wide.weight.abs().max().item() == pytest.approx(64**-0.5, rel=0.01)
    assert ours.layers[0].narrow.weight.abs().max().item() == pytest.approx(256**-0.5, rel=0.01)
    assert (ours.embedding_norm.weight == 1).all()
    assert torch.equal(model(seed=1).state_dict()["embeddings.weight"], model(seed=1).state_dict()["embeddings.weight"])
    assert not torch.equal(model(seed=1).embeddings.weight, model(seed=2).embeddings.weight)
