"""Generate translations of encoded sentences: length limits, greedy or beam search, batches of similar length."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from xlm_core.config import DecodingConfig
from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.model.decoding import BeamHypothesis, beam_search, greedy_search
from xlm_core.model.encoder_decoder import EncoderDecoder

T = TypeVar("T")
N_ENDS = 2  # </s> a </s>


def max_lengths(lengths: Tensor, decoding: DecodingConfig, max_positions: int) -> Tensor:
    """Compute the most tokens (N,) of translations of sentences of ``lengths`` (N,), end symbols not counted.

    A translation is never longer than what a model with ``max_positions`` can read, end symbols included.
    """
    limits = (decoding.max_length_a * lengths.double()).long() + decoding.max_length_b
    return limits.clamp(max=max_positions - N_ENDS)


def decode(
    translator: EncoderDecoder, source: Batch, language: int, decoding: DecodingConfig
) -> list[list[BeamHypothesis]]:
    """Translate one batch into ``language`` (an id): the ``n_best`` translations of each sentence, the best first."""
    limits = max_lengths(source.lengths - N_ENDS, decoding, translator.decoder.config.max_positions)
    if decoding.beam_size == 1:
        return [[BeamHypothesis(tokens, None)] for tokens in greedy_search(translator, source, language, limits)]
    return beam_search(translator, source, language, limits, decoding)


def generate(
    translator: EncoderDecoder,
    sentences: Sequence[Sequence[int]],
    languages: tuple[int, int],
    decoding: DecodingConfig,
    micro_batch_tokens: int,
) -> list[list[BeamHypothesis]]:
    """Translate ``sentences`` (ids of tokens) from one language into the other (ids), their order kept."""
    return in_batches(
        sentences,
        lambda source: decode(translator, source, languages[1], decoding),
        language=languages[0],
        micro_batch_tokens=max(1, micro_batch_tokens // decoding.beam_size),
        device=translator.decoder.output_bias.device,
    )


def in_batches(
    sentences: Sequence[Sequence[int]],
    translate: Callable[[Batch], Sequence[T]],
    *,
    language: int,
    micro_batch_tokens: int,
    device: torch.device,
) -> list[T]:
    """Apply ``translate`` to batches of similar length; the results have the order of ``sentences``.

    The longest sentences come first, so that lack of memory shows at once.

    Args:
        sentences: ids of tokens.
        translate: one result for each sentence of a batch.
        language: id of the sentences' language.
        micro_batch_tokens: bound of a batch, padding counted.
        device: of the batches.
    """
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    results: dict[int, T] = {}
    start = 0
    while start < len(order):
        indices = order[start : start + max(1, micro_batch_tokens // (int(lengths[order[start]]) + N_ENDS))].tolist()
        batch = sentence_batch(PackedSequences.from_lists([sentences[index] for index in indices]), language)
        results |= zip(indices, translate(batch.to(device)), strict=True)
        start += len(indices)
    return [results[index] for index in range(len(sentences))]
