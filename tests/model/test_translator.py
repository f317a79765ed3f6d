import numpy as np
import pytest
import torch
from torch import nn
from transformers import BartConfig, BartForConditionalGeneration

from xlm_core.config import ModelConfig
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch, target_batch
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import EOS, PAD

N_TOKENS = 40
CONFIG = ModelConfig(
    dim=16, n_layers=2, n_heads=4, feedforward_dim=32, dropout=0, attention_dropout=0, max_positions=16
)


def translator(seed=0, n_languages=1) -> EncoderDecoder:
    torch.manual_seed(seed)
    encoder, decoder = (Transformer(CONFIG, N_TOKENS, n_languages, reads) for reads in (False, True))
    return EncoderDecoder(encoder, decoder).eval()


def sentences(*lengths, seed=0) -> PackedSequences:
    rng = np.random.default_rng(seed)
    return PackedSequences.from_lists([rng.integers(14, N_TOKENS, length).tolist() for length in lengths])


def bart(ours: EncoderDecoder) -> BartForConditionalGeneration:
    """The ``transformers`` library's model of the same form, with the weights of ``ours``.

    Its positions begin at 2, its two halves share their embeddings, and its normalizations another epsilon.
    """
    sizes = {"d_model": 16, "vocab_size": N_TOKENS, "max_position_embeddings": 16, "dropout": 0.0}
    for half in ("encoder", "decoder"):
        sizes |= {f"{half}_layers": 2, f"{half}_attention_heads": 4, f"{half}_ffn_dim": 32}
    symbols = {"pad_token_id": PAD, "bos_token_id": EOS, "eos_token_id": EOS, "decoder_start_token_id": EOS}
    theirs = BartForConditionalGeneration(BartConfig(**sizes, **symbols, forced_eos_token_id=None)).eval()
    for module in theirs.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-12
    ours.encoder.embeddings = ours.decoder.embeddings
    theirs.model.shared.weight.data = ours.decoder.embeddings.weight.data
    theirs.final_logits_bias = ours.decoder.output_bias.data[None]
    theirs.tie_weights()
    for half in ("encoder", "decoder"):
        mine, stack = getattr(ours, half), getattr(theirs.model, half)
        stack.embed_positions.weight.data[2:] = mine.position_embeddings.weight.data
        stack.layernorm_embedding.load_state_dict(mine.embedding_norm.state_dict())
        for layer, other in zip(mine.layers, stack.layers, strict=True):
            other.self_attn_layer_norm.load_state_dict(layer.attention_norm.state_dict())
            other.final_layer_norm.load_state_dict(layer.feedforward_norm.state_dict())
            other.fc1.load_state_dict(layer.wide.state_dict())
            other.fc2.load_state_dict(layer.narrow.state_dict())
            other.self_attn.out_proj.load_state_dict(layer.attention.out.state_dict())
            _split(layer.attention.qkv, [other.self_attn.q_proj, other.self_attn.k_proj, other.self_attn.v_proj])
            if half == "decoder":
                reading, theirs_reading = layer.source_attention, other.encoder_attn
                other.encoder_attn_layer_norm.load_state_dict(layer.source_norm.state_dict())
                theirs_reading.out_proj.load_state_dict(reading.out.state_dict())
                theirs_reading.q_proj.load_state_dict(reading.queries.state_dict())
                _split(reading.keys_and_values, [theirs_reading.k_proj, theirs_reading.v_proj])
    return theirs


def _split(ours: nn.Linear, theirs: list[nn.Linear]) -> None:
    for number, linear in enumerate(theirs):
        linear.weight.data = ours.weight.data.chunk(len(theirs))[number]
        linear.bias.data = ours.bias.data.chunk(len(theirs))[number]


@pytest.mark.parametrize("lengths", [((5, 3, 7), (4, 6, 2)), ((5, 5), (3, 3))])
def test_parity_with_an_independent_encoder_and_decoder(lengths):
    ours = translator()
    theirs = bart(ours)
    source, target = sentence_batch(sentences(*lengths[0]), 0), target_batch(sentences(*lengths[1], seed=1), 0)
    with torch.no_grad():
        scores = ours.decoder.predict(ours(source, target))
        mask = torch.arange(source.tokens.shape[1]) < source.lengths[:, None]
        expected = theirs(input_ids=source.tokens, attention_mask=mask.long(), decoder_input_ids=target.tokens).logits
    is_token = target.tokens != PAD
    assert (scores - expected)[is_token].abs().max() <= 1e-5


def test_only_some_places_are_computed_with_the_same_result():
    ours = translator(n_languages=2)
    source, target = sentence_batch(sentences(4, 6), 0), target_batch(sentences(5, 3), 1)
    with torch.no_grad():
        some, everything = ours(source, target, target.predicted), ours(source, target)
    assert torch.allclose(some, everything.flatten(0, 1)[target.predicted], atol=1e-6)
    assert len(some) == 6 + 4  # every token of both, and their ends


def test_what_comes_later_in_the_translation_is_not_seen_and_the_source_is():
    ours = translator()
    source, target = sentence_batch(sentences(4), 0), target_batch(sentences(5), 0)
    later, other = target.tokens.clone(), source.tokens.clone()
    later[0, 3:] = 20
    other[0, 4] = 20
    with torch.no_grad():
        states = ours(source, target)
        changed = ours(source, target._with(lambda tensor: later if tensor is target.tokens else tensor))
        elsewhere = ours(source._with(lambda tensor: other if tensor is source.tokens else tensor), target)
    assert torch.equal(states[0, :3], changed[0, :3]) and not torch.allclose(states[0, 3:], changed[0, 3:])
    assert not torch.isclose(states, elsewhere).all(dim=-1).any()


def test_both_languages_matter():
    ours = translator(n_languages=2)
    text = sentences(4), sentences(5)
    with torch.no_grad():
        found = [
            ours(sentence_batch(text[0], source), target_batch(text[1], target))
            for source, target in ((0, 0), (1, 0), (0, 1))
        ]
    assert not torch.allclose(found[0], found[1]) and not torch.allclose(found[0], found[2])


def test_sentences_encode_by_length_are_as_if_read_together():
    """Nineteen of 3 to 14 tokens, the end included, out of order; in two groups, of which the first is narrower."""
    model, widths = translator(), []
    model.encoder.register_forward_pre_hook(lambda _, inputs: widths.append(inputs[0].tokens.shape[1]))
    lengths = sorted(range(19), key=lambda n: n * 7 % 19)
    source = sentence_batch(sentences(*(1 + n * 11 // 18 for n in lengths)), 0)
    with torch.inference_mode():
        together, by_length = model.encode(source), model.encode_by_length(source)
    assert (together.states - by_length.states).abs().max() <= 1e-5
    assert torch.equal(together.attention_mask, by_length.attention_mask)
    assert widths == [14, 12, 14]


def test_sentences_of_like_lengths_are_read_together():
    model, source = translator(), sentence_batch(sentences(*[9] * 20, 7), 0)
    with torch.inference_mode():
        assert torch.equal(model.encode(source).states, model.encode_by_length(source).states)
