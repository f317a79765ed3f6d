"""What a decoder remembers in the middle of a translation: keys and values of what it said and of what it reads.

Letters: N sentences, W hypotheses of each, R = N * W rows, L tokens of the longest translation, S tokens of the longest
source, D dimensions, H heads, K = D / H, V tokens in the vocabulary.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from xlm_core.model.attention import merge_heads
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import NORM_EPSILON, EncoderInput, EncoderOutput, TransformerLayer
from xlm_core.text.vocabulary import EOS, N_SPECIAL


class Memory:
    """A decoder in the middle of N * W translations that are all equally long.

    Of each layer it holds keys and values of the tokens so far, two of (R, H, L, K), and of the source, two of
    (N, H, S, K), which the W hypotheses of a sentence share.

    limits  (N,) tokens that a translation may have
    places  (N,) number of each sentence in the batch that was given
    length  tokens so far, the start symbol not counted
    """

    def __init__(
        self, translator: EncoderDecoder, source: EncoderInput, language: int, limits: Tensor, width: int = 1
    ) -> None:
        decoder, read = translator.decoder, translator.read_by_length(source)
        self.limits = limits
        self.places = torch.arange(len(limits), device=limits.device)
        self.length = 0
        self.width = width
        self._decoder = decoder
        self._hidden = None if read.attention_mask is None else _hidden(read.attention_mask, decoder.config.n_heads)
        self._layers = [_LayerCache.of(layer, read, int(limits.max()), width) for layer in decoder.layers]
        offsets = decoder.position_embeddings.weight  # (positions, D): all that is added to a token's embedding
        if decoder.language_embeddings is not None:
            offsets = offsets + decoder.language_embeddings.weight[language]
        self._offsets = offsets
        # With a bias of minus infinity a special symbol is never the likeliest, at no cost.
        self._bias = decoder.output_bias.clone()
        self._bias[:N_SPECIAL] = -math.inf
        self._bias[EOS] = decoder.output_bias[EOS]

    def step(self, tokens: Tensor) -> Tensor:
        """Append ``tokens`` (R,) and give the scores (R, V), before the softmax, of what may follow."""
        decoder = self._decoder
        x = decoder.embedding_norm(decoder.embeddings(tokens) + self._offsets[self.length])
        for layer in self._layers:
            x = layer.step(x, self.length, self._hidden)
        self.length += 1
        return functional.linear(x, decoder.embeddings.weight, self._bias)

    def reorder(self, rows: Tensor) -> None:
        """Let row i go on from what was row ``rows[i]`` (R,) of the same sentence."""
        for memory in self._layers:
            memory.keys[:, :, : self.length] = memory.keys[rows, :, : self.length]
            memory.values[:, :, : self.length] = memory.values[rows, :, : self.length]

    def keep(self, sentences: Tensor) -> None:
        """Go on with these ``sentences`` (n,) alone."""
        rows = (sentences[:, None] * self.width + torch.arange(self.width, device=sentences.device)).flatten()
        self._layers = [memory.of_rows(rows, sentences) for memory in self._layers]
        self._hidden = None if self._hidden is None else self._hidden[sentences]
        self.limits, self.places = self.limits[sentences], self.places[sentences]


Affine = tuple[Tensor, Tensor]  # weight and bias, of a linear map or of a normalization


class _Weights(NamedTuple):
    """A decoder's layer as weights and biases: to look them up in its modules takes a tenth of a short step."""

    attention: Affine  # of queries, keys and values
    attention_out: Affine
    attention_norm: Affine
    source_queries: Affine
    source_out: Affine
    source_norm: Affine
    wide: Affine
    narrow: Affine
    feedforward_norm: Affine

    @classmethod
    def of(cls, layer: TransformerLayer) -> "_Weights":
        """Those of ``layer``, in the order in which a token meets them."""
        modules = (
            *(layer.attention.qkv, layer.attention.out, layer.attention_norm),
            *(layer.source_attention.queries, layer.source_attention.out, layer.source_norm),
            *(layer.wide, layer.narrow, layer.feedforward_norm),
        )
        return cls(*((module.weight, module.bias) for module in modules))


class _LayerCache(NamedTuple):
    """Keys and values of one layer; shapes as in ``Memory``."""

    weights: _Weights
    keys: Tensor
    values: Tensor
    source_keys: Tensor
    source_values: Tensor

    @classmethod
    def of(cls, layer: TransformerLayer, source: EncoderOutput, n_tokens: int, width: int) -> "_LayerCache":
        """Room for ``n_tokens``, and the source."""
        keys, values = (part.contiguous() for part in layer.source_attention.read(source.states))
        n_sentences, n_heads, _, size = keys.shape
        room = (n_sentences * width, n_heads, n_tokens, size)
        return cls(_Weights.of(layer), keys.new_empty(room), keys.new_empty(room), keys, values)

    def of_rows(self, rows: Tensor, sentences: Tensor) -> "_LayerCache":
        """Those of some rows and sentences."""
        source = (self.source_keys[sentences], self.source_values[sentences])
        return _LayerCache(self.weights, self.keys[rows], self.values[rows], *source)

    def step(self, x: Tensor, length: int, hidden: Tensor | None) -> Tensor:
        """The layer's output (R, D) for token number ``length`` of each row, from its input ``x`` (R, D).

        ``hidden`` (N, H, 1, S) is minus infinity on padding of the source, zero elsewhere; None where there is none.
        """
        weights, linear = self.weights, functional.linear
        n_sentences, n_heads, _, size = self.source_keys.shape
        queries, keys, values = linear(x, *weights.attention).view(len(x), 3, n_heads, size).unbind(1)
        self.keys[:, :, length] = keys
        self.values[:, :, length] = values
        gathered = _gather(queries[:, :, None], self.keys[:, :, : length + 1], self.values[:, :, : length + 1], None)
        x = _norm(x + linear(gathered.flatten(0, 1), *weights.attention_out), *weights.attention_norm)
        # The hypotheses of a sentence read it together, as if they were the tokens of one text.
        queries = linear(x, *weights.source_queries).view(n_sentences, -1, n_heads, size).transpose(1, 2)
        gathered = _gather(queries, self.source_keys, self.source_values, hidden)
        x = _norm(x + linear(gathered.flatten(0, 1), *weights.source_out), *weights.source_norm)
        wide = functional.gelu(linear(x, *weights.wide))
        return _norm(x + linear(wide, *weights.narrow), *weights.feedforward_norm)


def _norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``x`` (R, D), normalized."""
    return functional.layer_norm(x, weight.shape, weight, bias, NORM_EPSILON)


def _hidden(visible: Tensor, n_heads: int) -> Tensor:
    """(N, H, 1, S) to add to the weights before the softmax, from (N, 1, 1, S) bool that is false on padding."""
    zeros = torch.zeros(visible.shape, device=visible.device)
    return zeros.masked_fill(~visible, -math.inf).repeat(1, n_heads, 1, 1)


def _gather(queries: Tensor, keys: Tensor, values: Tensor, hidden: Tensor | None) -> Tensor:
    """What queries (n, H, W, K) gather from keys and values (n, H, L, K): (n, W, D).

    For so few queries plain products are faster than PyTorch's attention, which is made for many.
    """
    shape = queries.shape
    queries, keys, values = queries.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2), values.flatten(0, 1)
    scale = shape[3] ** -0.5
    if hidden is None:
        scores = torch.bmm(queries * scale, keys)
    else:
        scores = torch.baddbmm(hidden.flatten(0, 1), queries, keys, alpha=scale)
    return merge_heads(torch.bmm(scores.softmax(dim=-1), values).view(shape))
