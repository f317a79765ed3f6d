"""A sentence and its translation as one sequence, for TLM (paper, section 3.4).

Letters: B pairs, T tokens of the longest joined pair.
"""

from dataclasses import dataclass

import numpy as np

from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.text.vocabulary import EOS, PAD


@dataclass(frozen=True)
class TLMPair:
    """Pairs as one sequence each: ``</s> a </s> </s> b </s>``.

    tokens     (B, T)  ids
    positions  (B, T)  restart at 0 in the second half
    in_second  (B, T)  bool, true from the second half's first ``</s>`` on
    lengths    (B,)    tokens that are not padding
    swapped    (B,)    bool, true where the second column's sentence comes first
    """

    tokens: np.ndarray
    positions: np.ndarray
    in_second: np.ndarray
    lengths: np.ndarray
    swapped: np.ndarray


def concat_pairs(pairs: LengthBucketedDataset, batch_index: int, rng: np.random.Generator) -> TLMPair:
    """Batch ``batch_index`` of ``pairs``; ``rng`` draws which side of each pair comes first."""
    numbers = pairs.batch(batch_index)
    return join(pairs, numbers, swapped=rng.random(len(numbers)) < 0.5)


def join(pairs: LengthBucketedDataset, numbers: np.ndarray, swapped: np.ndarray) -> TLMPair:
    """Join the ``pairs`` of these ``numbers`` (B,), with the second side first where ``swapped`` (B,)."""
    first = pairs.side(numbers, swapped.astype(np.int64))
    second = pairs.side(numbers, 1 - swapped.astype(np.int64))
    border = (first.lengths + 2)[:, None]
    lengths = first.lengths + second.lengths + 4
    column = np.arange(lengths.max())[None, :]
    in_second = column >= border
    is_padding = column >= lengths[:, None]
    positions = np.where(is_padding, 0, column - border * in_second)
    tokens = np.where(is_padding, PAD, EOS)
    tokens[(column > 0) & (column < border - 1)] = first.tokens
    tokens[(column > border) & (column < lengths[:, None] - 1)] = second.tokens
    return TLMPair(tokens, positions, in_second, lengths, swapped)
