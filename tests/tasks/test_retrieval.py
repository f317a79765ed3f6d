"""Sentence retrieval against cases with a known answer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xlm_core import results
from xlm_core.config import ModelConfig
from xlm_core.data.token_store import TokenStore, TokenStoreWriter
from xlm_core.errors import CorpusError
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.results import ResultContext
from xlm_core.tasks import retrieval

MODEL = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=32, max_positions=16, language_embeddings=True)


class _Vocabulary:
    digest = "v1"

    def __len__(self) -> int:
        return 40


def write(path: Path, sentences: list[list[int]], language: str = "en") -> Path:
    with TokenStoreWriter(path, (language, language), _Vocabulary(), labels="classes") as writer:
        for sentence in sentences:
            writer.add(([14], sentence), 0)
    return path


def test_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    swapped = torch.tensor([[0.0, 2.0], [2.0, 0.0], [3.0, 3.0]])
    assert retrieval.retrieval_accuracies(first, first, centered=False) == (100.0, 100.0)
    assert retrieval.retrieval_accuracies(first, swapped, centered=False) == pytest.approx((100 / 3, 100 / 3))


def test_centering_undoes_the_offset_of_a_language():
    rng = torch.Generator().manual_seed(0)
    vectors = torch.randn(50, 8, generator=rng)
    moved = vectors + 30 * torch.randn(8, generator=rng)
    raw, centered = (retrieval.retrieval_accuracies(vectors, moved, centered=kind)[0] for kind in (False, True))
    assert raw < 50 and centered == 100


def test_sentences_that_are_not_unique_in_every_language_are_left_out(tmp_path: Path):
    english = TokenStore.open(write(tmp_path / "en", [[20], [21], [22], [22], [23]]), "v1")
    french = TokenStore.open(write(tmp_path / "fr", [[30], [30], [31], [32], [33]], "fr"), "v1")
    assert retrieval.unique_records([english]) == [0, 1, 4]
    with pytest.raises(CorpusError, match="fewer than two"):
        retrieval.unique_records([english, french])


def test_stores_of_different_sizes_are_refused(tmp_path: Path):
    stores = [TokenStore.open(write(tmp_path / str(n), [[20]] * n), "v1") for n in (2, 3)]
    with pytest.raises(CorpusError, match=r"\[2, 3\] pairs"):
        retrieval.unique_records(stores)


def score(tmp_path: Path, n_sentences: int = 20, layer: int | None = None, **changes) -> list[results.Result]:
    """Results of retrieval by random weights among random sentences that both languages share."""
    sentences = [[14 + int(token) for token in row] for row in np.random.default_rng(0).integers(0, 26, (30, 5))]
    torch.manual_seed(0)
    model = Transformer(MODEL.model_copy(update=changes), 40, 2)
    metadata = {"languages": ["en", "fr"], "vocabulary": "v1", "config": "c", "data": "d"}
    checkpoint.save(tmp_path / "model", model, metadata)
    retrieval.score(
        systems={
            "mlm": retrieval.RetrievalTest(
                tmp_path / "model",
                {language: write(tmp_path / language, sentences, language) for language in ("en", "fr")},
            )
        },
        pivot="en",
        n_sentences=n_sentences,
        layer=layer,
        context=ResultContext("retrieval", "", "", 0, None, "x"),
        output=tmp_path / "results.jsonl",
    )
    return results.read([tmp_path / "results.jsonl"])


def test_a_model_finds_a_language_that_is_written_alike(tmp_path: Path):
    """Without language embeddings the same ids have the same states, so each sentence finds itself."""
    results = score(tmp_path, language_embeddings=False)
    columns = {"retrieval": ("en-fr", "fr-en"), "retrieval_by_layer": ("0", "1", "2")}
    assert sorted((result.table, result.setting, result.column) for result in results) == sorted(
        (table, setting, column) for table in columns for setting in ("raw", "centered") for column in columns[table]
    )
    assert all(result.value == 100 for result in results)
    assert {(result.table, result.n) for result in results} == {("retrieval", 20), ("retrieval_by_layer", 40)}


@pytest.mark.parametrize(("layer", "in_table"), [(None, 2), (2, 2), (0, 0)])
def test_the_table_has_one_layer_and_says_which(tmp_path: Path, layer: int | None, in_table: int):
    results = score(tmp_path, n_sentences=30, layer=layer)
    values = {name: [r for r in results if r.table == name] for name in ("retrieval", "retrieval_by_layer")}
    assert {r.signature for r in values["retrieval"]} == {
        f"pool:mean|layer:{in_table}/2|similarity:cosine|candidates:30"
    }
    for setting in ("raw", "centered"):
        both = [r.value for r in values["retrieval"] if r.setting == setting]
        by_layer = {r.column: r for r in values["retrieval_by_layer"] if r.setting == setting}
        assert by_layer[str(in_table)].value == pytest.approx(sum(both) / 2)
        assert [f"layer:{k}/2" in by_layer[str(k)].signature for k in range(3)] == [True] * 3
    raw = {r.column: r.value for r in values["retrieval_by_layer"] if r.setting == "raw"}
    assert len(set(raw.values())) > 1, "layers differ, or else this test says nothing"


def test_vectors_are_means_over_the_tokens_of_a_sentence(tmp_path: Path):
    """Beside a longer sentence a shorter one, padded, has the vector that it has alone."""
    store = TokenStore.open(write(tmp_path / "en", [[20, 21], [22, 23, 24, 25]]), "v1")
    torch.manual_seed(0)
    model = Transformer(MODEL, 40, 2)
    together, alone = retrieval.embed(model, store, [0, 1], 0), retrieval.embed(model, store, [0], 0)
    assert together.shape == (3, 2, 16)
    assert (together[:, :1] - alone).abs().max() < 1e-5
