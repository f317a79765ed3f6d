from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.config import DecodingConfig
from xlm_core.model import decoding
from xlm_core.model.decoding import BeamHypothesis
from xlm_core.text.special_symbols import EOS


@given(lengths=st.lists(st.integers(0, 9), max_size=30), micro_batch_tokens=st.integers(1, 60))
def test_every_sentence_gets_its_own_translation_in_batches_that_are_bounded(lengths, micro_batch_tokens):
    sentences = [[20 + number] * length for number, length in enumerate(lengths)]
    sizes = []

    def decode(_, source, *rest):
        """The sentence itself."""
        sizes.append((source.tokens.numel(), len(source.tokens)))
        rows = zip(source.tokens.tolist(), source.lengths.tolist(), strict=True)
        return [[BeamHypothesis([token for token in row[:length] if token != EOS], None)] for row, length in rows]

    translator = SimpleNamespace(decoder=SimpleNamespace(output_bias=torch.empty(0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "decode", decode)
        outputs = decoding.generate(translator, sentences, (0, 1), DecodingConfig(), micro_batch_tokens)
    assert [best.tokens for (best,) in outputs] == sentences
    assert all(size <= micro_batch_tokens or n_rows == 1 for size, n_rows in sizes)


@pytest.mark.parametrize(("length", "expected"), [(0, 5), (10, 18), (11, 19), (100, 62)])
def test_limits_by_eye(length, expected):
    settings = DecodingConfig(max_length_a=1.3, max_length_b=5)
    assert decoding.length_limits(torch.tensor([length]), settings, max_positions=64).tolist() == [expected]
