"""XNLI's protocols: what is trained on, what is tested, and what is written down of it."""

import json

import numpy as np
import pytest
import torch
from small_model import write_model, write_vocabulary

from xlm_core import results
from xlm_core.config import Compute, Finetuning
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.interop import encoders
from xlm_core.metrics import sample_statistics
from xlm_core.results import ResultContext
from xlm_core.tasks.classification.evaluate import XnliTest, score_xnli
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.text.vocabulary import Vocabulary

SETTINGS = Finetuning(learning_rates=[1.0e-2], batch_size=8, epochs=2, dropout=0.0, max_tokens=12)


@pytest.fixture
def world(tmp_path):
    """A model of English and French, and sets of pairs in both."""
    words = write_vocabulary(tmp_path)
    vocabulary = Vocabulary.read(words)
    rng = np.random.default_rng(0)
    for split, n_pairs in (("train", 40), ("valid", 20), ("test", 30)):
        for language in ("en", "fr"):
            with TokenStoreWriter(
                tmp_path / f"{split}.{language}", (language,) * 2, vocabulary, labels="classes"
            ) as writer:
                for label in rng.integers(0, 3, n_pairs):
                    writer.add(([20, 21], [22 + int(label)] * 3), int(label))
    write_model(tmp_path / "encoder", words)
    return tmp_path


def stores(world, split, languages):
    return {language: world / f"{split}.{language}" for language in languages}


def finetuned(world, train, n_train, selected=(), settings=SETTINGS):
    finetune(
        encoder=world / "encoder",
        train=stores(world, "train", train),
        valid=stores(world, "valid", ["en", "fr"]),
        test=stores(world, "test", selected),
        args=FinetuneArgs(
            settings,
            ["contradiction", "neutral", "entailment"],
            Compute(precision="float32"),
            0,
            "c",
            10,
            world / "work",
            n_train=n_train,
        ),
        output=world / "classifier",
        selected=world / "selected.json",
        history=world / "history.jsonl",
    )
    return encoders.load_classifier(world / "classifier")[1]


def score(world, test, selected=None, others=()):
    score_xnli(
        tests=[XnliTest("zero-shot", world / "classifier", selected, test), *others],
        classes=["contradiction", "neutral", "entailment"],
        context=ResultContext("xnli", "mlm", "", 0, 0, "c"),
        setting_selected="one by one",
        output=world / "results.jsonl",
        confusion=world / "confusion.json",
        statistics=world / "statistics.json",
    )
    return results.read([world / "results.jsonl"])


def test_a_model_says_what_it_was_trained_on(world):
    assert finetuned(world, ["en"], {"en": None})["n_train"] == {"en": 40}
    assert finetuned(world, ["en", "fr"], {"en": 30, "fr": 5})["n_train"] == {"en": 30, "fr": 5}


def test_other_training_data_have_other_digests(world):
    first, second = finetuned(world, ["en"], {"en": None}), finetuned(world, ["en", "fr"], {"en": None, "fr": 5})
    again = finetuned(world, ["en", "fr"], {"en": None, "fr": 6})
    assert len({metadata["config"] for metadata in (first, second, again)}) == 3
    assert first["data"] != second["data"] == again["data"]


def test_confusions_sum_up_to_the_accuracies(world):
    finetuned(world, ["en"], {"en": None})
    results = score(world, stores(world, "test", ["en", "fr"]))
    confusion = {
        column: np.array(counts) for column, counts in json.loads((world / "confusion.json").read_text()).items()
    }
    assert [(result.column, result.setting, result.n) for result in results] == [
        ("en", "zero-shot", 30),
        ("fr", "zero-shot", 30),
    ]
    for result in results:
        assert confusion[result.column].sum() == 30
        assert result.value == pytest.approx(100 * np.trace(confusion[result.column]) / 30)
        assert sample_statistics.read(world / "statistics.json")[result.column].score == pytest.approx(result.value)
        assert confusion[result.column].sum(axis=1).min() > 0  # gold classes are rows: each of them occurs


def test_a_translated_test_set_is_read_in_its_own_language(world):
    """What was translated from French is in English: column "fr", language English."""
    finetuned(world, ["en"], {"en": None})
    (translated,) = score(world, {"fr": world / "test.en"})
    (english,) = score(world, {"en": world / "test.en"})
    (french,) = score(world, {"fr": world / "test.fr"})
    assert (translated.column, translated.value, translated.data_digest) == ("fr", english.value, english.data_digest)
    assert translated.data_digest != french.data_digest


def test_with_averaged_language_embeddings_a_pair_counts_the_same_in_every_language(world):
    """The same tokens under the name of either language; the result says how languages were told apart."""
    vocabulary = Vocabulary.read(world / "vocabulary.json")
    for language in ("en", "fr"):
        with TokenStoreWriter(world / f"same.{language}", (language,) * 2, vocabulary, labels="classes") as writer:
            for label, token in np.random.default_rng(1).integers(0, 3, (200, 2)):
                writer.add(([20, 21], [22 + int(token)] * 3), int(label))
    averaged = SETTINGS.model_copy(update={"average_language_embeddings": True})
    for settings, language_ids in ((SETTINGS, "yes"), (averaged, "averaged")):
        finetuned(world, ["en"], {"en": None}, settings=settings)
        english, french = score(world, stores(world, "same", ["en", "fr"]))
        assert f"|language-ids:{language_ids}|" in english.signature
        encoder = encoders.load_classifier(world / "classifier")[0].encoder
        assert torch.equal(*encoder.language_embeddings.weight) == (settings is averaged)
    assert english.value == french.value


def test_what_was_selected_language_by_language_is_reported_beside_the_model(world):
    finetuned(world, ["en"], {"en": None}, selected=["fr"])
    best = json.loads((world / "selected.json").read_text())
    results = score(world, stores(world, "test", ["en", "fr"]), world / "selected.json")
    (french,) = [result for result in results if result.setting == "one by one"]
    assert (french.column, french.n) == ("fr", 30)
    assert french.value == pytest.approx(100 * best["fr"]["n_correct"] / 30)
    assert "per-language" in french.signature and "mean-validation" in results[0].signature


def test_all_protocols_of_a_model_are_scored_together_and_the_first_one_has_the_confusions(world):
    """Zero-shot, and the same classifier by a second protocol on test sets translated to English."""
    finetuned(world, ["en"], {"en": None})
    alone = score(world, stores(world, "test", ["en", "fr"]))
    confusion = (world / "confusion.json").read_text()
    translated = XnliTest("translate-test", world / "classifier", None, {"fr": world / "test.en"})
    both = score(world, stores(world, "test", ["en", "fr"]), others=[translated])
    assert both[:2] == alone and (world / "confusion.json").read_text() == confusion
    assert [(result.setting, result.column, result.value) for result in both[2:]] == [
        ("translate-test", "fr", alone[0].value)
    ]
