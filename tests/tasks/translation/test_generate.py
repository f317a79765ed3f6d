import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.config import DecodingConfig
from xlm_core.tasks.translation.generate import in_batches, max_lengths
from xlm_core.text.vocabulary import EOS


@given(lengths=st.lists(st.integers(0, 9), max_size=30), micro_batch_tokens=st.integers(1, 60))
def test_every_sentence_gets_its_own_translation_in_batches_that_are_bounded(lengths, micro_batch_tokens):
    sentences = [[20 + number] * length for number, length in enumerate(lengths)]
    sizes = []

    def translate(source):
        """The sentence itself."""
        sizes.append((source.tokens.numel(), len(source.tokens)))
        rows = zip(source.tokens.tolist(), source.lengths.tolist(), strict=True)
        return [[token for token in row[:length] if token != EOS] for row, length in rows]

    outputs = in_batches(
        sentences, translate, language=0, micro_batch_tokens=micro_batch_tokens, device=torch.device("cpu")
    )
    assert outputs == sentences
    assert all(size <= micro_batch_tokens or n_rows == 1 for size, n_rows in sizes)


@pytest.mark.parametrize(("length", "expected"), [(0, 5), (10, 18), (11, 19), (100, 62)])
def test_limits_by_eye(length, expected):
    decoding = DecodingConfig(max_length_a=1.3, max_length_b=5)
    assert max_lengths(torch.tensor([length]), decoding, max_positions=64).tolist() == [expected]
