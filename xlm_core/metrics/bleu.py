"""BLEU and chrF by sacreBLEU, with the signatures that say how they were computed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from xlm_core.metrics.sample_statistics import SampleStatistics


class Score(NamedTuple):
    """A score from 0 to 100, and sacreBLEU's signature of how it was computed."""

    value: float
    signature: str


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Compute BLEU of detokenized text, which sacreBLEU tokenizes itself: the number that compares between papers."""
    return _score(BLEU(), hypotheses, references)


def bleu_statistics(hypotheses: Sequence[str], references: Sequence[str]) -> SampleStatistics:
    """Compute the statistics of each sentence that ``bleu`` is computed from when they are summed."""
    metric, texts = BLEU(), zip(hypotheses, references, strict=True)
    scores = [metric.corpus_score([hypothesis], [[reference]]) for hypothesis, reference in texts]
    rows = [[score.sys_len, score.ref_len, *score.counts, *score.totals] for score in scores]
    return SampleStatistics("bleu", np.array(rows))


def tokenized_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Compute BLEU of tokenized text as it is, as the paper reports it."""
    return _score(BLEU(tokenize="none", force=True), hypotheses, references)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Compute the character n-gram F-score of detokenized text."""
    return _score(CHRF(), hypotheses, references)


def _score(metric: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(value, str(metric.get_signature()))
