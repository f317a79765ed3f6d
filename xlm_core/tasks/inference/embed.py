"""Sentence embeddings.

XLM is not trained to embed sentences: before fine-tuning, the cosine of two vectors says little about whether sentences
mean the same. Means over tokens serve better than the first state, which only fine-tuning fills.

Shapes: N sentences, B of a batch, T tokens, D dimensions.
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
def embed(encoder: SentenceEncoder, sentences: Sequence[str], pooling: Pooling) -> Tensor:
    """Embed tokenized sentences: vectors (N, D) in their order, float32 on the CPU.

    Sentences of similar length share a batch, without dropout; which ones changes only the last bits of a vector.

    Args:
        sentences: (N,) tokens separated by blanks.
        pooling: over the last layer's states of ``</s> a </s>``: "first" is what fine-tuning reads (section 5.1),
            "mean" and "max" are over all of them, end symbols included.

    Raises:
        CorpusError: there is no sentence.
        ConfigError: the first state is asked of a causal model, whose first state attends to nothing of a sentence.
    """
    if not sentences:
        raise CorpusError("no sentences to embed; give one per line")
    if pooling == "first" and encoder.is_causal:
        raise ConfigError("pooling 'first': in a model trained by CLM it is the same for all sentences; take 'mean'")
    encoded = encoder.encode(sentences)
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    vectors = torch.empty(len(encoded), encoder.model.config.dim)
    for start in range(0, len(order), BATCH_SIZE):
        indices = order[start : start + BATCH_SIZE]
        batch = encoder.batch([encoded[index] for index in indices])
        hidden = encoder.model(batch, encoder.is_causal)
        vectors[indices] = pool(hidden, batch.lengths, pooling).float().cpu()
    return vectors


def pool(hidden: Tensor, lengths: Tensor, pooling: Pooling) -> Tensor:
    """Pool the states (B, T, D) of each row into one vector (B, D), without padding beyond its ``lengths`` (B,)."""
    if pooling == "first":
        return hidden[:, 0]
    padding = (torch.arange(hidden.shape[1], device=hidden.device) >= lengths[:, None])[:, :, None]  # (B, T, 1)
    if pooling == "mean":
        return hidden.masked_fill(padding, 0.0).sum(dim=1) / lengths[:, None]
    return hidden.masked_fill(padding, -torch.inf).amax(dim=1)
