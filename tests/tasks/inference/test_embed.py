"""Sentence vectors: by hand, and by what must not change them."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_model import LANGUAGES, TEXT, write_model, write_vocabulary

from xlm_core.config import Text
from xlm_core.data.batch import from_arrays
from xlm_core.errors import CheckpointError, ConfigError, CorpusError
from xlm_core.tasks.inference import SentenceEncoder, embed, pool
from xlm_core.text.special_symbols import EOS
from xlm_core.text.tokenize import tokenize_line
from xlm_core.text.vocabulary import Vocabulary

SENTENCES = ["the cat", "", "the dog sees a cat .", "le chat voit le chien .", "zzz"]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="module")
def model(vocabulary):
    return write_model(vocabulary.with_name("model.safetensors"), vocabulary)


@pytest.fixture(scope="module")
def reader(model, vocabulary):
    return SentenceEncoder(model, vocabulary, "en")


def test_pooling_by_hand():
    hidden = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [100.0, 100.0]], [[2.0, 2.0], [4.0, 6.0], [0.0, 1.0]]])
    lengths = torch.tensor([2, 3])
    assert pool(hidden, lengths, "first").tolist() == [[1, -5], [2, 2]]
    assert pool(hidden, lengths, "mean").tolist() == [[2, -3], [2, 3]]
    assert pool(hidden, lengths, "max").tolist() == [[3, -1], [4, 6]]


def alone(sentences):
    """Examples of one sentence each."""
    return [[sentence] for sentence in sentences]


@pytest.mark.parametrize("pooling", ["first", "mean", "max"])
def test_vectors_are_those_of_the_sentences_alone(reader, pooling):
    vectors = embed(reader, alone(SENTENCES), pooling)
    assert vectors.shape == (5, 16) and vectors.dtype == torch.float32
    for sentence, vector in zip(SENTENCES, vectors, strict=True):
        (ids,) = reader.vocabulary.encode([sentence], "en")
        tokens = np.array([[EOS, *ids, EOS]])
        with torch.no_grad():
            batch = from_arrays(tokens, np.arange(tokens.size), np.array(0)).to(reader.model.output_bias.device)
            hidden = reader.model(batch)[0].cpu()  # (T, D)
        expected = {"first": hidden[0], "mean": hidden.mean(dim=0), "max": hidden.amax(dim=0)}[pooling]
        assert (vector - expected).abs().max() <= 1e-5


@settings(max_examples=20)
@given(order=st.permutations(range(len(SENTENCES))), repeats=st.integers(1, 30))
def test_order_and_company_do_not_matter(reader, order, repeats):
    expected = embed(reader, alone(SENTENCES), "mean")
    vectors = embed(reader, alone([SENTENCES[number] for number in order] * repeats), "mean")
    assert (vectors - expected[order].repeat(repeats, 1)).abs().max() <= 1e-5


def test_more_sentences_than_one_batch(reader):
    assert len(embed(reader, alone(SENTENCES * 64), "max", batch_tokens=100)) == 5 * 64


def test_the_language_matters(reader, model, vocabulary):
    french = SentenceEncoder(model, vocabulary, "fr")
    assert not torch.allclose(embed(reader, alone(["the cat"]), "mean"), embed(french, alone(["the cat"]), "mean"))


def test_a_sentence_that_is_too_long_loses_its_end_and_the_user_is_told(reader, caplog):
    with caplog.at_level(logging.WARNING):
        long, longer = embed(reader, alone(["dog " * 30, "dog " * 40]), "mean")
    assert torch.equal(long, longer)
    assert "2 sentences have more than 18 pieces" in caplog.text


def test_a_causal_model_looks_to_the_left_only(vocabulary, tmp_path):
    causal = SentenceEncoder(write_model(tmp_path / "clm", vocabulary, ["clm"]), vocabulary, "en")
    (ids,) = causal.vocabulary.encode(["the cat"], "en")
    tokens = np.array([[EOS, *ids, EOS]])
    with torch.no_grad():
        batch = from_arrays(tokens, np.arange(tokens.size), np.array(0)).to(causal.model.output_bias.device)
        hidden = causal.model(batch, causal=True).cpu()
    assert torch.allclose(embed(causal, alone(["the cat"]), "mean"), hidden.mean(dim=1), atol=1e-5)
    with pytest.raises(ConfigError, match="the same for all sentences"):
        embed(causal, alone(["the cat"]), "first")


def test_what_cannot_be_embedded_is_refused(reader, model, vocabulary, tmp_path):
    with pytest.raises(CorpusError, match="no sentences"):
        embed(reader, [], "mean")
    with pytest.raises(ConfigError, match=r"language 'de': .* was trained on en, fr"):
        SentenceEncoder(model, vocabulary, "de")
    other = tmp_path / "vocabulary.json"
    other.write_text(vocabulary.read_text().replace("▁dog", "▁dogs"))
    assert Vocabulary.read(other).digest != Vocabulary.read(vocabulary).digest
    with pytest.raises(CheckpointError, match="give the file that belongs to the model"):
        SentenceEncoder(model, other, "en")


def test_raw_text_is_cleaned_as_the_corpora_are():
    raw = "L’été «\u00a0Ça va\u00a0» ?"
    lowered, kept = (Text(lowercase=flag, strip_accents=flag) for flag in (True, False))
    assert tokenize_line(raw, "fr", lowered) == 'l\' ete " ca va " ?'
    assert tokenize_line(raw, "fr", kept) == 'L\' été " Ça va " ?'
    assert all(tokenize_line(line, LANGUAGES[0], lowered) == line for line in TEXT[:2])
