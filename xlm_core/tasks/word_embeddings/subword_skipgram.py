"""Cross-lingual vectors of pieces without a Transformer: what EMB begins with (paper, section 5.2 and Table 2).

Skip-gram vectors (gensim's word2vec) of the pieces of all languages together: what they share, such as names and
digits, ties them. They are written as a model whose other weights are random, so that whatever begins with a model can
begin with them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gensim.models import Word2Vec

from xlm_core import digests
from xlm_core.config import ModelConfig
from xlm_core.data.token_store import TokenStore
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
SETTINGS = {"sg": 1, "window": 5, "negative": 10, "epochs": 10, "min_count": 1, "sample": 1e-3}  # as fastText's


class Sentences:
    """The sentences of several stores, again and again, their ids as words."""

    def __init__(self, stores: Sequence[tuple[TokenStore, int]]) -> None:
        self._stores = stores

    def __iter__(self) -> Iterator[list[str]]:
        for store, column in self._stores:
            for number in range(len(store)):
                yield [str(id_) for id_ in store.sentence(column, number).tolist()]


def train_subword_vectors(
    *,
    stores: Mapping[str, Sequence[Path]],
    vocabulary: Path,
    languages: Sequence[str],
    model: ModelConfig,
    seed: int,
    output: Path,
) -> None:
    """Save a model whose embeddings of pieces are skip-gram vectors, and whose other weights are random.

    The vectors are scaled to the size of the random ones that they replace. Pieces that never occur keep these.

    Args:
        stores: language -> its text.
    """
    words = Vocabulary.read(vocabulary)
    opened = {language: [TokenStore.open(path, words.digest) for path in paths] for language, paths in stores.items()}
    text = [(store, store.languages.index(language)) for language, some in opened.items() for store in some]
    # One thread, so that the vectors are the same from run to run.
    vectors = Word2Vec(Sentences(text), vector_size=model.dim, seed=seed, workers=1, **SETTINGS).wv
    torch.manual_seed(seed)
    transformer = Transformer(model, len(words), len(languages))
    with torch.no_grad():
        _place(transformer, vectors.index_to_key, vectors.vectors)
    LOG.info("vectors of %d of %d pieces; all other weights are random", len(vectors.index_to_key), len(words))
    checkpoint.save(output, transformer, _about(words, languages, seed, [store.digest for store, _ in text]))


def _place(transformer: Transformer, names: Sequence[str], vectors: np.ndarray) -> None:
    """Put vectors (n, dim) into the rows that ``names`` are the ids of."""
    table = transformer.embeddings.weight
    rows = torch.tensor([int(name) for name in names])
    scale = float(table[rows].std()) / float(vectors.std())
    table[rows] = torch.from_numpy(vectors - vectors.mean(axis=0)) * scale


def _about(words: Vocabulary, languages: Sequence[str], seed: int, data: list[str]) -> dict[str, Any]:
    shown = {"languages": sorted(languages), "objectives": ["skipgram"]}
    return {
        **shown,
        "seed": seed,
        "vocabulary": words.digest,
        "config": digests.of_value({**shown, "settings": SETTINGS}),
        "data": digests.of_value([words.digest, data]),
    }
