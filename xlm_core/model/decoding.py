"""Decoding: the likeliest translations of sentences, found token by token, greedily or with a beam.

Keys and values of what was already said are kept, so that each step computes one token alone. Sentences whose search
has ended leave the batch. What is found does not depend on which sentences share a batch, nor on their order.

A translation begins with ``</s>`` and ends with ``</s>``, which are not part of it; no other special symbol is ever
produced. One that has not ended at its limit ends there.

Letters: N sentences, W hypotheses of each (the beam's width), C candidates, L tokens of the longest translation, V
tokens in the vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from xlm_core.config import DecodingConfig
from xlm_core.model.cache import Memory
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.transformer import EncoderInput
from xlm_core.text.vocabulary import EOS

FULL_SHARE = 0.75  # of a batch; when fewer of its sentences are still searched for, the others leave it


class Hypothesis(NamedTuple):
    """A translation.

    tokens  ids
    score   log-probability, that of the end included, divided by (number of tokens + 1) ** length penalty
    """

    tokens: list[int]
    score: float


@torch.inference_mode()
def greedy(translator: EncoderDecoder, source: EncoderInput, language: int, limits: Tensor) -> list[list[int]]:
    """The translation of each sentence that always goes on with the likeliest token.

    Args:
        translator: in evaluation mode.
        source: N sentences.
        language: id of that to translate into.
        limits: (N,) int64, most tokens of each translation, from 1 to the decoder's positions.
    """
    memory = Memory(translator, source, language, limits)
    n_tokens = int(limits.max())
    found = limits.new_full((len(limits), n_tokens + 1), EOS)
    tokens = found[:, 0]
    for place in range(n_tokens):
        tokens = memory.step(tokens).argmax(dim=-1)
        found[memory.places, place] = tokens
        goes_on = (tokens != EOS) & (memory.limits > place + 1)
        n_left = int(goes_on.sum())
        if n_left == 0:
            break
        if n_left <= FULL_SHARE * len(goes_on):
            kept = goes_on.nonzero().flatten()
            memory.keep(kept)
            tokens = tokens[kept]
    # A sentence that ended may have stayed in the batch for a while, and said more.
    return [_until_end(row, limit) for row, limit in zip(found.tolist(), limits.tolist(), strict=True)]


def _until_end(tokens: list[int], limit: int) -> list[int]:
    """What was said before the end, or up to the limit."""
    return tokens[: min(tokens.index(EOS), limit)]


@torch.inference_mode()
def beam(
    translator: EncoderDecoder, source: EncoderInput, language: int, limits: Tensor, decoding: DecodingConfig
) -> list[list[Hypothesis]]:
    """The best translations of each sentence, the best first.

    At each step the ``decoding.beam_size`` best beginnings of a sentence go on. The search for it ends when none of
    them can become better than the worst of as many translations that have ended; with ``decoding.early_stopping``
    as soon as there are as many.

    Args:
        translator, source, language, limits: as in ``greedy``.
        decoding: how to search.

    Returns:
        ``decoding.n_best`` translations of each sentence; fewer where the limit allows no more.
    """
    memory = Memory(translator, source, language, limits, decoding.beam_size)
    beams = _Beams.begin(limits, decoding)
    found: list[list[Hypothesis]] = [[] for _ in limits]
    for place in range(int(limits.max())):
        log_probabilities = memory.step(beams.last(place)).log_softmax(dim=-1)
        memory.reorder(beams.grow(log_probabilities, place, memory.limits))
        ended = beams.take_ended(place, memory.limits)
        for row in ended.nonzero().flatten().tolist():
            found[int(memory.places[row])] = list(beams.best(row))
        n_left = int(beams.is_open.sum())
        if n_left == 0:
            break
        if n_left <= FULL_SHARE * len(beams.is_open):
            kept = beams.is_open.nonzero().flatten()
            memory.keep(kept)
            beams.keep(kept)
    return found


@dataclass
class _Beams:
    """The beginnings of translations that go on, and the best ones that have ended.

    decoding        how to search
    sums            (N, W) log-probabilities of the beginnings; minus infinity where there are fewer
    tokens          (N, W, L) what they are
    ended_scores    (N, W) scores of the translations that have ended, falling; likewise
    ended_tokens    (N, W, L)
    ended_lengths   (N, W) tokens of each
    is_open         (N,) whether a sentence is still searched for
    """

    decoding: DecodingConfig
    sums: Tensor
    tokens: Tensor
    ended_scores: Tensor
    ended_tokens: Tensor
    ended_lengths: Tensor
    is_open: Tensor

    @classmethod
    def begin(cls, limits: Tensor, decoding: DecodingConfig) -> "_Beams":
        """One beginning for each sentence, the empty one."""
        shape = (len(limits), decoding.beam_size)
        sums = torch.full(shape, -torch.inf, device=limits.device)
        tokens = limits.new_full((*shape, int(limits.max())), EOS)
        is_open = torch.ones_like(limits, dtype=torch.bool)
        begun = cls(decoding, sums, tokens, sums.clone(), tokens.clone(), limits.new_zeros(shape), is_open)
        begun.sums[:, 0] = 0
        return begun

    def last(self, place: int) -> Tensor:
        """The token (N * W,) of every beginning that comes before ``place``."""
        return self.tokens[:, :, place - 1].flatten()  # that before the first is still </s>, as all of them are

    def grow(self, log_probabilities: Tensor, place: int, limits: Tensor) -> Tensor:
        """Go on with the best candidates for ``place``, and remember the best of those that end there.

        Args:
            log_probabilities: (N * W, V) of what may follow each beginning.
            place: number of the token.
            limits: (N,)

        Returns:
            (N * W,) the row that each beginning was before.
        """
        n_sentences, width = self.sums.shape
        totals = self.sums[:, :, None] + log_probabilities.view(n_sentences, width, -1)
        n_candidates = min(2 * width, totals[0].numel())
        sums, which = totals.flatten(1).topk(n_candidates)  # (N, C): at most W of 2 W end, one of each beginning
        parents, token = which // totals.shape[2], which % totals.shape[2]
        candidates = _rows(self.tokens, parents)
        candidates[:, :, place] = token
        ends = (token == EOS) | (limits[:, None] == place + 1)
        # As published: what ends counts only among the candidates up to the last one that goes on.
        counts = (~ends).cumsum(dim=1) - (~ends).long() < width
        self._remember(sums.where(ends & counts, -torch.inf), candidates, place + (token != EOS).long())
        self.sums, chosen = sums.masked_fill(ends, -torch.inf).topk(width)
        self.tokens = _rows(candidates, chosen)
        rows = torch.arange(n_sentences, device=sums.device)[:, None] * width + parents.gather(1, chosen)
        return rows.flatten()

    def _remember(self, sums: Tensor, candidates: Tensor, lengths: Tensor) -> None:
        """Keep the best of the translations that had ended and of the candidates (N, C) with these ``sums``."""
        scores = torch.cat([self.ended_scores, sums / (lengths + 1.0) ** self.decoding.length_penalty], dim=1)
        self.ended_scores, chosen = scores.topk(self.decoding.beam_size)
        self.ended_tokens = _rows(torch.cat([self.ended_tokens, candidates], dim=1), chosen)
        self.ended_lengths = torch.cat([self.ended_lengths, lengths], dim=1).gather(1, chosen)

    def take_ended(self, place: int, limits: Tensor) -> Tensor:
        """(N,) bool, the sentences whose search ends after ``place``; they are open no more."""
        worst = self.ended_scores[:, -1]
        # Sums only fall, and the longest translation is divided by most.
        reachable = self.sums[:, 0] / (limits + 1.0) ** self.decoding.length_penalty
        ends = (worst >= reachable) | (limits == place + 1)
        if self.decoding.early_stopping:
            ends |= worst.isfinite()
        ends &= self.is_open
        self.is_open = self.is_open & ~ends
        return ends

    def best(self, row: int) -> Iterator[Hypothesis]:
        """The best translations of a sentence that have ended."""
        kept = zip(self.ended_scores[row], self.ended_tokens[row], self.ended_lengths[row], strict=True)
        for score, tokens, length in list(kept)[: self.decoding.n_best]:
            if score.isfinite():
                yield Hypothesis(tokens[:length].tolist(), score.item())

    def keep(self, sentences: Tensor) -> None:
        """Go on with these ``sentences`` (n,) alone."""
        for name in ("sums", "tokens", "ended_scores", "ended_tokens", "ended_lengths", "is_open"):
            setattr(self, name, getattr(self, name)[sentences])


def _rows(tokens: Tensor, chosen: Tensor) -> Tensor:
    """Of ``tokens`` (N, C, L) the rows ``chosen`` (N, n) of each sentence: (N, n, L)."""
    return tokens.gather(1, chosen[:, :, None].expand(-1, -1, tokens.shape[2]))
