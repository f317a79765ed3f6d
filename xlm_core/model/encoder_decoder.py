"""The translator: an encoder, a decoder of the same shape, and its cache (paper, sections 4.2 and 4.3).

Shapes: B rows, T tokens, S tokens of a source, D dimensions, N sentences, W hypotheses of each, R = N * W rows, V
tokens in the vocabulary.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.data.batch import EncoderInput
from xlm_core.model.attention import LayerCache
from xlm_core.model.transformer import EncoderOutput, Transformer, TransformerLayer, attention_mask_of
from xlm_core.text.special_symbols import EOS, N_SPECIAL

FULL_FRACTION = 0.75  # of positions that are not padding; a batch that has fewer is encoded in groups
GROUP = 16  # sentences


@dataclass
class DecoderCache:
    """Keys and values of N * W equally long unfinished translations and of their sources.

    layers       of the decoder
    offsets      (positions, D), position and language embeddings, which are added to token embeddings
    output_bias  (V,), minus infinity for special symbols that must not be generated
    max_lengths  (N,) tokens that a translation may have
    indices      (N,) index of each sentence in the batch that was given
    beam_size    W
    """

    layers: list[LayerCache]
    offsets: Tensor
    output_bias: Tensor
    max_lengths: Tensor
    indices: Tensor
    beam_size: int

    def reorder_cache(self, rows: Tensor) -> None:
        """Continue row i with the tokens of row ``rows[i]`` (R,) of the same sentence."""
        for layer in self.layers:
            layer.reorder(rows)

    def select(self, sentences: Tensor) -> None:
        """Keep these ``sentences`` (n,)."""
        hypotheses = torch.arange(self.beam_size, device=sentences.device)
        rows = (sentences[:, None] * self.beam_size + hypotheses).flatten()
        source_bias = self.layers[0].source_bias
        source_bias = None if source_bias is None else source_bias[sentences]
        for layer in self.layers:
            layer.select(rows, sentences, source_bias)
        self.max_lengths, self.indices = self.max_lengths[sentences], self.indices[sentences]


class EncoderDecoder(nn.Module):
    """Encodes sentences and decodes their translations."""

    def __init__(self, encoder: Transformer, decoder: Transformer) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, source: EncoderInput, target: EncoderInput, output_positions: Tensor | None = None) -> Tensor:
        """Compute the decoder's last states (B, T, D) for ``target``, or (n, D) at some positions of it."""
        states: Tensor = self.decoder(target, True, output_positions, self.encode(source))
        return states

    def encode(self, source: EncoderInput) -> EncoderOutput:
        """Encode B sentences of S tokens."""
        return EncoderOutput(self.encoder(source), attention_mask_of(source))

    def encode_by_length(self, source: EncoderInput) -> EncoderOutput:
        """Encode without dropout, sentences of similar lengths together, so that little padding is computed.

        Encoding is most of the work on the shorter half of a batch whose sentences are not sorted.
        """
        if source.lengths.sum() >= FULL_FRACTION * source.tokens.numel():
            return self.encode(source)
        states = self.encoder.embeddings.weight.new_zeros((*source.tokens.shape, self.encoder.config.dim))
        for rows in torch.split(source.lengths.argsort(), GROUP):
            group = source.select(rows)
            states[rows, : group.tokens.shape[1]] = self.encoder(group)
        return EncoderOutput(states, attention_mask_of(source))

    def init_cache(self, source: EncoderInput, language: int, max_lengths: Tensor, beam_size: int = 1) -> DecoderCache:
        """Encode N sentences and make room for their translations.

        Args:
            source: the sentences.
            language: id of the language to translate into.
            max_lengths: (N,) most tokens of each translation.
            beam_size: W.
        """
        decoder, encoded = self.decoder, self.encode_by_length(source)
        bias = None
        if encoded.attention_mask is not None:
            zeros = torch.zeros(encoded.attention_mask.shape, device=max_lengths.device)
            bias = zeros.masked_fill(~encoded.attention_mask, -math.inf).repeat(1, decoder.config.n_heads, 1, 1)
        n_tokens = int(max_lengths.max())
        offsets = decoder.position_embeddings.weight
        if decoder.language_embeddings is not None:
            offsets = offsets + decoder.language_embeddings.weight[language]
        # With a bias of minus infinity a special symbol is never the likeliest, at no cost.
        output_bias = decoder.output_bias.clone()
        output_bias[:N_SPECIAL] = -math.inf
        output_bias[EOS] = decoder.output_bias[EOS]
        return DecoderCache(
            layers=[_layer_cache(layer, encoded.states, bias, n_tokens, beam_size) for layer in decoder.layers],
            offsets=offsets,
            output_bias=output_bias,
            max_lengths=max_lengths,
            indices=torch.arange(len(max_lengths), device=max_lengths.device),
            beam_size=beam_size,
        )

    def step(self, tokens: Tensor, cache: DecoderCache) -> Tensor:
        """Append ``tokens`` (R,) to the translations and compute the scores (R, V) of their next tokens."""
        decoder, position = self.decoder, cache.layers[0].length
        x = decoder.embedding_norm(decoder.embeddings(tokens) + cache.offsets[position])
        for layer, layer_cache in zip(decoder.layers, cache.layers, strict=True):
            x = layer(x, None, True, cache=layer_cache)
        return functional.linear(x, decoder.embeddings.weight, cache.output_bias)


def _layer_cache(
    layer: nn.Module, states: Tensor, source_bias: Tensor | None, n_tokens: int, beam_size: int
) -> LayerCache:
    """Compute a layer's keys and values of the source, and make room for ``n_tokens``."""
    assert isinstance(layer, TransformerLayer) and layer.source_attention, "a decoder has cross-attention"
    keys, values = (part.contiguous() for part in layer.source_attention.read(states))
    n_sentences, n_heads, _, size = keys.shape
    room = (n_sentences * beam_size, n_heads, n_tokens, size)
    return LayerCache(keys.new_empty(room), keys.new_empty(room), keys, values, source_bias)
