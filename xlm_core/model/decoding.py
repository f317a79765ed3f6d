"""Decoding of translations: greedy search and beam search, limits of length, batches of similar length.

Keys and values of earlier tokens are cached, so each step computes one token of each translation. Finished sentences
leave the batch. Translations do not depend on which sentences share a batch, nor on their order.

A translation begins with ``</s>`` and ends with ``</s>``, which are not part of it; no other special symbol is ever
generated. A translation without an end is cut at its maximum length.

Shapes: N sentences, W hypotheses of each (``beam_size``), C candidates, L tokens of the longest translation, V tokens
in the vocabulary.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xlm_core.config import DecodingConfig
from xlm_core.data.batch import Batch, EncoderInput, PackedSequences, sentence_batch
from xlm_core.data.buckets import N_ENDS
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.text.special_symbols import EOS

FULL_FRACTION = 0.75  # of a batch; when fewer of its sentences are unfinished, the others leave it


class BeamHypothesis(NamedTuple):
    """A finished translation.

    tokens  ids
    score   log-probability, with the end symbol's, divided by (number of tokens + 1) ** length penalty;
            None for greedy search
    """

    tokens: list[int]
    score: float | None


Translated = list[tuple[int, list[BeamHypothesis]]]  # index of each sentence of a batch, and its translations


@torch.inference_mode()
def greedy_search(
    translator: EncoderDecoder, source: EncoderInput, language: int, max_lengths: Tensor
) -> list[list[int]]:
    """Translate each sentence by the likeliest token at each step.

    Args:
        translator: in evaluation mode.
        source: N sentences.
        language: id of the language to translate into.
        max_lengths: (N,) int64, most tokens of each translation, from 1 to the decoder's positions.
    """
    cache = translator.init_cache(source, language, max_lengths)
    n_tokens = int(max_lengths.max())
    translations = max_lengths.new_full((len(max_lengths), n_tokens + 1), EOS)
    tokens = translations[:, 0]
    for position in range(n_tokens):
        tokens = translator.step(tokens, cache).argmax(dim=-1)
        translations[cache.indices, position] = tokens
        is_open = (tokens != EOS) & (cache.max_lengths > position + 1)
        n_open = int(is_open.sum())
        if n_open == 0:
            break
        if n_open <= FULL_FRACTION * len(is_open):
            kept = is_open.nonzero().flatten()
            cache.select(kept)
            tokens = tokens[kept]
    # A finished sentence may have stayed in the batch for a while, and continued.
    rows = zip(translations.tolist(), max_lengths.tolist(), strict=True)
    return [row[: min(row.index(EOS), max_length)] for row, max_length in rows]


@torch.inference_mode()
def beam_search(
    translator: EncoderDecoder, source: EncoderInput, language: int, max_lengths: Tensor, decoding: DecodingConfig
) -> list[list[BeamHypothesis]]:
    """Translate each sentence by beam search; the best translation comes first.

    At each step the ``decoding.beam_size`` best prefixes of a sentence are extended. The search ends when none of them
    can become better than the worst of as many finished translations; with ``decoding.early_stopping`` as soon as there
    are as many.

    Args:
        translator, source, language, max_lengths: as in ``greedy_search``.
        decoding: beam size, length penalty, and when to stop.

    Returns:
        ``decoding.n_best`` translations of each sentence; fewer where the maximum length allows no more.
    """
    cache = translator.init_cache(source, language, max_lengths, decoding.beam_size)
    beams = _Beams.begin(max_lengths, decoding)
    translations: dict[int, list[BeamHypothesis]] = {}
    for position in range(int(max_lengths.max())):
        last = beams.tokens[:, :, position - 1].flatten()  # (N * W,); before the first is </s>, the initial value
        log_probabilities = translator.step(last, cache).log_softmax(dim=-1)
        cache.reorder_cache(beams.extend(log_probabilities, position, cache.max_lengths))
        beams.close_finished(position, cache.max_lengths)
        n_open = int(beams.is_open.sum())  # the only wait for a GPU in most steps
        if n_open <= FULL_FRACTION * len(beams.is_open):
            translations |= beams.closed(cache.indices)
            if n_open == 0:
                break
            kept = beams.is_open.nonzero().flatten()
            cache.select(kept)
            beams.select(kept)
    return [translations[index] for index in range(len(max_lengths))]


@dataclass
class _Beams:
    """Prefixes of translations, and the best finished translations.

    decoding          how to search
    sums              (N, W) log-probabilities of the prefixes; minus infinity where there are fewer
    tokens            (N, W, L) of the prefixes
    finished_scores   (N, W) scores of the finished translations, descending; minus infinity where there are fewer
    finished_tokens   (N, W, L)
    finished_lengths  (N, W) tokens of each
    is_open           (N,) whether the search for a sentence goes on
    """

    decoding: DecodingConfig
    sums: Tensor
    tokens: Tensor
    finished_scores: Tensor
    finished_tokens: Tensor
    finished_lengths: Tensor
    is_open: Tensor

    @classmethod
    def begin(cls, max_lengths: Tensor, decoding: DecodingConfig) -> "_Beams":
        """Begin with one prefix for each sentence, the empty one."""
        shape = (len(max_lengths), decoding.beam_size)
        sums = torch.full(shape, -torch.inf, device=max_lengths.device)
        tokens = max_lengths.new_full((*shape, int(max_lengths.max())), EOS)
        is_open = torch.ones_like(max_lengths, dtype=torch.bool)
        beams = cls(decoding, sums, tokens, sums.clone(), tokens.clone(), max_lengths.new_zeros(shape), is_open)
        beams.sums[:, 0] = 0
        return beams

    def extend(self, log_probabilities: Tensor, position: int, max_lengths: Tensor) -> Tensor:
        """Extend the prefixes by the best candidates for ``position``, and record the best of those that end there.

        Args:
            log_probabilities: (N * W, V) of the next token of each prefix.
            position: number of the token.
            max_lengths: (N,)

        Returns:
            (N * W,) the row of the prefix that each was extended from.
        """
        n_sentences, width = self.sums.shape
        totals = self.sums[:, :, None] + log_probabilities.view(n_sentences, width, -1)
        n_candidates = min(2 * width, totals[0].numel())
        sums, which = totals.flatten(1).topk(n_candidates)  # (N, C): at most W of 2 W end, one of each prefix
        prefixes, token = which // totals.shape[2], which % totals.shape[2]
        candidates = _rows(self.tokens, prefixes)
        candidates[:, :, position] = token
        ends = (token == EOS) | (max_lengths[:, None] == position + 1)
        # As published: what ends counts only among the candidates up to the last one that is extended.
        counts = (~ends).cumsum(dim=1) - (~ends).long() < width
        counts &= self.is_open[:, None]
        self._record_finished(sums.where(ends & counts, -torch.inf), candidates, position + (token != EOS).long())
        self.sums, chosen = sums.masked_fill(ends, -torch.inf).topk(width)
        self.tokens = _rows(candidates, chosen)
        rows = torch.arange(n_sentences, device=sums.device)[:, None] * width + prefixes.gather(1, chosen)
        return rows.flatten()

    def _record_finished(self, sums: Tensor, candidates: Tensor, lengths: Tensor) -> None:
        """Keep the best of the finished translations and of the candidates (N, C) with these ``sums``."""
        scores = torch.cat([self.finished_scores, sums / (lengths + 1.0) ** self.decoding.length_penalty], dim=1)
        self.finished_scores, chosen = scores.topk(self.decoding.beam_size)
        self.finished_tokens = _rows(torch.cat([self.finished_tokens, candidates], dim=1), chosen)
        self.finished_lengths = torch.cat([self.finished_lengths, lengths], dim=1).gather(1, chosen)

    def close_finished(self, position: int, max_lengths: Tensor) -> None:
        """Close the sentences whose search ends after ``position``; their finished translations stay as they are."""
        worst = self.finished_scores[:, -1]
        # Sums only fall, and the longest translation has the largest divisor.
        reachable = self.sums[:, 0] / (max_lengths + 1.0) ** self.decoding.length_penalty
        ends = (worst >= reachable) | (max_lengths == position + 1)
        if self.decoding.early_stopping:
            ends |= worst.isfinite()
        self.is_open = self.is_open & ~ends

    def closed(self, indices: Tensor) -> dict[int, list[BeamHypothesis]]:
        """Return the best finished translations of the closed sentences, by their numbers in ``indices`` (N,)."""
        rows = (~self.is_open).nonzero().flatten()
        n_best = self.decoding.n_best
        scores, lengths, tokens = (
            finished[rows, :n_best].tolist()
            for finished in (self.finished_scores, self.finished_lengths, self.finished_tokens)
        )
        return {
            index: [
                BeamHypothesis(ids[:length], score)
                for score, length, ids in zip(*best, strict=True)
                if math.isfinite(score)
            ]
            for index, *best in zip(indices[rows].tolist(), scores, lengths, tokens, strict=True)
        }

    def select(self, sentences: Tensor) -> None:
        """Keep these ``sentences`` (n,)."""
        for name in ("sums", "tokens", "finished_scores", "finished_tokens", "finished_lengths", "is_open"):
            setattr(self, name, getattr(self, name)[sentences])


def _rows(tokens: Tensor, chosen: Tensor) -> Tensor:
    """Select the rows ``chosen`` (N, n) of each sentence from ``tokens`` (N, C, L): (N, n, L)."""
    return tokens.gather(1, chosen[:, :, None].expand(-1, -1, tokens.shape[2]))


def length_limits(lengths: Tensor, decoding: DecodingConfig, max_positions: int) -> Tensor:
    """Compute the most tokens (N,) of translations of sentences of ``lengths`` (N,), end symbols not counted.

    A translation is never longer than what a model with ``max_positions`` can read, end symbols included.
    """
    limits = (decoding.max_length_a * lengths.double()).long() + decoding.max_length_b
    return limits.clamp(max=max_positions - N_ENDS)


def decode(
    translator: EncoderDecoder, source: Batch, language: int, decoding: DecodingConfig
) -> list[list[BeamHypothesis]]:
    """Translate one batch into ``language`` (an id): the ``n_best`` translations of each sentence, the best first."""
    limits = length_limits(source.lengths - N_ENDS, decoding, translator.decoder.config.max_positions)
    if decoding.beam_size == 1:
        return [[BeamHypothesis(tokens, None)] for tokens in greedy_search(translator, source, language, limits)]
    return beam_search(translator, source, language, limits, decoding)


def generate(
    translator: EncoderDecoder,
    sentences: Sequence[Sequence[int]],
    languages: tuple[int, int],
    decoding: DecodingConfig,
    micro_batch_tokens: int,
    map_batches: Callable[[Callable[[list[int]], Translated], list[list[int]]], Iterable[Translated]] = map,
) -> list[list[BeamHypothesis]]:
    """Translate ``sentences`` in batches of similar length; the translations have their order.

    The longest sentences come first, so that lack of memory shows at once.

    Args:
        sentences: ids of tokens.
        languages: ids of source and target.
        micro_batch_tokens: bound of a batch, padding and all its beams counted.
        map_batches: applies a function to each batch, in this process or in several that share them.
    """
    device = translator.decoder.output_bias.device

    def translate(indices: list[int]) -> Translated:
        batch = sentence_batch(PackedSequences.from_lists([sentences[index] for index in indices]), languages[0])
        return list(zip(indices, decode(translator, batch.to(device), languages[1], decoding), strict=True))

    batches = _length_batches(sentences, max(1, micro_batch_tokens // decoding.beam_size))
    translations = dict(chain.from_iterable(map_batches(translate, batches)))
    return [translations[index] for index in range(len(sentences))]


def _length_batches(sentences: Sequence[Sequence[int]], max_tokens: int) -> list[list[int]]:
    """Group the indices of ``sentences``, the longest first, so that a batch has ``max_tokens`` at most, or one row."""
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    order, batches = np.argsort(-lengths, kind="stable").tolist(), list[list[int]]()
    start = 0
    while start < len(order):
        n_rows = max(1, max_tokens // (int(lengths[order[start]]) + N_ENDS))
        batches.append(order[start : start + n_rows])
        start += n_rows
    return batches
