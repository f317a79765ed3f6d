"""Filling masks: with a model that expects one piece everywhere, and against the model called by hand."""

from functools import partial

import numpy as np
import pytest
import torch
from small_model import CONFIG, write_model, write_vocabulary

from xlm_core.config import Text
from xlm_core.data.batch import from_arrays
from xlm_core.errors import ConfigError, CorpusError
from xlm_core.tasks.inference import SentenceEncoder, encode_masked, fill_mask
from xlm_core.text.special_symbols import EOS, MASK, N_SPECIAL
from xlm_core.text.tokenize import tokenize_line

clean = partial(tokenize_line, language="en", text=Text())


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="module")
def reader(vocabulary):
    return SentenceEncoder(write_model(vocabulary.with_name("m"), vocabulary), vocabulary, "en")


def test_the_expected_piece_is_proposed(vocabulary, tmp_path):
    path = write_model(tmp_path / "m", vocabulary, likely="▁dog")
    filled = fill_mask(SentenceEncoder(path, vocabulary, "en"), "the <mask> sees a <mask>.", 3, clean)
    assert [len(best) for best in filled] == [3, 3]
    for best in filled:
        assert best[0][0] == "▁dog"
        assert best[0][1] == pytest.approx(1, abs=1e-6)


def test_a_special_symbol_is_never_proposed(vocabulary, tmp_path):
    path = write_model(tmp_path / "m", vocabulary, likely="</s>")
    ((best, *others),) = fill_mask(SentenceEncoder(path, vocabulary, "en"), "the <mask>", 10**6, clean)
    assert len(others) + 1 == len(SentenceEncoder(path, vocabulary, "en").vocabulary) - N_SPECIAL
    assert best[0] not in ("</s>", "<pad>") and best[1] < 1e-6


def test_probabilities_are_those_of_the_model_at_the_masks(reader):
    filled = fill_mask(reader, "the <mask> sees <mask>", 4, str)
    before, between = reader.vocabulary.encode(["the", "sees"], "en")
    tokens = np.array([[EOS, *before, MASK, *between, MASK, EOS]])
    with torch.no_grad():
        batch = from_arrays(tokens, np.arange(tokens.size), np.array(0)).to(reader.model.output_bias.device)
        hidden = reader.model(batch)[0]
        probabilities = reader.model.predict(hidden).softmax(dim=-1)
    for best, position in zip(filled, [1 + len(before), 2 + len(before) + len(between)], strict=True):
        assert [probability for _, probability in best] == sorted((value for _, value in best), reverse=True)
        for piece, probability in best:
            expected = probabilities[position, reader.vocabulary.pieces.index(piece)].item()
            assert probability == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "the <mask> sees the dog .",
        "The <mask> sees the dog.",
        "the<mask>sees the dog.",
        "THE <mask>\u00a0sees the dog .",
    ],
)
def test_masks_are_kept_apart_from_the_words_beside_them(reader, text):
    first, second = reader.vocabulary.encode(["the", "sees the dog ."], "en")
    assert encode_masked(reader, text, clean) == [*first, MASK, *second]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我<mask>北京。"),
        ("th", "ฉัน<mask>ข้าว"),
        ("hi", "मैं <mask> हूँ।"),
        ("fr", "l’<mask>, d’été"),
        ("ar", "أنا <mask>"),
    ],
)
def test_no_tokenizer_takes_a_mask_apart(reader, language, text):
    assert encode_masked(reader, text, partial(tokenize_line, language=language, text=Text())).count(MASK) == 1


def test_masks_at_the_ends_and_side_by_side(reader):
    (dog,) = reader.vocabulary.encode(["dog"], "en")
    assert encode_masked(reader, "<mask><mask> dog <mask>", clean) == [MASK, MASK, *dog, MASK]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the dog", "expected a text with <mask>"),
        ("", "expected a text with <mask>"),
        ("<mask> xlmmaskxlm", "without 'xlmmaskxlm'"),
        ("<mask>" + " dog" * CONFIG.max_positions, "room for 18: shorten it"),
    ],
)
def test_texts_that_cannot_be_filled_are_refused(reader, text, message):
    with pytest.raises(CorpusError, match=message):
        fill_mask(reader, text, 3, clean)


def test_a_tokenizer_that_loses_the_mask_is_noticed(reader):
    with pytest.raises(CorpusError, match="joined to the word beside it"):
        fill_mask(reader, "the <mask>", 3, lambda text: text.replace(" ", ""))


@pytest.mark.parametrize(("objectives", "message"), [(["clm"], "trained by clm"), ([], "trained by nothing")])
def test_a_model_that_never_saw_a_mask_is_refused(vocabulary, tmp_path, objectives, message):
    path = write_model(tmp_path / "m", vocabulary, objectives)
    with pytest.raises(ConfigError, match=message):
        fill_mask(SentenceEncoder(path, vocabulary, "en"), "the <mask>", 3, clean)
