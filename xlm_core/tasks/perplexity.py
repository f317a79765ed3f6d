"""Perplexity of causal language models on one language (paper, section 5.3 and Table 4).

The text is read once, block by block as in pretraining: a block begins with ``</s>`` and continues where the one before
it ended. All pieces and the end of every sentence are predicted.

The paper does not say what its perplexities are per. The same sum of negative log-likelihoods is therefore divided by
words and ends of sentences, by pieces and ends of sentences, and by bytes. Only the first and the last compare models
of different vocabularies.

Shapes: n tokens of the text, N sentences, B blocks, D dimensions, V pieces of the vocabulary.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from xlm_core import digests, results
from xlm_core.data.batch import Batch
from xlm_core.data.blocks import TokenStream
from xlm_core.data.objective_batches import CAUSAL, clm_batch
from xlm_core.errors import CorpusError
from xlm_core.languages import language_ids
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics
from xlm_core.model import checkpoint
from xlm_core.model.device import select_device
from xlm_core.model.transformer import Transformer
from xlm_core.results import Result, ResultContext
from xlm_core.tasks.pretraining.data import TrainingCorpora
from xlm_core.text.special_symbols import EOS, UNK
from xlm_core.text.vocabulary import Vocabulary

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
    output: Path,
    statistics: Path,
) -> None:
    """Write the perplexity of a model on the text of a language, in three units.

    Args:
        model: a pretrained model whose training included ``clm``.
        vocabulary: of the model.
        test: stores that hold the language in any column.
        seq_len: tokens of a block, as in pretraining.
        context: of the results.
        output: JSON lines; the column is the language.
        statistics: ``sentence_nll`` of every sentence.

    Raises:
        CorpusError: there is no text.
        StoreError: a store is damaged, or has another vocabulary or other languages.
    """
    transformer, metadata = checkpoint.load(model)
    vocab = Vocabulary.read(vocabulary)
    vocab.check_symbols("perplexity")
    corpora = TrainingCorpora.open({language: test}, metadata["vocabulary"])
    stream = TokenStream(corpora.records(language))
    if not len(stream):
        raise CorpusError(
            f"test text of '{language}': found no sentence, expected at least one; raise text.test_fraction"
        )
    tokens = stream.tokens_at(np.arange(len(stream)))
    nll = token_nll(transformer, blocks(tokens, seq_len, language_ids(metadata["languages"])[language]))
    sentences = sentence_nll(nll, tokens, vocab)
    n_words, n_unknown = int(sentences[:, 1].sum()), int((tokens == UNK).sum())
    n_bytes = int(vocab.n_bytes[tokens].sum())  # every blank and every end of a sentence is one, an unknown piece none
    LOG.info("%s: %d words, %d pieces (%d unknown), %d bytes", language, n_words, len(tokens), n_unknown, n_bytes)
    scores = [
        Result(
            **vars(context), column=language, metric=metric, value=value, n=n_words,
            config_digest=metadata["config"], data_digest=digests.of_value([metadata["data"], corpora.digests]),
            signature=SIGNATURE.format(seq_len=seq_len),
            warnings=[f"{n_unknown} unknown pieces, of no bytes"] if n_unknown else [],
        )
        for metric, value in normalize(float(nll.sum()), n_words, len(tokens), n_bytes).items()
    ]  # fmt: skip
    results.write(scores, output)
    sample_statistics.write(statistics, {language: SampleStatistics("perplexity", sentences)})


@torch.inference_mode()
def token_nll(model: Transformer, batches: Iterator[Batch]) -> np.ndarray:
    """Compute the negative log-likelihood (n,) of every token of a text, in nats."""
    device = select_device()
    model.to(device).eval()
    nll = []
    for batch in (batch.to(device) for batch in batches):
        hidden = model(batch, CAUSAL["clm"], batch.predicted)  # (n, D)
        labels = batch.labels.flatten().index_select(0, batch.predicted)
        nll.append(functional.cross_entropy(model.predict(hidden), labels, reduction="none").cpu().numpy())
    return np.concatenate(nll).astype(np.float64)


def sentence_nll(nll: np.ndarray, tokens: np.ndarray, vocab: Vocabulary) -> np.ndarray:
    """Sum the negative log-likelihoods and count the words of each sentence: (N, 2), its end counted as a word.

    A word of unknown characters alone is one piece that marks the beginning of a word, and one unknown piece.
    """
    ends = np.flatnonzero(tokens == EOS)
    starts = np.concatenate([[0], ends[:-1] + 1])
    is_word = vocab.begins_word(tokens) | (tokens == EOS)
    return np.stack([np.add.reduceat(nll, starts), np.add.reduceat(is_word.astype(np.float64), starts)], axis=1)


def blocks(tokens: np.ndarray, seq_len: int, language_id: int) -> Iterator[Batch]:
    """Yield the text ``tokens`` (n,) as CLM batches that predict every token once."""
    n_rows, n_whole = max(1, BATCH_TOKENS // seq_len), len(tokens) // (seq_len - 1) * (seq_len - 1)
    rows, rest = tokens[:n_whole].reshape(-1, seq_len - 1), tokens[None, n_whole:]
    for block in (*np.split(rows, range(n_rows, len(rows), n_rows)), rest):
        if block.size:
            yield clm_batch(np.pad(block, ((0, 0), (1, 0)), constant_values=EOS), language_id)


def normalize(nll_sum: float, n_words: int, n_pieces: int, n_bytes: int) -> dict[str, float]:
    """Divide the nats of a text by its words and pieces, as perplexities, and by its bytes, as bits."""
    bits = nll_sum / math.log(2)
    return {
        PER_WORD: 2 ** (bits / n_words),
        PER_PIECE: 2 ** (bits / n_pieces),
        PER_BYTE: bits / n_bytes,
    }
