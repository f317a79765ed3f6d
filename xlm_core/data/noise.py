"""Noise of the denoising autoencoder (paper, section 4.2).

Shapes: n tokens and w words of all sentences.
"""

import numpy as np

from xlm_core.config import Noise
from xlm_core.data.batch import PackedSequences, gather_indices
from xlm_core.text.special_symbols import MASK


def add_noise(
    sentences: PackedSequences, begins: np.ndarray, noise: Noise, rng: np.random.Generator
) -> PackedSequences:
    """Move words by fewer than ``noise.shuffle_distance`` words, drop some, and mask some, in this order.

    The pieces of a word are moved, dropped or masked together; each is replaced by the mask symbol. At least one word
    of each sentence stays.

    Args:
        sentences: none of them empty.
        begins: (n,) bool, which tokens begin a word; the first of a sentence always does. With ``noise.unit`` "token",
            as published, every token is a word.
        noise: distance and probabilities.
        rng: random generator.
    """
    n_sentences = len(sentences.lengths)
    first = np.cumsum(sentences.lengths) - sentences.lengths
    begins = begins.copy() if noise.unit == "word" else np.ones_like(begins)
    begins[first] = True
    starts = np.flatnonzero(begins)  # (w,)
    lengths = np.diff(starts, append=len(sentences.tokens))
    sentence = np.repeat(np.arange(n_sentences), sentences.lengths)[starts]
    order = np.lexsort((np.arange(len(starts)) + noise.shuffle_distance * rng.random(len(starts)), sentence))
    drop = rng.random(len(starts))
    highest = np.zeros(n_sentences)
    np.maximum.at(highest, sentence, drop)
    order = order[(drop >= np.minimum(noise.drop_prob, highest[sentence]))[order]]  # the highest draw always stays
    tokens = np.where(np.repeat(rng.random(len(starts)) < noise.mask_prob, lengths), MASK, sentences.tokens)
    kept_lengths = np.bincount(sentence[order], weights=lengths[order], minlength=n_sentences).astype(np.int64)
    return PackedSequences(tokens[gather_indices(starts[order], lengths[order])], kept_lengths)
