"""Hiding tokens for MLM and TLM (paper, section 3.3).

Letters: B rows of T tokens, V tokens in the vocabulary.
"""

import math

import numpy as np

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE
from xlm_core.text.vocabulary import MASK, N_SPECIAL, PAD


def weights(counts: np.ndarray, alpha: float) -> np.ndarray:
    """How readily each id is hidden: (V,) ``count ** -alpha``, so that frequent tokens are hidden less; 0 for specials.

    Args:
        counts: (V,) occurrences in the corpus; a piece that never occurred counts as one.
        alpha: 0.5 in the paper; 0 hides all pieces alike.
    """
    weight = np.maximum(counts, 1).astype(np.float64) ** -alpha
    weight[:N_SPECIAL] = 0
    return weight


def mask_tokens(
    tokens: np.ndarray, weight: np.ndarray, masking: Masking, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Hide a share of the tokens: most behind the mask symbol, some behind a random piece, some left as they are.

    A random piece is any piece of the vocabulary but a special symbol (the published code draws those too).

    Args:
        tokens: (B, T) ids.
        weight: (V,) of ``weights``; used when ``masking.frequency_exponent`` is above 0.
        masking: the shares.
        rng: draws.

    Returns:
        (B, T) input ids, and (B, T) labels that are ``IGNORE`` where nothing is predicted.
    """
    chosen = (
        _weighted(tokens, weight, masking.mask_prob, rng)
        if masking.frequency_exponent > 0
        else _even(tokens, masking.mask_prob, rng)
    )
    fate = rng.random(len(chosen))
    hidden = np.where(fate < masking.mask, MASK, tokens.ravel()[chosen])
    is_random = (fate >= masking.mask) & (fate < masking.mask + masking.random)
    hidden[is_random] = rng.integers(N_SPECIAL, len(weight), np.count_nonzero(is_random))
    inputs, labels = tokens.flatten(), np.full(tokens.size, IGNORE, dtype=np.int64)
    labels[chosen] = inputs[chosen]
    inputs[chosen] = hidden
    return inputs.reshape(tokens.shape), labels.reshape(tokens.shape)


def _even(tokens: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Places (n,) in the flattened ``tokens``, each chosen on its own; at least one, so that a loss exists.

    As published, ends of sentences may be chosen here (figure 1), but neither padding nor the first of a row.
    """
    eligible = tokens != PAD
    eligible[:, 0] = False
    places = np.flatnonzero(eligible)
    draw = rng.random(len(places))
    return places[draw <= max(share, draw.min(initial=1))]


def _weighted(tokens: np.ndarray, weight: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Places (n,) in the flattened ``tokens``: the share of all pieces, drawn by weight without replacement.

    The smallest of exponential variates divided by weights are such a draw (Efraimidis and Spirakis 2006), which
    needs no loop. Special symbols have no weight and are never chosen.
    """
    weight_here = weight[tokens.ravel()]
    places = np.flatnonzero(weight_here)
    count = math.ceil(share * len(places))
    if count == len(places):
        return places
    keys = rng.standard_exponential(len(places)) / weight_here[places]
    return np.sort(places[np.argpartition(keys, count)[:count]])
