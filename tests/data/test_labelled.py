"""Labelled pairs as the model reads them, by eye."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.data.labelled import DatasetPart, LabelledDataset, epoch_batches, truncate_pair
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import TrainingError

PAIRS = [([20, 21, 22], [30]), ([23], [31, 32]), ([], [33])]


def store() -> TokenStore:
    columns = [[np.array(pair[column], dtype=np.uint16) for pair in PAIRS] for column in (0, 1)]
    return TokenStore(
        tokens=tuple(np.concatenate(column) for column in columns),
        offsets=tuple(np.cumsum([0, *map(len, column)]) for column in columns),
        languages=("fr", "fr"),
        labels=np.array([2, 0, 1]),
        vocabulary="v",
        digest="d",
    )


def test_a_pair_has_three_end_symbols_and_positions_that_count_on():
    dataset = LabelledDataset((DatasetPart(store(), 4, np.arange(3)),))
    batch = dataset.batch([0, 1, 2], max_tokens=20)
    assert batch.tokens.tolist() == [
        [1, 20, 21, 22, 1, 30, 1],
        [1, 23, 1, 31, 32, 1, 2],
        [1, 1, 33, 1, 2, 2, 2],
    ]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 0], [0, 1, 2, 3, 0, 0, 0]]
    assert batch.lengths.tolist() == [7, 6, 4]
    assert (batch.languages == 4).all() and batch.languages.shape == (3, 7)
    assert dataset.labels[[2, 0]].tolist() == [1, 2]


def test_parts_in_two_languages_are_numbered_one_after_the_other():
    dataset = LabelledDataset((DatasetPart(store(), 4, np.array([1])), DatasetPart(store(), 0, np.array([0, 2]))))
    batch = dataset.batch([2, 0, 1], max_tokens=20)
    assert len(dataset) == 3 and dataset.lengths.tolist() == [3, 4, 1]
    assert batch.tokens.tolist() == [[1, 1, 33, 1, 2, 2, 2], [1, 23, 1, 31, 32, 1, 2], [1, 20, 21, 22, 1, 30, 1]]
    assert batch.languages[:, 0].tolist() == [0, 4, 0] and (batch.languages == batch.languages[:, :1]).all()
    assert dataset.labels[[2, 0, 1]].tolist() == [1, 0, 2]


def test_a_sample_is_drawn_without_repeats_and_more_than_there_are_is_an_error(monkeypatch):
    def records(n: int | None) -> list[int]:
        (part,) = LabelledDataset.open(Path("train.store"), {"vocabulary": "v", "languages": ["en", "fr"]}, n).parts
        assert part.language_id == 1
        return part.records.tolist()

    monkeypatch.setattr(TokenStore, "open", lambda path, vocabulary: store())
    assert records(None) == [0, 1, 2]
    sampled = records(2)
    assert sampled == sorted(set(sampled)) == records(2) and len(sampled) == 2
    with pytest.raises(TrainingError, match="500 training examples are asked for, but there are 3; lower n_train"):
        records(500)


@pytest.mark.parametrize(
    ("first", "second", "room", "expected"),
    [(10, 4, 20, (10, 4)), (10, 4, 11, (7, 4)), (4, 10, 11, (4, 7)), (10, 10, 8, (4, 4)), (10, 10, 7, (4, 3))],
)
def test_the_longer_sentence_is_cut_first(first: int, second: int, room: int, expected: tuple[int, int]):
    assert tuple(len(side) for side in truncate_pair(np.arange(first), np.arange(second), room)) == expected


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 70))
def test_a_cut_pair_fills_its_room_and_keeps_its_beginnings(first: int, second: int, room: int):
    cut = truncate_pair(np.arange(first), np.arange(second), room)
    assert sum(map(len, cut)) == min(first + second, room)
    assert all(side.tolist() == list(range(len(side))) for side in cut)


def test_pairs_that_are_cut_are_counted():
    dataset = LabelledDataset((DatasetPart(store(), 0, np.arange(3)),))
    assert [dataset.n_truncated(room) for room in (7, 6, 5, 3)] == [0, 1, 2, 3]


def test_an_epoch_has_every_example_once_and_pads_little():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 60, 500)
    batches = epoch_batches(lengths, 16, seed=0, epoch=3)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert lengths.sum() / padded > 0.8
    again, other = (epoch_batches(lengths, 16, seed=0, epoch=epoch) for epoch in (3, 4))
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in batches]
    assert [batch.tolist() for batch in other] != [batch.tolist() for batch in batches]


def test_single_sentences_have_two_end_symbols_and_lose_their_ends():
    pair = store()
    single = replace(pair, tokens=pair.tokens[:1], offsets=pair.offsets[:1], languages=("fr",))
    dataset = LabelledDataset((DatasetPart(single, 4, np.array([0, 1])),))
    assert dataset.batch([0, 1], max_tokens=20).tokens.tolist() == [[1, 20, 21, 22, 1], [1, 23, 1, 2, 2]]
    assert dataset.batch([0], max_tokens=4).tokens.tolist() == [[1, 20, 21, 1]]
    assert dataset.lengths.tolist() == [3, 1]
    assert [dataset.n_truncated(n_tokens) for n_tokens in (5, 4, 2)] == [0, 1, 2]


def test_scores_stay_fractions():
    scored = replace(store(), labels=np.array([2.5, 0.0, 4.75]))
    assert LabelledDataset((DatasetPart(scored, 4, np.arange(3)),)).labels[[2, 0]].tolist() == [4.75, 2.5]
