"""The pretraining objectives: each is a way to prepare a batch, and one causal flag (paper, section 3).

| objective | batch | model call |
|---|---|---|
| CLM | a window, each token is to be predicted from those before it | causal |
| MLM | a window, some tokens hidden | bidirectional |
| TLM | a sentence and its translation, some tokens of both hidden | bidirectional |

Letters: B rows, T tokens, D dimensions, V tokens in the vocabulary, n predicted tokens.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE, Batch, from_arrays
from xlm_core.data.buckets import Joined
from xlm_core.data.masking import mask_tokens
from xlm_core.model.heads import ClassificationHead
from xlm_core.model.transformer import Transformer
from xlm_core.tally import Tally, zero

CAUSAL = {"clm": True, "mlm": False, "tlm": False}
MAX_SCORES = 1 << 26  # scores (predicted tokens x vocabulary) held at once: a quarter of a gigabyte in float32


def clm_batch(window: np.ndarray, language: int) -> Batch:
    """Predict each next token of ``window`` (B, T); nothing follows the last one."""
    labels = np.full(window.shape, IGNORE)
    labels[:, :-1] = window[:, 1:]
    return from_arrays(window, np.arange(window.shape[1]), np.array(language), labels=labels)


def mlm_batch(
    window: np.ndarray, language: int, weight: np.ndarray, masking: Masking, rng: np.random.Generator
) -> Batch:
    """Hide some tokens of ``window`` (B, T); ``weight`` (V,) as ``masking.weights`` makes it."""
    inputs, labels = mask_tokens(window, weight, masking, rng)
    return from_arrays(inputs, np.arange(window.shape[1]), np.array(language), labels=labels)


def tlm_batch(
    joined: Joined, languages: tuple[int, int], weight: np.ndarray, masking: Masking, rng: np.random.Generator
) -> Batch:
    """Hide some tokens of both halves of ``joined``; ``languages`` of the first and second column of the store."""
    inputs, labels = mask_tokens(joined.tokens, weight, masking, rng)
    in_second_column = joined.in_second != joined.swapped[:, None]
    halves = np.where(in_second_column, languages[1], languages[0])
    return from_arrays(inputs, joined.positions, halves, joined.lengths, labels)


def token_loss(model: Transformer, batch: Batch, causal: bool) -> Tally:
    """Predict the labelled tokens: CLM when ``causal``, MLM on a window, TLM on a joined pair (sections 3.2 to 3.4).

    The vocabulary is projected at the labelled positions only, and of those at no more at once than ``MAX_SCORES``
    allows: further ones are projected a second time when the gradient is computed, instead of being kept until then.
    """
    with _precision(batch.tokens.device):
        hidden = model(batch, causal).flatten(0, 1)[batch.predicted]  # (n, D)
        labels = batch.labels.flatten()[batch.predicted]  # (n,)
        size = max(1, MAX_SCORES // model.n_tokens)
        if len(labels) <= size:
            return _score(model.predict(hidden), labels)
        chunks = zip(hidden.split(size), labels.split(size), strict=True)
        tallies = (checkpoint(_predict_and_score, model, *chunk, use_reentrant=False) for chunk in chunks)
        return sum(tallies, start=zero(labels.device))


def classification_loss(model: Transformer, head: ClassificationHead, batch: Batch, labels: Tensor) -> Tally:
    """Predict one of the classes for each row of ``batch``; ``labels`` (B,) int64."""
    with _precision(batch.tokens.device):
        return _score(head(model(batch)), labels)


def _predict_and_score(model: Transformer, hidden: Tensor, labels: Tensor) -> Tally:
    return _score(model.predict(hidden), labels)


def _score(scores: Tensor, labels: Tensor) -> Tally:
    """Compare ``scores`` (n, V) with ``labels`` (n,), in float32 whatever the model computed in."""
    nats = functional.cross_entropy(scores.float(), labels, reduction="sum")
    return Tally(nats, len(labels), (scores.detach().argmax(dim=-1) == labels).sum())


def _precision(device: torch.device) -> torch.autocast:
    """Bfloat16 where a GPU computes in it, float32 everywhere else."""
    halved = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=halved)
