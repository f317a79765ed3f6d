"""The map of words: which words, and the mean rank against numbers by hand."""

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from small_world import MODEL

from xlm_core.config import AlignmentFigure
from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.tasks.pretraining import train
from xlm_core.tasks.word_embeddings import tsne
from xlm_core.text import bpe, vocabulary

FIGURE = AlignmentFigure(languages=["en", "de"], runs=["run"], n_words=5, perplexity=3.0)
FRENCH = [["dog", "chien"], ["dog", "chienne"], ["bus", "bus"], ["cat", "chat"], ["puss", "chat"], ["cow", "vache"]]
SPANISH = [["dog", "perro"], ["bus", "autobus"], ["cat", "gato"], ["puss", "minino"]]


def test_words_have_a_translation_in_each_language_that_is_spelled_differently():
    """No bus, which is the same word; no cow, which lacks one; the chat is taken once."""
    assert tsne.translated([FRENCH, SPANISH]) == [("dog", "chien", "perro"), ("cat", "chat", "gato")]


def test_mean_rank_by_hand():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert tsne.mean_rank(np.stack([vectors, 5 * vectors])) == 1
    # Each word's translation is the last, then the first, then the second: in both directions.
    other = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.2]])
    ranks = [[3, 2, 1], [3, 1, 2]]  # one: 0 0 .98, 1 1 .2, .71 .71 .83; other: 0 1 .71, 0 1 .71, .98 .2 .83
    assert tsne.mean_rank(np.stack([vectors, other])) == pytest.approx(np.mean(ranks))


def test_what_cannot_tell_words_apart_has_the_worst_rank():
    assert tsne.mean_rank(np.ones((3, 4, 2))) == 4


def write_words(path: Path, words: list[str]) -> Path:
    """Vectors of these words."""
    vectors = KeyedVectors(2)
    vectors.add_vectors(words, np.ones((len(words), 2), dtype=np.float32))
    vectors.save_word2vec_format(str(path), binary=True)
    return path


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    sample, model, path = (folder / name for name in ("text", "model", "vocabulary.json"))
    sample.write_text("abcdefghijklmnopqrstuvwxyz low lower new newer wide wider\n" * 20)
    bpe.learn(sample, model, size=60, character_coverage=1.0)
    vocabulary.build(["de", "en"], [model] * 2, [sample] * 2, path)
    train.init_random_model(vocabulary=path, languages=["de", "en"], model=MODEL, seed=0, output=folder / "m")
    (folder / "d").write_text("".join(f"a{letter}\tb{letter}\n" for letter in "abcdefgh"))
    return {
        "models": {"run": folder / "m"},
        "vocabulary": path,
        "dictionaries": [folder / "d"],
        "texts": {
            language: write_words(folder / language, [f"{first}{letter}" for letter in "abcdefgh"])
            for language, first in (("en", "a"), ("de", "b"))
        },
    }


def test_the_map_is_the_same_from_run_to_run(given, tmp_path):
    for name in "ab":
        tsne.project(**given, figure=FIGURE, output=tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    content = read_json(tmp_path / "a")
    assert content["languages"] == ["en", "de"] and len(content["words"]) == 5
    assert np.array(content["maps"]["run"]["positions"]).shape == (5, 2, 2)
    assert 1 <= content["maps"]["run"]["mean_rank"] <= 5


def test_words_that_the_text_lacks_are_not_drawn(given, tmp_path):
    """Neither the word ah, nor ag, whose one translation is not there; of aa the second translation is."""
    (tmp_path / "d").write_text("aa\tzz\n" + given["dictionaries"][0].read_text())
    texts = {"en": write_words(tmp_path / "en", [f"a{letter}" for letter in "abcdefg"])}
    texts["de"] = write_words(tmp_path / "de", [f"b{letter}" for letter in "abcdefh"])
    tsne.project(
        **given | {"dictionaries": [tmp_path / "d"], "texts": texts},
        figure=FIGURE.model_copy(update={"n_words": 6}),
        output=tmp_path / "a",
    )
    assert read_json(tmp_path / "a")["words"] == [[f"a{letter}", f"b{letter}"] for letter in "abcdef"]


@pytest.mark.parametrize("change", [{"n_words": 9}, {"n_words": 3, "perplexity": 6.0}])
def test_too_few_words_are_refused(given, tmp_path, change):
    with pytest.raises(
        CorpusError, match=r"8 words have a translation in each language .* change embeddings\.alignment_figure"
    ):
        tsne.project(**given, figure=FIGURE.model_copy(update=change), output=tmp_path / "a")
