"""A sentence and its translation as one sequence, for TLM (paper, section 3.4).

Shapes: B pairs, T tokens of the longest pair.
"""

from typing import NamedTuple

import numpy as np

from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.text.vocabulary import EOS, PAD


class TLMPair(NamedTuple):
    """Pairs as one sequence each: ``</s> a </s> </s> b </s>``.

    tokens     (B, T)  ids
    positions  (B, T)  restart at 0 in the second sentence
    languages  (B, T)  id of each token's language
    lengths    (B,)    tokens that are not padding
    """

    tokens: np.ndarray
    positions: np.ndarray
    languages: np.ndarray
    lengths: np.ndarray


def sample_order(
    pairs: LengthBucketedDataset, batch_index: int, languages: tuple[int, int], rng: np.random.Generator
) -> TLMPair:
    """Concatenate batch ``batch_index`` of ``pairs``, of which a random half begins with its second sentence."""
    indices = pairs.indices(batch_index)
    return concat_pairs(pairs, indices, rng.random(len(indices)) < 0.5, languages)


def concat_pairs(
    pairs: LengthBucketedDataset, indices: np.ndarray, swapped: np.ndarray, languages: tuple[int, int]
) -> TLMPair:
    """Concatenate both sentences of each pair.

    Args:
        pairs: of two columns.
        indices: (B,) of the pairs.
        swapped: (B,) bool, true where the second column's sentence comes first.
        languages: ids of the languages of the two columns.
    """
    first = pairs.column(indices, swapped.astype(np.int64))
    second = pairs.column(indices, 1 - swapped.astype(np.int64))
    start_of_second = (first.lengths + 2)[:, None]
    lengths = first.lengths + second.lengths + 4
    column = np.arange(lengths.max())[None, :]
    in_second = column >= start_of_second
    is_padding = column >= lengths[:, None]
    positions = np.where(is_padding, 0, column - start_of_second * in_second)
    tokens = np.where(is_padding, PAD, EOS)
    tokens[(column > 0) & (column < start_of_second - 1)] = first.tokens
    tokens[(column > start_of_second) & (column < lengths[:, None] - 1)] = second.tokens
    token_languages = np.where(in_second != swapped[:, None], languages[1], languages[0])
    return TLMPair(tokens, positions, token_languages, lengths)
