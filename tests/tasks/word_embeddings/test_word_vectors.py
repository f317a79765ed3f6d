"""Vectors of words: learned, and put together from a model's pieces."""

import numpy as np
import pytest
from small_world import MODEL

from xlm_core.config import WordVectors
from xlm_core.errors import CheckpointError, CorpusError
from xlm_core.model import checkpoint
from xlm_core.tasks.pretraining import train
from xlm_core.tasks.word_embeddings.skipgram import train_word_vectors
from xlm_core.tasks.word_embeddings.vectors import InputEmbeddings, WordEmbeddings
from xlm_core.text import bpe, vocabulary
from xlm_core.text.bpe import TokenFile
from xlm_core.text.vocabulary import Vocabulary

COLORS, ACTS = ["red", "green", "blue"], ["stands", "waits", "burns"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Pairs of lines, of which the first side is English: words of one list stand in the same places."""
    path = tmp_path_factory.mktemp("words") / "0.tsv"
    rng = np.random.default_rng(0)
    lines = [f"the {rng.choice(COLORS)} car drives\tx\na house {rng.choice(ACTS)} here\tx\n" for _ in range(600)]
    path.write_text("".join(lines) + "once\tx\n")
    return TokenFile(path, ("en", "fr"))


@pytest.mark.parametrize("subwords", [False, True])
def test_what_occurs_in_the_same_places_becomes_alike(text, tmp_path, subwords):
    settings = WordVectors(dim=16, epochs=10, subwords=subwords)
    train_word_vectors({"en": [text]}, settings, 0, tmp_path / "a")
    embeddings = WordEmbeddings.read(tmp_path / "a")
    assert embeddings.vectors.shape == (len(embeddings.words), 16) and embeddings.vectors.dtype == np.float32
    assert set(embeddings.words) == {*COLORS, *ACTS, "the", "car", "drives", "a", "house", "here"}  # "once" is too rare
    vectors = embeddings.vectors / np.linalg.norm(embeddings.vectors, axis=1, keepdims=True)
    colors, acts = ([vectors[embeddings.rows[word]] for word in words] for words in (COLORS, ACTS))
    assert min(colors[i] @ colors[j] for i in range(3) for j in range(i)) > max(a @ b for a in colors for b in acts)
    train_word_vectors({"en": [text]}, settings, 0, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_all_languages_share_a_vocabulary(text, tmp_path):
    train_word_vectors({"en": [text], "fr": [text]}, WordVectors(dim=4, epochs=1, subwords=False), 0, tmp_path / "a")
    embeddings = WordEmbeddings.read(tmp_path / "a")
    assert embeddings.words[0] == "x" and "red" in embeddings.words


def test_text_without_frequent_words_is_refused(text, tmp_path):
    with pytest.raises(CorpusError, match="languages en: no word occurs 10000 times"):
        train_word_vectors({"en": [text]}, WordVectors(dim=4, min_count=10_000), 0, tmp_path / "a")


def test_a_phrase_is_the_mean_of_its_words():
    embeddings = WordEmbeddings(("a", "b"), np.array([[1.0, 0.0], [0.0, 3.0]]))
    assert embeddings.vectors_of(["a", "a b"], "en").tolist() == [[1, 0], [0.5, 1.5]]
    assert embeddings.covers("b a", "en") and not embeddings.covers("a c", "en")


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "bad").write_text("no vectors")
    with pytest.raises(CheckpointError, match="holds no vectors of words"):
        WordEmbeddings.read(tmp_path / "bad")


def test_a_word_is_the_mean_of_the_rows_of_its_pieces(tmp_path):
    sample, model, path = (tmp_path / name for name in ("text", "model", "vocabulary.json"))
    sample.write_text("low lower lowest new newer newest wide wider widest\n" * 20)
    bpe.learn(sample, model, size=40, character_coverage=1.0)
    vocabulary.build(["de", "en"], [model] * 2, [sample] * 2, path)
    train.init_random_model(vocabulary=path, languages=["de", "en"], model=MODEL, seed=0, output=tmp_path / "m")
    words = InputEmbeddings(tmp_path / "m", path)
    table = checkpoint.load(tmp_path / "m")[0].embeddings.weight.detach().numpy()
    pieces = Vocabulary.read(path).encode(["newlow"], "en")[0]
    assert len(pieces) > 1
    assert np.allclose(words.vectors_of(["newlow"], "en"), table[pieces].mean(axis=0))
    assert words.covers("newlow", "en") and not words.covers("ζ", "en")
