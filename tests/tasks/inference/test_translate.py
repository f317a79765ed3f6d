"""Translation of raw text: the same whatever is translated beside it, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_translator import DIRECTION, MODEL, WORDS, write_translator

from xlm_core.config import DecodingConfig, Text
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.model import checkpoint
from xlm_core.tasks.inference import TranslationPipeline, detokenize
from xlm_core.text.tokenize import tokenize_line
from xlm_core.text.vocabulary import Vocabulary

GREEDY, BEAM = DecodingConfig(), DecodingConfig(beam_size=3, n_best=3)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A translator that knows its words, and its vocabulary."""
    return write_translator(tmp_path_factory.mktemp("translator"))


@pytest.fixture(scope="module")
def pipeline(files):
    return TranslationPipeline(*files)


def said(pipeline, sentences, decoding=GREEDY, micro_batch_tokens=200):
    translations = pipeline.translate(sentences, *DIRECTION, decoding, micro_batch_tokens)
    return [[hypothesis.text for hypothesis in best] for best in translations]


def test_raw_text_in_and_out(pipeline):
    assert said(pipeline, ["Ant bee cat dog.", "fox, cat!"]) == [["Ameise biene katze hund."], ["fuchs, katze!"]]


def test_translations_do_not_depend_on_their_neighbors_nor_on_the_batch(pipeline):
    rng = np.random.default_rng(0)
    sentences = [" ".join(rng.choice(list(WORDS), rng.integers(1, 8))) for _ in range(30)]
    together = said(pipeline, sentences)
    assert together == [best for sentence in sentences for best in said(pipeline, [sentence])]
    assert together[::-1] == said(pipeline, sentences[::-1], micro_batch_tokens=30)
    assert said(pipeline, sentences, BEAM) == said(pipeline, sentences, BEAM, micro_batch_tokens=1)


def test_the_best_of_a_beam_come_first_and_have_scores(pipeline):
    (best,) = pipeline.translate(["ant bee"], *DIRECTION, BEAM, 100)
    assert len(best) == 3 and best[0].text == "ameise biene"
    assert [hypothesis.score for hypothesis in best] == sorted((hypothesis.score for hypothesis in best), reverse=True)


def test_what_has_no_words_has_an_empty_translation_in_its_place(pipeline):
    assert said(pipeline, ["", "dog", "  \t ", "cat"]) == [[""], ["hund"], [""], ["katze"]]
    assert said(pipeline, []) == []


def test_a_sentence_longer_than_the_model_loses_its_end_and_this_is_told(pipeline, caplog):
    long = " ".join(["dog"] * 200)
    assert said(pipeline, [long]) == said(pipeline, [" ".join(["dog"] * 300)])
    assert f"1 sentences have more than {MODEL.max_positions - 2} pieces" in caplog.text


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_has_a_translation_of_one_line(pipeline, text):
    ((line,),) = said(pipeline, [text])
    assert "\n" not in line


@pytest.mark.parametrize(("source", "target"), [("de", "en"), ("en", "fr"), ("en", "en")])
def test_a_direction_that_was_not_trained_is_refused(pipeline, source, target):
    with pytest.raises(ConfigError, match=rf"from '{source}' to '{target}': the model was trained for en-de"):
        pipeline.translate(["ant"], source, target, GREEDY, 100)


def test_another_vocabulary_is_refused(files, tmp_path):
    model, vocabulary = files
    words = Vocabulary.read(vocabulary)
    replace(words, pieces=(*words.pieces[:-1], "other")).write(tmp_path / "other.json")
    with pytest.raises(CheckpointError, match="give the file that belongs to the model"):
        TranslationPipeline(model, tmp_path / "other.json")


def test_a_language_model_alone_is_refused(files, tmp_path):
    model, vocabulary = files
    translator, metadata = checkpoint.load_translator(model)
    checkpoint.save(tmp_path / "encoder", translator.encoder, metadata)
    with pytest.raises(CheckpointError, match="found a language model alone; expected a translator"):
        TranslationPipeline(tmp_path / "encoder", vocabulary)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "It's the dog's, isn't it?"),
        ("fr", "L'été, qu'est-ce que c'est ?"),
        ("de", "Der Hund (er heißt Leo) schläft."),
        ("hi", "Anna अध्यापिका है।"),
        ("ro", "Copiii nu s-au dus acasă."),
    ],
)
def test_detokenizing_undoes_tokenizing(language, sentence):
    kept = Text(lowercase=False, strip_accents=False)
    assert detokenize(tokenize_line(sentence, language, kept), language) == sentence


@pytest.mark.parametrize("language", ["zh", "th"])
def test_languages_without_blanks_get_none(language):
    assert detokenize("一 二 三", language) == "一二三"
