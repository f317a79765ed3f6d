import numpy as np

from xlm_core.data.batch import IGNORE
from xlm_core.data.packed_sequences import PackedSequences, gather_indices, sentence_batch, target_batch
from xlm_core.text.vocabulary import EOS, PAD

TEXT = PackedSequences.from_lists([[20, 21, 22], [30], []])


def test_sentences_for_an_encoder_by_eye():
    batch = sentence_batch(TEXT, language=1)
    assert batch.tokens.tolist() == [[EOS, 20, 21, 22, EOS], [EOS, 30, EOS, PAD, PAD], [EOS, EOS, PAD, PAD, PAD]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 0, 0], [0, 1, 0, 0, 0]]
    assert batch.lengths.tolist() == [5, 3, 2] and not batch.is_full
    assert (batch.languages == 1).all() and batch.n_predicted == 0


def test_sentences_for_a_decoder_by_eye():
    batch = target_batch(TEXT, language=0)
    assert batch.tokens.tolist() == [[EOS, 20, 21, 22], [EOS, 30, PAD, PAD], [EOS, PAD, PAD, PAD]]
    assert batch.labels.tolist() == [
        [20, 21, 22, EOS],
        [30, EOS, IGNORE, IGNORE],
        [EOS, IGNORE, IGNORE, IGNORE],
    ]
    assert batch.lengths.tolist() == [4, 2, 1] and batch.n_predicted == 4 + 2 + 1


def test_places_of_pieces():
    assert gather_indices(np.array([7, 0, 3]), np.array([2, 0, 3])).tolist() == [7, 8, 3, 4, 5]
