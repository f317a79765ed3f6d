"""Generate translations of encoded sentences: length limits, greedy or beam search, batches of similar length."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from xlm_core.config import DecodingConfig
from xlm_core.data.batch import Batch, PackedSequences, sentence_batch
from xlm_core.data.buckets import N_ENDS
from xlm_core.model.decoding import BeamHypothesis, beam_search, greedy_search
from xlm_core.model.encoder_decoder import EncoderDecoder


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
    """Translate ``sentences`` in batches of similar length; the translations have their order.

    The longest sentences come first, so that lack of memory shows at once.

    Args:
        sentences: ids of tokens.
        languages: ids of source and target.
        micro_batch_tokens: bound of a batch, padding and all its beams counted.
    """
    device, max_tokens = translator.decoder.output_bias.device, max(1, micro_batch_tokens // decoding.beam_size)
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    translations: dict[int, list[BeamHypothesis]] = {}
    start = 0
    while start < len(order):
        indices = order[start : start + max(1, max_tokens // (int(lengths[order[start]]) + N_ENDS))].tolist()
        batch = sentence_batch(PackedSequences.from_lists([sentences[index] for index in indices]), languages[0])
        translations |= zip(indices, decode(translator, batch.to(device), languages[1], decoding), strict=True)
        start += len(indices)
    return [translations[index] for index in range(len(sentences))]
