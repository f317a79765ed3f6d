"""Batches of the training objectives (paper, section 3).

| objective | batch | model call |
|---|---|---|
| CLM | a block of text; each token is predicted from those before it | causal |
| MLM | a block of text with hidden tokens | bidirectional |
| TLM | a sentence and its translation with hidden tokens | bidirectional |
| AE | a noisy sentence; the target is the sentence | encoder, decoder |
| BT | the model's translation of a sentence; the target is the sentence | encoder, decoder |
| MT | a sentence; the target is its translation | encoder, decoder |

Shapes: B rows, T tokens.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from xlm_core.data.batch import IGNORE, Batch, PackedSequences, from_arrays, sentence_batch, target_batch
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.text.special_symbols import XLM_SYMBOLS, SpecialSymbols


class TranslationBatch(NamedTuple):
    """B source and target sentences.

    source  input of the encoder
    target  input of the decoder, labelled with the next token
    """

    source: Batch
    target: Batch

    def to(self, device: torch.device) -> "TranslationBatch":
        """The same on ``device``."""
        return TranslationBatch(self.source.to(device), self.target.to(device))


CAUSAL = {"clm": True, "mlm": False, "tlm": False}


def clm_batch(block: np.ndarray, language: int) -> Batch:
    """Predict each next token of ``block`` (B, T); nothing follows the last one."""
    labels = np.full(block.shape, IGNORE)
    labels[:, :-1] = block[:, 1:]
    return from_arrays(block, np.arange(block.shape[1]), np.array(language), labels=labels)


def mlm_batch(block: np.ndarray, language: int, masks: MaskSampler, rng: np.random.Generator) -> Batch:
    """Predict hidden tokens of ``block`` (B, T)."""
    inputs, labels = masks.mask(block, rng)
    return from_arrays(inputs, np.arange(block.shape[1]), np.array(language), labels=labels)


def tlm_batch(
    pairs: LengthBucketedDataset,
    batch_index: int,
    languages: Sequence[int],
    masks: MaskSampler,
    rng: np.random.Generator,
) -> Batch:
    """Predict hidden tokens of both sentences of each pair; a random half of the pairs begins with the second one.

    Args:
        pairs: of two columns.
        batch_index: number of the batch.
        languages: ids of the languages of the columns.
        masks, rng: choose the hidden tokens, and the order of the sentences.
    """
    indices = pairs.indices(batch_index)
    swapped = rng.random(len(indices)) < 0.5
    first, second = pairs.column(indices, swapped.astype(np.int64)), pairs.column(indices, 1 - swapped.astype(np.int64))
    tokens, positions, is_second, lengths = concat_pairs(first, second, masks.symbols)
    inputs, labels = masks.mask(tokens, rng)
    token_languages = np.where(is_second != swapped[:, None], languages[1], languages[0])
    segments = is_second.astype(np.int64) if masks.symbols.has_segments else None
    return from_arrays(inputs, positions, token_languages, lengths, labels, segments)


def concat_pairs(
    first: PackedSequences, second: PackedSequences, symbols: SpecialSymbols = XLM_SYMBOLS
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Concatenate the sentences of each pair, both with their symbols: ``</s> a </s> </s> b </s>`` (section 3.4).

    Returns:
        Ids (B, T); positions (B, T), which restart at 0 in the second sentence; whether a token is in the second
        sentence, (B, T) bool; and tokens (B,) that are not padding.
    """
    start_of_second = (first.lengths + 2)[:, None]
    lengths = first.lengths + second.lengths + 4
    column = np.arange(lengths.max())[None, :]
    is_second, is_padding = column >= start_of_second, column >= lengths[:, None]
    tokens = np.where(is_padding, symbols.pad, symbols.end)
    tokens[(column == 0) | (column == start_of_second)] = symbols.begin
    tokens[(column > 0) & (column < start_of_second - 1)] = first.tokens
    tokens[(column > start_of_second) & (column < lengths[:, None] - 1)] = second.tokens
    return tokens, np.where(is_padding, 0, column - start_of_second * is_second), is_second, lengths


def translation_batch(source: PackedSequences, target: PackedSequences, languages: tuple[int, int]) -> TranslationBatch:
    """Batch sources and targets; ``languages`` are the ids of both."""
    return TranslationBatch(sentence_batch(source, languages[0]), target_batch(target, languages[1]))
