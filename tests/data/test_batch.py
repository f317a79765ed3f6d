import numpy as np
import torch

from xlm_core.data.batch import (
    IGNORE,
    PackedSequences,
    from_arrays,
    gather_indices,
    sentence_batch,
    target_batch,
)
from xlm_core.text.special_symbols import EOS, PAD

TEXT = PackedSequences.from_lists([[20, 21, 22], [30], []])


def test_a_batch_knows_without_the_device_what_is_full_and_what_is_predicted():
    labels = np.array([[IGNORE, 7, IGNORE], [9, IGNORE, 8]])
    batch = from_arrays(np.ones((2, 3), int), np.arange(3), np.array(1), labels=labels)
    assert batch.is_full
    assert len(batch.predicted) == 3
    assert batch.labels.flatten()[batch.predicted].tolist() == [7, 9, 8]
    assert batch.positions.tolist() == [[0, 1, 2]] * 2
    assert batch.languages.tolist() == [[1, 1, 1]] * 2
    assert batch.lengths.tolist() == [3, 3]


def test_a_shorter_row_makes_the_batch_not_full():
    batch = from_arrays(np.ones((2, 3), int), np.arange(3), np.array(0), lengths=np.array([3, 2]))
    assert not batch.is_full
    assert len(batch.predicted) == 0


def test_moving_a_batch_moves_every_tensor_and_nothing_else():
    batch = from_arrays(np.ones((1, 2), int), np.arange(2), np.array(0), labels=np.array([[1, IGNORE]]))
    moved = batch.to(torch.device("meta"))
    tensors = [value for value in vars(moved).values() if isinstance(value, torch.Tensor)]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert (len(moved.predicted), moved.is_full) == (1, True)


def test_arrays_that_cannot_be_written_to_are_copied():
    tokens = np.ones((1, 2), int)
    tokens.flags.writeable = False
    assert from_arrays(tokens, np.arange(2), np.array(0)).tokens.tolist() == [[1, 1]]


def test_sentences_for_an_encoder_by_eye():
    batch = sentence_batch(TEXT, language=1)
    assert batch.tokens.tolist() == [[EOS, 20, 21, 22, EOS], [EOS, 30, EOS, PAD, PAD], [EOS, EOS, PAD, PAD, PAD]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 0, 0], [0, 1, 0, 0, 0]]
    assert batch.lengths.tolist() == [5, 3, 2] and not batch.is_full
    assert (batch.languages == 1).all() and len(batch.predicted) == 0


def test_sentences_for_a_decoder_by_eye():
    batch = target_batch(TEXT, language=0)
    assert batch.tokens.tolist() == [[EOS, 20, 21, 22], [EOS, 30, PAD, PAD], [EOS, PAD, PAD, PAD]]
    assert batch.labels.tolist() == [
        [20, 21, 22, EOS],
        [30, EOS, IGNORE, IGNORE],
        [EOS, IGNORE, IGNORE, IGNORE],
    ]
    assert batch.lengths.tolist() == [4, 2, 1] and len(batch.predicted) == 4 + 2 + 1


def test_places_of_pieces():
    assert gather_indices(np.array([7, 0, 3]), np.array([2, 0, 3])).tolist() == [7, 8, 3, 4, 5]
