"""Example batches of each objective in readable form, for the figure of the objectives (paper, figure 1)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xlm_core.config import Masking
from xlm_core.data.batch import IGNORE, Batch
from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.data.buckets import N_ENDS, LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.io import write_json
from xlm_core.languages import language_ids, sides
from xlm_core.objectives import clm_batch, mlm_batch, tlm_batch
from xlm_core.tasks.pretraining.data import Stores, TrainingCorpora
from xlm_core.text.vocabulary import Vocabulary

N_TOKENS = 12  # of an example: few enough to read


def write_examples(
    *,
    monolingual: Stores,
    parallel: Stores,
    vocabulary: Path,
    languages: Sequence[str],
    masking: Masking,
    seed: int,
    output: Path,
) -> None:
    """Write ``example_batches`` as JSON; ``monolingual`` and ``parallel`` as in ``pretrain``."""
    vocab = Vocabulary.read(vocabulary)
    corpora = TrainingCorpora.open(monolingual, parallel, vocab.digest)
    write_json(output, example_batches(corpora, vocab, languages, masking, seed))


def example_batches(
    corpora: TrainingCorpora, vocab: Vocabulary, languages: Sequence[str], masking: Masking, seed: int
) -> list[dict[str, Any]]:
    """Return one row of each objective that has text: CLM and MLM of the first language, TLM of the first pair.

    Each is a dictionary of "objective" and, one item per token, "input" (pieces), "target" (pieces, None where
    nothing is predicted), "positions" and "languages" (codes).
    """
    ids = language_ids(languages)
    masks = MaskSampler(vocab.counts, masking)
    rng = np.random.default_rng(seed)
    batches: list[tuple[str, Batch]] = []
    for language in sorted(corpora.monolingual)[:1]:
        stream = TokenStream(corpora.monolingual[language])
        block = FixedLengthBlocks(stream, N_TOKENS, 1, (seed,), f"text of '{language}'").batch(0)
        batches.append(("clm", clm_batch(block, ids[language])))
        batches.append(("mlm", mlm_batch(block, ids[language], masks, rng)))
    for pair in sorted(corpora.parallel)[:1]:
        first, second = (ids[language] for language in sides(pair))
        batches.append(("tlm", tlm_batch(_short_pairs(corpora, pair, seed), 0, (first, second), masks, rng)))
    return [_readable(objective, batch, vocab, sorted(languages)) for objective, batch in batches]


def _short_pairs(corpora: TrainingCorpora, pair: str, seed: int) -> LengthBucketedDataset:
    """Batch pairs one by one, the longest of them readable; if there is none so short, of any length."""
    stores = corpora.parallel[pair]
    sizes = (int((store.lengths(0) + store.lengths(1)).min()) for store in stores if len(store))
    shortest = min(sizes, default=0) + 2 * N_ENDS
    longest = max(shortest, 2 * N_TOKENS)
    return LengthBucketedDataset(
        [(store, (0, 1)) for store in stores],
        max_tokens=longest,
        max_positions=longest,
        micro_batch_tokens=1,
        seed=(seed,),
        name=f"pairs of '{pair}'",
    )


def _readable(objective: str, batch: Batch, vocab: Vocabulary, languages: Sequence[str]) -> dict[str, Any]:
    """Describe the first row of ``batch`` with pieces and language codes."""
    pieces = vocab.pieces
    return {
        "objective": objective,
        "input": [pieces[token] for token in batch.tokens[0].tolist()],
        "target": [None if label == IGNORE else pieces[label] for label in batch.labels[0].tolist()],
        "positions": batch.positions[0].tolist(),
        "languages": [languages[language] for language in batch.languages[0].tolist()],
    }
