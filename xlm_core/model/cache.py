"""Cache of a decoder in the middle of translations: keys and values of their tokens so far and of their sources.

Shapes: N sentences, W hypotheses of each, R = N * W rows, L tokens of the longest translation, S tokens of the longest
source, D dimensions, H heads, K = D / H.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class LayerCache:
    """Keys and values of one decoder layer.

    keys, values                (R, H, L, K) of the tokens so far, with room for all
    source_keys, source_values  (N, H, S, K), which the W hypotheses of a sentence share
    source_bias                 (N, H, 1, S) added to attention scores: minus infinity on padding, else zero; None where
                                there is no padding
    length                      tokens so far
    """

    keys: Tensor
    values: Tensor
    source_keys: Tensor
    source_values: Tensor
    source_bias: Tensor | None
    length: int = 0

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values (R, H, 1, K) of the next token; return those of all tokens so far."""
        self.keys[:, :, self.length] = keys[:, :, 0]
        self.values[:, :, self.length] = values[:, :, 0]
        self.length += 1
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def reorder(self, rows: Tensor) -> None:
        """Continue row i with the tokens of row ``rows[i]`` (R,) of the same sentence."""
        for cached in (self.keys, self.values):
            cached[:, :, : self.length] = cached[rows, :, : self.length]

    def select(self, rows: Tensor, sentences: Tensor) -> None:
        """Keep these rows and sentences."""
        self.keys, self.values = self.keys[rows], self.values[rows]
        self.source_keys, self.source_values = self.source_keys[sentences], self.source_values[sentences]
        self.source_bias = None if self.source_bias is None else self.source_bias[sentences]


@dataclass
class DecoderCache:
    """Cache of N * W equally long translations.

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
        for layer in self.layers:
            layer.select(rows, sentences)
        self.max_lengths, self.indices = self.max_lengths[sentences], self.indices[sentences]
