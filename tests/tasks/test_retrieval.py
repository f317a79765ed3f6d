"""Sentence retrieval against cases with a known answer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xlm_core import results
from xlm_core.config import ModelConfig
from xlm_core.data.store import StoreWriter, TokenStore
from xlm_core.errors import CorpusError
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.tasks import retrieval

MODEL = ModelConfig(dim=16, n_layers=1, n_heads=2, feedforward_dim=32, max_positions=16, language_embeddings=True)


class _Vocabulary:
    digest = "v1"

    def __len__(self) -> int:
        return 40


def write(path: Path, sentences: list[list[int]], language: str = "en") -> Path:
    with StoreWriter(path, (language, language), _Vocabulary(), labelled=True) as writer:
        for sentence in sentences:
            writer.add(([14], sentence), 0)
    return path


def test_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    swapped = torch.tensor([[0.0, 2.0], [2.0, 0.0], [3.0, 3.0]])
    assert retrieval.directions(first, first, centered=False) == (100.0, 100.0)
    assert retrieval.directions(first, swapped, centered=False) == pytest.approx((100 / 3, 100 / 3))


def test_centering_undoes_the_offset_of_a_language():
    rng = torch.Generator().manual_seed(0)
    vectors = torch.randn(50, 8, generator=rng)
    moved = vectors + 30 * torch.randn(8, generator=rng)
    raw, centered = (retrieval.directions(vectors, moved, centered=kind)[0] for kind in (False, True))
    assert raw < 50 and centered == 100


def test_sentences_that_are_not_unique_in_every_language_are_left_out(tmp_path: Path):
    english = TokenStore.open(write(tmp_path / "en", [[20], [21], [22], [22], [23]]), "v1")
    french = TokenStore.open(write(tmp_path / "fr", [[30], [30], [31], [32], [33]], "fr"), "v1")
    assert retrieval.unique_rows([english]) == [0, 1, 4]
    with pytest.raises(CorpusError, match="fewer than two"):
        retrieval.unique_rows([english, french])


def test_stores_of_different_sizes_are_refused(tmp_path: Path):
    stores = [TokenStore.open(write(tmp_path / str(n), [[20]] * n), "v1") for n in (2, 3)]
    with pytest.raises(CorpusError, match=r"\[2, 3\] pairs"):
        retrieval.unique_rows(stores)


def test_a_model_finds_a_language_that_is_written_alike(tmp_path: Path):
    """Without language embeddings the same ids have the same states, so each sentence finds itself."""
    sentences = [[14 + int(token) for token in row] for row in np.random.default_rng(0).integers(0, 26, (30, 5))]
    torch.manual_seed(0)
    model = Transformer(MODEL.model_copy(update={"language_embeddings": False}), 40, 2)
    about = {"languages": ["en", "fr"], "vocabulary": "v1", "config": "c", "data": "d"}
    weights.save(tmp_path / "model", model, about)
    retrieval.score(
        model=tmp_path / "model",
        test={language: write(tmp_path / language, sentences, language) for language in ("en", "fr")},
        pivot="en",
        n_sentences=20,
        system="mlm",
        seeds="0",
        code="x",
        n_threads=1,
        output=tmp_path / "results.jsonl",
    )
    found = results.read([tmp_path / "results.jsonl"])
    assert {(result.setting, result.column) for result in found} == {
        (setting, column) for setting in ("raw", "centered") for column in ("en-fr", "fr-en")
    }
    assert all(result.value == 100 and result.n == 20 for result in found)
