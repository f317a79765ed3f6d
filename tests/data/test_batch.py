import numpy as np
import torch

from xlm_core.data.batch import IGNORE, from_arrays


def test_a_batch_knows_without_the_device_what_is_full_and_what_is_predicted():
    labels = np.array([[IGNORE, 7, IGNORE], [9, IGNORE, 8]])
    batch = from_arrays(np.ones((2, 3), int), np.arange(3), np.array(1), labels=labels)
    assert batch.is_full
    assert batch.n_predicted == 3
    assert batch.labels.flatten()[batch.predicted].tolist() == [7, 9, 8]
    assert batch.positions.tolist() == [[0, 1, 2]] * 2
    assert batch.languages.tolist() == [[1, 1, 1]] * 2
    assert batch.lengths.tolist() == [3, 3]


def test_a_shorter_row_makes_the_batch_not_full():
    batch = from_arrays(np.ones((2, 3), int), np.arange(3), np.array(0), lengths=np.array([3, 2]))
    assert not batch.is_full
    assert batch.n_predicted == 0


def test_moving_a_batch_moves_every_tensor_and_nothing_else():
    batch = from_arrays(np.ones((1, 2), int), np.arange(2), np.array(0), labels=np.array([[1, IGNORE]]))
    moved = batch.to(torch.device("meta"))
    tensors = [value for value in vars(moved).values() if isinstance(value, torch.Tensor)]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert (moved.n_predicted, moved.is_full) == (1, True)


def test_arrays_that_cannot_be_written_to_are_copied():
    tokens = np.ones((1, 2), int)
    tokens.flags.writeable = False
    assert from_arrays(tokens, np.arange(2), np.array(0)).tokens.tolist() == [[1, 1]]
