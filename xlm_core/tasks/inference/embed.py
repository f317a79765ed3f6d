"""Sentence vectors.

A caution: XLM was never trained to make them. Until it is fine-tuned, the cosine of two vectors says little about
whether sentences mean the same; means over tokens serve better than the first state, which only fine-tuning fills.

Letters: N sentences, B of a batch, T tokens, D dimensions.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from xlm_core.errors import ConfigError, CorpusError
from xlm_core.tasks.inference.encoder import SentenceEncoder

BATCH_SIZE = 64

Pooling = Literal["first", "mean", "max"]


@torch.inference_mode()
def embed(reader: SentenceEncoder, sentences: Sequence[str], pooling: Pooling) -> Tensor:
    """The vectors (N, D) of tokenized sentences, in their order, float32 on the CPU.

    Sentences of similar length are computed together, without dropout. Which ones share a batch changes nothing but
    the last bits of a vector.

    Args:
        reader: the model, and the language of the sentences.
        sentences: (N,) tokens separated by blanks.
        pooling: over the last layer's states of ``</s> a </s>``: "first" is what fine-tuning reads (section 5.1),
            "mean" and "max" go over all of them, end symbols included.

    Raises:
        CorpusError: there is no sentence.
        ConfigError: the first state is asked of a causal model, whose first state sees nothing of a sentence.
    """
    if not sentences:
        raise CorpusError("no sentences to embed; give one per line")
    if pooling == "first" and reader.is_causal:
        raise ConfigError("pooling 'first': in a model trained by CLM it is the same for all sentences; take 'mean'")
    encoded = reader.encode(sentences)
    order = sorted(range(len(encoded)), key=lambda number: len(encoded[number]))
    vectors = torch.empty(len(encoded), reader.model.config.dim)
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        batch = reader.batch([encoded[row] for row in rows])
        hidden = reader.model(batch, reader.is_causal)
        vectors[rows] = pool(hidden, batch.lengths, pooling).float().cpu()
    return vectors


def pool(hidden: Tensor, lengths: Tensor, pooling: Pooling) -> Tensor:
    """One vector (B, D) for each row of ``hidden`` (B, T, D), whatever stands beyond its ``lengths`` (B,)."""
    if pooling == "first":
        return hidden[:, 0]
    padding = (torch.arange(hidden.shape[1], device=hidden.device) >= lengths[:, None])[:, :, None]  # (B, T, 1)
    if pooling == "mean":
        return hidden.masked_fill(padding, 0.0).sum(dim=1) / lengths[:, None]
    return hidden.masked_fill(padding, -torch.inf).amax(dim=1)
