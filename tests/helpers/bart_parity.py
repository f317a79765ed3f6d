"""A small translator with random weights, and BART of ``transformers`` with the same weights."""

import numpy as np
import torch
from torch import nn
from transformers import BartConfig, BartForConditionalGeneration

from xlm_core.config import ModelConfig
from xlm_core.data.batch import PackedSequences
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import EOS, PAD

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
