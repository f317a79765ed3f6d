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
from xlm_core.data.objective_batches import clm_batch, mlm_batch, tlm_batch
from xlm_core.data.token_store import Records
from xlm_core.io import write_json
from xlm_core.languages import language_ids, sides
from xlm_core.tasks.pretraining.data import Stores, TrainingCorpora
from xlm_core.text.vocabulary import Vocabulary

N_TOKENS = 12  # of an example: few enough to read
SEED = 0


def write_examples(
    *,
    stores: Stores,
    vocabulary: Path,
    languages: Sequence[str],
    masking: Masking,
    output: Path,
) -> None:
    """Write one row of each objective that has text: CLM and MLM of the first language, TLM of the first pair.

    Args:
        stores: of languages and pairs.
        output: JSON, a list of dictionaries of "objective" and, one item per token, "input" (pieces), "target" (pieces,
            None where nothing is predicted), "positions" and "languages" (codes).
    """
    vocab, ids = Vocabulary.read(vocabulary), language_ids(languages)
    corpora = TrainingCorpora.open(stores, vocab.digest)
    masks, rng = MaskSampler(vocab.counts, masking, vocab.symbols), np.random.default_rng(SEED)
    batches: list[tuple[str, Batch]] = []
    for language in sorted(corpora.sizes("mlm"))[:1]:
        stream = TokenStream(corpora.records(language), vocab.symbols)
        block = FixedLengthBlocks(stream, N_TOKENS, 1, (SEED,), f"text of '{language}'").batch(0)
        batches.append(("clm", clm_batch(block, ids[language])))
        batches.append(("mlm", mlm_batch(block, ids[language], masks, rng)))
    for pair in sorted(corpora.sizes("tlm"))[:1]:
        batch = tlm_batch(_short_pairs(corpora.records(pair), pair), 0, [ids[side] for side in sides(pair)], masks, rng)
        batches.append(("tlm", batch))
    write_json(output, [_readable(objective, batch, vocab, sorted(languages)) for objective, batch in batches])


def _short_pairs(records: Records, pair: str) -> LengthBucketedDataset:
    """Batch pairs one by one, the longest of them readable; if there is none so short, of any length."""
    sizes = (int((store.lengths(a) + store.lengths(b)).min()) for store, (a, b) in records if len(store))
    longest = max(min(sizes, default=0) + 2 * N_ENDS, 2 * N_TOKENS)
    return LengthBucketedDataset(
        records,
        max_tokens=longest,
        max_positions=longest,
        micro_batch_tokens=1,
        seed=(SEED,),
        name=f"pairs of '{pair}'",
    )


def _readable(objective: str, batch: Batch, vocab: Vocabulary, languages: Sequence[str]) -> dict[str, Any]:
    """Return the first row of ``batch`` as pieces and language codes."""
    pieces = vocab.pieces
    return {
        "objective": objective,
        "input": [pieces[token] for token in batch.tokens[0].tolist()],
        "target": [None if label == IGNORE else pieces[label] for label in batch.labels[0].tolist()],
        "positions": batch.positions[0].tolist(),
        "languages": [languages[language] for language in batch.languages[0].tolist()],
    }
