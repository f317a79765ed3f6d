"""Masking: which tokens MLM and TLM predict, and what replaces them (paper, section 3.3).

Shapes: B rows of T tokens, V tokens in the vocabulary, n tokens.
"""

import math

import numpy as np

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE
from xlm_core.text.special_symbols import XLM_SYMBOLS, SpecialSymbols


def masking_weights(counts: np.ndarray, exponent: float, symbols: SpecialSymbols = XLM_SYMBOLS) -> np.ndarray:
    """Compute the weight (V,) of each id in sampling, ``count ** -exponent``; 0 for special symbols.

    Args:
        counts: (V,) occurrences in the corpus; a piece that never occurred counts as one.
        exponent: 0.5 in the paper, so that frequent tokens are hidden less; 0 hides all pieces alike.
        symbols: the special symbols.
    """
    weights: np.ndarray = np.maximum(counts, 1).astype(np.float64) ** -exponent
    weights[symbols.special] = 0
    return weights


class MaskSampler:
    """Chooses the tokens to predict, by frequency or uniformly, and what to replace them by."""

    def __init__(self, counts: np.ndarray, masking: Masking, symbols: SpecialSymbols = XLM_SYMBOLS) -> None:
        """Prepare the weights; ``counts`` (V,) of each token's occurrences in the corpus."""
        self.symbols = symbols
        self._counts = counts
        self._masking = masking
        self._weights = masking_weights(counts, masking.frequency_exponent, symbols)
        self._pieces = np.flatnonzero(self._weights)

    def mask(self, tokens: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Hide a share of ``tokens`` (B, T): most behind the mask symbol, some behind a random piece, some unchanged.

        A random piece is any piece of the vocabulary but a special symbol (the published code draws those too).

        Returns:
            (B, T) input ids, and (B, T) labels that are ``IGNORE`` where nothing is predicted.
        """
        by_frequency = self._masking.frequency_exponent > 0
        chosen = self._sample_by_frequency(tokens, rng) if by_frequency else self._sample_uniform(tokens, rng)
        corruption = rng.random(len(chosen))
        replacement = np.where(corruption < self._masking.mask, self.symbols.mask, tokens.ravel()[chosen])
        is_random = (corruption >= self._masking.mask) & (corruption < self._masking.mask + self._masking.random)
        replacement[is_random] = self._pieces[rng.integers(0, len(self._pieces), np.count_nonzero(is_random))]
        inputs, labels = tokens.flatten(), np.full(tokens.size, IGNORE, dtype=np.int64)
        labels[chosen] = inputs[chosen]
        inputs[chosen] = replacement
        return inputs.reshape(tokens.shape), labels.reshape(tokens.shape)

    def unigram_entropy(self) -> float:
        """Compute the loss (nats) of guessing each hidden token by its frequency alone."""
        hidden = (self._counts * self._weights)[self._pieces]
        shares = hidden[hidden > 0] / hidden.sum()
        return float(-(shares * np.log(shares)).sum())

    def _sample_uniform(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose indices (n,) of the flattened ``tokens``, each independently; at least one, so that a loss exists.

        As published, ends of sentences may be chosen here (figure 1), but neither padding nor the first of a row.
        """
        eligible = tokens != self.symbols.pad
        eligible[:, 0] = False
        indices = np.flatnonzero(eligible)
        draw = rng.random(len(indices))
        chosen: np.ndarray = indices[draw <= max(self._masking.mask_prob, draw.min(initial=1))]
        return chosen

    def _sample_by_frequency(self, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose indices (n,) of the flattened ``tokens``: a share of all pieces, by weight without replacement.

        The smallest of exponential variates divided by weights are such a sample (Efraimidis and Spirakis 2006), which
        needs no loop. Special symbols have no weight and are never chosen.
        """
        weights = self._weights[tokens.ravel()]
        indices = np.flatnonzero(weights)
        count = math.ceil(self._masking.mask_prob * len(indices))
        if count == len(indices):
            return indices
        keys = rng.standard_exponential(len(indices)) / weights[indices]
        return np.sort(indices[np.argpartition(keys, count)[:count]])
