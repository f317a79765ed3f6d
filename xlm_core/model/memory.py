"""What a decoder remembers in the middle of a translation: keys and values of what it said and of what it reads.

Letters: N sentences, W hypotheses of each, R = N * W rows, L tokens of the longest translation, S tokens of the longest
source, D dimensions, H heads, K = D / H, V tokens in the vocabulary.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from xlm_core.model.attention import joined
from xlm_core.model.transformer import Inputs, Layer, Source
from xlm_core.model.translator import Translator
from xlm_core.text.vocabulary import EOS, N_SPECIAL


class Memory:
    """A decoder in the middle of N * W translations that are all equally long.

    Of each layer it holds keys and values of the tokens so far, two of (R, H, L, K), and of the source, two of
    (N, H, S, K), which the W hypotheses of a sentence share.

    limits  (N,) tokens that a translation may have
    places  (N,) number of each sentence in the batch that was given
    length  tokens so far, the start symbol not counted
    """

    def __init__(self, translator: Translator, source: Inputs, language: int, limits: Tensor, width: int = 1) -> None:
        decoder, read = translator.decoder, translator.read_by_length(source)
        self.limits = limits
        self.places = torch.arange(len(limits), device=limits.device)
        self.length = 0
        self.width = width
        self._decoder = decoder
        self._hidden = None if read.visible is None else _hidden(read.visible, decoder.config.n_heads)
        self._layers = [_LayerMemory.of(layer, read, int(limits.max()), width) for layer in decoder.layers]
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
        for layer, memory in zip(decoder.layers, self._layers, strict=True):
            x = memory.step(layer, x, self.length, self._hidden)
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


class _LayerMemory(NamedTuple):
    """Keys and values of one layer; shapes as in ``Memory``."""

    keys: Tensor
    values: Tensor
    source_keys: Tensor
    source_values: Tensor

    @classmethod
    def of(cls, layer: Layer, source: Source, n_tokens: int, width: int) -> "_LayerMemory":
        """Room for ``n_tokens``, and the source."""
        keys, values = (part.contiguous() for part in layer.source_attention.read(source.states))
        n_sentences, n_heads, _, size = keys.shape
        room = (n_sentences * width, n_heads, n_tokens, size)
        return cls(keys.new_empty(room), keys.new_empty(room), keys, values)

    def of_rows(self, rows: Tensor, sentences: Tensor) -> "_LayerMemory":
        """Those of some rows and sentences."""
        return _LayerMemory(
            self.keys[rows], self.values[rows], self.source_keys[sentences], self.source_values[sentences]
        )

    def step(self, layer: Layer, x: Tensor, length: int, hidden: Tensor | None) -> Tensor:
        """The output (R, D) of ``layer`` for token number ``length`` of each row, from its input ``x`` (R, D).

        ``hidden`` (N, H, 1, S) is minus infinity on padding of the source, zero elsewhere; None where there is none.
        """
        queries, keys, values = layer.attention.project(x[:, None])
        self.keys[:, :, length] = keys[:, :, 0]
        self.values[:, :, length] = values[:, :, 0]
        gathered = _gather(queries, self.keys[:, :, : length + 1], self.values[:, :, : length + 1], None)
        x = layer.attention_norm(x + layer.attention.out(gathered).flatten(0, 1))
        # The hypotheses of a sentence read it together, as if they were the tokens of one text: (N, W, D).
        together = x.view(len(self.source_keys), -1, x.shape[-1])
        queries = layer.source_attention.project(together)
        gathered = _gather(queries, self.source_keys, self.source_values, hidden)
        x = layer.source_norm(x + layer.source_attention.out(gathered).flatten(0, 1))
        return layer.feed_forward(x)


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
    return joined(torch.bmm(scores.softmax(dim=-1), values).view(shape))
