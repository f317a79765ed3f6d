"""Perplexity of causal language models on one language (paper, section 5.3 and Table 4).

The text is read once, window by window as in pretraining: a window begins with ``</s>`` and goes on where the one
before it ended. What is predicted are all pieces, and the end of every sentence.

Nobody knows what the published numbers are per, so the same sum of nats is divided by three things: words and ends of
sentences; pieces and ends of sentences; bytes. Only the first and the last compare models of different vocabularies.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from xlm_core import digests, results
from xlm_core.data.batch import Batch
from xlm_core.data.blocks import Stream
from xlm_core.errors import CorpusError
from xlm_core.languages import language_ids
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.objectives import CAUSAL, clm_batch
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.pretraining.data import Corpora
from xlm_core.text.vocabulary import EOS, UNK, Vocabulary

LOG = logging.getLogger(__name__)

PER_WORD, PER_PIECE, PER_BYTE = "perplexity per word", "perplexity per piece", "bits per byte"
SIGNATURE = "windows:{seq_len}|context:window|ends-of-sentences:yes|bytes:utf-8-of-tokenized-text"
BATCH_TOKENS = 2048  # that are read at once: with 95,000 pieces their scores are 780 MB


def score(
    *,
    model: Path,
    vocabulary: Path,
    test: Sequence[Path],
    language: str,
    seq_len: int,
    context: ResultContext,
    n_threads: int,
    output: Path,
    kept: Path,
) -> None:
    """Write the perplexity of a model on the text of a language, in three units.

    Args:
        model: a pretrained model that has learned ``clm``.
        vocabulary: that of the model.
        test: stores that hold the language in any column.
        seq_len: tokens of a window, as in pretraining.
        context: of the results.
        output: JSON lines; the column is the language.
        kept: the items: nats and words of every sentence, its end included.

    Raises:
        CorpusError: there is no text.
        StoreError: a store is damaged, or has another vocabulary or other languages.
    """
    torch.set_num_threads(n_threads)
    transformer, about = checkpoint.load(model)
    words = Vocabulary.read(vocabulary)
    corpora = Corpora.open({language: test}, {}, about["vocabulary"])
    stream = Stream(corpora.monolingual[language])
    if not len(stream):
        raise CorpusError(
            f"test text of '{language}': found no sentence, expected at least one; raise text.test_fraction"
        )
    nats = _read(transformer, windows(stream, seq_len, language_ids(about["languages"])[language]))
    tokens = stream.at(np.arange(len(stream)))
    n_words, n_bytes, n_unknown = sizes(tokens, words)
    LOG.info("%s: %d words, %d pieces, %d bytes, %d unknown", language, n_words, len(tokens), n_bytes, n_unknown)
    result = partial(
        Result,
        **vars(context),
        column=language,
        n=n_words,
        config_digest=about["config"],
        data_digest=digests.of_value([about["data"], corpora.digests]),
        signature=SIGNATURE.format(seq_len=seq_len),
        warnings=[f"{n_unknown} unknown pieces, of no bytes"] if n_unknown else [],
    )
    units = in_units(float(nats.sum()), n_words, len(tokens), n_bytes)
    results.write([result(metric=metric, value=value) for metric, value in units.items()], output)
    sample_statistics.write(kept, {language: SampleStatistics("perplexity", _of_sentences(nats, tokens, words))})


@torch.inference_mode()
def _read(model: Transformer, batches: Iterator[Batch]) -> np.ndarray:
    """The loss (n,) of every token of a text, in float32."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    found = []
    for batch in (batch.to(device) for batch in batches):
        hidden = model(batch, CAUSAL["clm"], batch.predicted)  # (n, D)
        scores = functional.linear(hidden, model.embeddings.weight, model.output_bias)  # (n, V)
        labels = batch.labels.flatten().index_select(0, batch.predicted)
        found.append(functional.cross_entropy(scores, labels, reduction="none").cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def _of_sentences(nats: np.ndarray, tokens: np.ndarray, words: Vocabulary) -> np.ndarray:
    """Nats and words (N, 2) of every sentence of a text of ``tokens`` (n,), its end counted as a word."""
    ends = np.flatnonzero(tokens == EOS)
    starts = np.concatenate([[0], ends[:-1] + 1])
    is_word = words.begins_word(tokens) | (tokens == EOS)
    return np.stack([np.add.reduceat(nats, starts), np.add.reduceat(is_word.astype(np.float64), starts)], axis=1)


def windows(stream: Stream, seq_len: int, language: int) -> Iterator[Batch]:
    """The text as CLM batches, every token predicted once; ``language`` is an id."""
    width = seq_len - 1
    n_rows = max(1, BATCH_TOKENS // seq_len)
    n_whole = len(stream) // width
    for first in range(0, n_whole, n_rows):
        numbers = np.arange(first, min(first + n_rows, n_whole))
        yield _batch(stream, numbers * width, width, language)
    if rest := len(stream) - n_whole * width:
        yield _batch(stream, np.array([n_whole * width]), rest, language)


def _batch(stream: Stream, starts: np.ndarray, width: int, language: int) -> Batch:
    """FixedLengthBlocks of ``width`` tokens of the text, which begin at ``starts`` (B,)."""
    tokens = stream.at(starts[:, None] + np.arange(width))
    return clm_batch(np.concatenate([np.full((len(starts), 1), EOS), tokens], axis=1), language)


def sizes(tokens: np.ndarray, words: Vocabulary) -> tuple[int, int, int]:
    """What a text of ``tokens`` (n,) has: words and ends of sentences; bytes of UTF-8, one per blank or end; unknowns.

    A word of which nothing is known is one piece with the mark of a word's begin, and one unknown piece.
    """
    ends = tokens == EOS
    n_words = int(words.begins_word(tokens)[~ends].sum()) + int(ends.sum())
    return n_words, int(words.n_bytes[tokens].sum()), int((tokens == UNK).sum())


def in_units(nats: float, n_words: int, n_pieces: int, n_bytes: int) -> dict[str, float]:
    """The nats of a text per word, per piece and per byte; the first two as perplexities, the last as bits."""
    bits = nats / math.log(2)
    return {
        PER_WORD: 2 ** (bits / n_words),
        PER_PIECE: 2 ** (bits / n_pieces),
        PER_BYTE: bits / n_bytes,
    }
