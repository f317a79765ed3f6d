import itertools

import numpy as np
import pytest
import torch
from bart_parity import N_TOKENS, bart, sentences, translator

from xlm_core.config import DecodingConfig
from xlm_core.data.batch import PackedSequences, sentence_batch, target_batch
from xlm_core.model.decoding import beam_search, greedy_search
from xlm_core.text.special_symbols import EOS, N_SPECIAL

WORDS = range(N_SPECIAL, N_TOKENS)


def lively(seed=0, n_languages=1, end=3.0):
    """A translator that says other things at each place and of each source, and ends at different lengths.

    One with random weights alone says its last token again and again.
    """
    model = translator(seed, n_languages)
    with torch.no_grad():
        model.decoder.embeddings.weight *= 2
        model.decoder.position_embeddings.weight *= 4
        for layer in model.decoder.layers:
            layer.source_attention.out.weight *= 6
            layer.source_attention.keys_and_values.weight *= 6
        model.decoder.output_bias[EOS] = end
    return model


def max_lengths(*limits):
    return torch.tensor(limits)


def scores_from_scratch(model, source, sentence, language=0):
    """Log-probabilities (T, V) of each next token of ``sentence``, as training computes them: without a cache."""
    with torch.no_grad():
        return model.decoder.predict(model(source, target_batch(PackedSequences.from_lists([sentence]), language))[0])


@pytest.mark.parametrize("width", [1, 3])
def test_with_a_cache_and_without_it_the_scores_are_the_same(width):
    model = translator(n_languages=2)
    source, words = sentence_batch(sentences(4, 7), 0), sentences(5, 5, seed=2).tokens.reshape(2, 5)
    with torch.inference_mode():
        cache = model.init_cache(source, 1, max_lengths(6, 6), width)
        said = np.concatenate([np.full((2, 1), EOS), words], axis=1)
        steps = [model.step(torch.tensor(said[:, position]).repeat_interleave(width), cache) for position in range(6)]
    for row in range(2):
        alone = sentence_batch(PackedSequences.from_lists([_nth(sentences(4, 7), row)]), 0)
        expected = scores_from_scratch(model, alone, words[row].tolist(), language=1)
        for position, scores in enumerate(steps):
            for hypothesis in range(width):
                here = scores[row * width + hypothesis]
                allowed = torch.isfinite(here)
                assert (here - expected[position])[allowed].abs().max() <= 1e-5


def _nth(ragged, number):
    ends = np.cumsum(ragged.lengths)
    return ragged.tokens[ends[number] - ragged.lengths[number] : ends[number]].tolist()


def test_greedy_always_takes_the_likeliest_allowed_token():
    model = lively()
    source = sentence_batch(sentences(5), 0)
    (output,) = greedy_search(model, source, 0, max_lengths(12))
    allowed = [EOS, *WORDS]
    scores = scores_from_scratch(model, source, output)
    likeliest = [allowed[int(row[allowed].argmax())] for row in scores]
    assert output == likeliest[: len(output)] and (len(output) == 12 or likeliest[len(output)] == EOS)


def test_greedy_is_that_of_the_transformers_library():
    model = lively(end=0.0)
    theirs = bart(model)
    source = sentence_batch(sentences(5, 3, 6), 0)
    outputs = greedy_search(model, source, 0, max_lengths(9, 9, 9))
    mask = torch.arange(source.tokens.shape[1]) < source.lengths[:, None]
    forbidden = [token for token in range(N_SPECIAL) if token != EOS]
    expected = theirs.generate(
        source.tokens, attention_mask=mask.long(), num_beams=1, do_sample=False, max_new_tokens=9,
        suppress_tokens=forbidden,
    )  # fmt: skip
    for ours, row in zip(outputs, expected[:, 1:].tolist(), strict=True):
        assert ours == (row[: row.index(EOS)] if EOS in row else row)
    assert len({tuple(tokens) for tokens in outputs}) == 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_beam_of_one_is_greedy(seed, length_penalty):
    model = lively(seed)
    source, limits = sentence_batch(sentences(5, 2, 7, 4), 0), max_lengths(10, 3, 12, 6)
    decoding = DecodingConfig(beam_size=1, length_penalty=length_penalty, early_stopping=True)
    assert [best.tokens for (best,) in beam_search(model, source, 0, limits, decoding)] == greedy_search(
        model, source, 0, limits
    )


def exhaustive(model, source, limit, length_penalty):
    """All translations of up to ``limit`` words out of few, the best first, each with its score."""
    candidates = []
    for length in range(limit + 1):
        for words in itertools.product(WORDS, repeat=length):
            logs = scores_from_scratch(model, source, list(words))
            logs[:, [token for token in range(N_SPECIAL) if token != EOS]] = -torch.inf
            logs = logs.log_softmax(dim=-1)
            ends = [] if length == limit else [EOS]
            total = sum(logs[position, token].item() for position, token in enumerate([*words, *ends]))
            candidates.append((total / (length + 1) ** length_penalty, list(words)))
    return sorted(candidates, reverse=True)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_what_an_exhaustive_search_finds(monkeypatch, seed, length_penalty):
    monkeypatch.setattr("bart_parity.N_TOKENS", 17)
    monkeypatch.setitem(globals(), "WORDS", range(14, 17))
    model, limit = lively(seed), 3
    source = sentence_batch(PackedSequences.from_lists([[14, 16, 15]]), 0)
    expected = exhaustive(model, source, limit, length_penalty)
    decoding = DecodingConfig(
        beam_size=40, length_penalty=length_penalty, n_best=5
    )  # 3 + 9 + 27 words and the empty translation: 40
    (hypotheses,) = beam_search(model, source, 0, max_lengths(limit), decoding)
    assert [best.tokens for best in hypotheses] == [words for _, words in expected[:5]]
    assert [best.score for best in hypotheses] == pytest.approx([score for score, _ in expected[:5]], abs=1e-5)


@pytest.mark.parametrize(
    "decoding",
    [DecodingConfig(), DecodingConfig(beam_size=3, n_best=2), DecodingConfig(beam_size=3, early_stopping=True)],
)
def test_translations_do_not_depend_on_what_shares_their_batch(decoding):
    model = lively(n_languages=2)
    text = sentences(5, 2, 7, 4, 3, 6, 1, 5, 8, 2, seed=3)
    limits = max_lengths(*(int(length * 1.3) + 5 for length in text.lengths))

    def translations(rows):
        batch = sentence_batch(PackedSequences.from_lists([_nth(text, row) for row in rows]), 0)
        hypotheses = beam_search(model, batch, 1, limits[rows], decoding)
        return [[hypothesis.tokens for hypothesis in best] for best in hypotheses], greedy_search(
            model, batch, 1, limits[rows]
        )

    together = translations(list(range(10)))
    order = [3, 9, 0, 7, 1, 8, 2, 6, 5, 4]
    shuffled = translations(order)
    for kind in range(2):
        assert [together[kind][row] for row in order] == shuffled[kind]
        assert [translations([row])[kind][0] for row in range(10)] == together[kind]
    lengths = {len(tokens) for tokens in together[1]}
    assert len(lengths) > 2, "some must end early for the test to say anything"


@pytest.mark.parametrize("likely", range(N_SPECIAL))
def test_special_symbols_are_never_produced(likely):
    model = lively()
    with torch.no_grad():
        model.decoder.output_bias[likely] = 50.0
    source = sentence_batch(sentences(4, 3), 0)
    (first, *_), (second, *_) = beam_search(model, source, 0, max_lengths(6, 6), DecodingConfig(beam_size=2))
    for tokens in (*greedy_search(model, source, 0, max_lengths(6, 6)), first.tokens, second.tokens):
        assert all(token >= N_SPECIAL for token in tokens)
        assert len(tokens) == (0 if likely == EOS else 6) or likely != EOS


def test_n_best_come_in_falling_order_and_differ():
    (hypotheses,) = beam_search(
        lively(), sentence_batch(sentences(5), 0), 0, max_lengths(8), DecodingConfig(beam_size=4, n_best=4)
    )
    scores = [hypothesis.score for hypothesis in hypotheses]
    assert len(hypotheses) == 4 and scores == sorted(scores, reverse=True)
    assert len({tuple(hypothesis.tokens) for hypothesis in hypotheses}) == 4


def test_the_score_is_that_of_its_tokens():
    model, source = lively(), sentence_batch(sentences(5), 0)
    ((best,),) = beam_search(model, source, 0, max_lengths(8), DecodingConfig(beam_size=4, length_penalty=0.6))
    logs = scores_from_scratch(model, source, best.tokens)
    logs[:, [token for token in range(N_SPECIAL) if token != EOS]] = -torch.inf
    logs = logs.log_softmax(dim=-1)
    ends = [EOS] if len(best.tokens) < 8 else []
    total = sum(logs[position, token].item() for position, token in enumerate([*best.tokens, *ends]))
    assert best.score == pytest.approx(total / (len(best.tokens) + 1) ** 0.6, abs=1e-5)
