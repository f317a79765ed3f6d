from dataclasses import replace

import pytest
import torch
from bart_parity import bart, sentences, translator

from xlm_core.data.batch import sentence_batch, target_batch
from xlm_core.text.special_symbols import PAD


@pytest.mark.parametrize("lengths", [((5, 3, 7), (4, 6, 2)), ((5, 5), (3, 3))])
def test_parity_with_an_independent_encoder_and_decoder(lengths):
    ours = translator()
    theirs = bart(ours)
    source, target = sentence_batch(sentences(*lengths[0]), 0), target_batch(sentences(*lengths[1], seed=1), 0)
    with torch.no_grad():
        scores = ours.decoder.predict(ours(source, target))
        mask = torch.arange(source.tokens.shape[1]) < source.lengths[:, None]
        expected = theirs(input_ids=source.tokens, attention_mask=mask.long(), decoder_input_ids=target.tokens).logits
    is_token = target.tokens != PAD
    assert (scores - expected)[is_token].abs().max() <= 1e-5


def test_only_some_places_are_computed_with_the_same_result():
    ours = translator(n_languages=2)
    source, target = sentence_batch(sentences(4, 6), 0), target_batch(sentences(5, 3), 1)
    with torch.no_grad():
        selected, everything = ours(source, target, target.predicted), ours(source, target)
    assert torch.allclose(selected, everything.flatten(0, 1)[target.predicted], atol=1e-6)
    assert len(selected) == 6 + 4  # every token of both, and their ends


def test_what_comes_later_in_the_translation_is_not_seen_and_the_source_is():
    ours = translator()
    source, target = sentence_batch(sentences(4), 0), target_batch(sentences(5), 0)
    later, other = target.tokens.clone(), source.tokens.clone()
    later[0, 3:] = 20
    other[0, 4] = 20
    with torch.no_grad():
        states = ours(source, target)
        changed = ours(source, replace(target, tokens=later))
        elsewhere = ours(replace(source, tokens=other), target)
    assert torch.equal(states[0, :3], changed[0, :3]) and not torch.allclose(states[0, 3:], changed[0, 3:])
    assert not torch.isclose(states, elsewhere).all(dim=-1).any()


def test_both_languages_matter():
    ours = translator(n_languages=2)
    text = sentences(4), sentences(5)
    with torch.no_grad():
        logits = [
            ours(sentence_batch(text[0], source), target_batch(text[1], target))
            for source, target in ((0, 0), (1, 0), (0, 1))
        ]
    assert not torch.allclose(logits[0], logits[1]) and not torch.allclose(logits[0], logits[2])


def test_sentences_encode_by_length_are_as_if_read_together():
    """Nineteen of 3 to 14 tokens, the end included, out of order; in two groups, of which the first is narrower."""
    model, widths = translator(), []
    model.encoder.register_forward_pre_hook(lambda _, inputs: widths.append(inputs[0].tokens.shape[1]))
    lengths = sorted(range(19), key=lambda n: n * 7 % 19)
    source = sentence_batch(sentences(*(1 + n * 11 // 18 for n in lengths)), 0)
    with torch.inference_mode():
        together, by_length = model.encode(source), model.encode_by_length(source)
    assert (together.states - by_length.states).abs().max() <= 1e-5
    assert torch.equal(together.attention_mask, by_length.attention_mask)
    assert widths == [14, 12, 14]


def test_sentences_of_like_lengths_are_read_together():
    model, source = translator(), sentence_batch(sentences(*[9] * 20, 7), 0)
    with torch.inference_mode():
        assert torch.equal(model.encode(source).states, model.encode_by_length(source).states)
