"""Fine-tuning learns what can be learned, the same way each time, and says when it collapsed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from xlm_core.config import Finetuning, ModelConfig
from xlm_core.data.token_store import TokenStore, TokenStoreWriter
from xlm_core.errors import TrainingError
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.classification import training
from xlm_core.tasks.classification.training import Data, Examples
from xlm_core.train.log import LOG_NAME

MODEL = ModelConfig(dim=32, n_layers=1, n_heads=2, feedforward_dim=64, max_positions=16, dropout=0.0)
SETTINGS = Finetuning(learning_rates=[3.0e-3], batch_size=16, epochs=6, dropout=0.0, max_tokens=16)


class _Vocabulary:
    digest = "v1"

    def __len__(self) -> int:
        return 40


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    """The label is whether the second sentence ends in token 20, 21 or 22."""
    rng = np.random.default_rng(0)
    with TokenStoreWriter(tmp_path / "s", ("en", "en"), _Vocabulary(), labelled=True) as writer:
        for label in rng.integers(0, 3, 120):
            second = [*rng.integers(22, 40, 3).tolist(), (20, 21, 22)[label]]
            writer.add((rng.integers(22, 40, 4).tolist(), second), int(label))
    return training.choose(TokenStore.open(tmp_path / "s", "v1"), 0, None, seed=0)


def encoder() -> Transformer:
    torch.manual_seed(1)
    return Transformer(MODEL, 40, 2)


def finetuned(
    examples: Examples, work: Path, settings: Finetuning = SETTINGS, given: Transformer | None = None
) -> tuple:
    data = Data(examples, {"en": examples, "de": some(examples, 12)}, {"de": some(examples, 40)})
    run = {"seed": 3, "precision": "float32", "checkpoint_minutes": 10, "work": work, "digest": "d"}
    return training.finetune(given or encoder(), 3, data, settings, **run)


def some(examples: Examples, n: int) -> Examples:
    """The last ``n`` examples, backwards."""
    (part,) = examples.parts
    return Examples((part._replace(rows=part.rows[: -n - 1 : -1]),))


def accuracy(classifier, examples: Examples) -> float:
    return training.evaluate(classifier, examples, 16, torch.device("cpu"))[0].accuracy


def test_it_learns_a_simple_rule_and_does_so_twice_alike(examples: Examples, tmp_path: Path):
    first, rate, _ = finetuned(examples, tmp_path / "a")
    assert rate == 3.0e-3 and accuracy(first, examples) > 95
    second, *_ = finetuned(examples, tmp_path / "b")
    assert all(torch.equal(x, y) for x, y in zip(first.parameters(), second.parameters(), strict=True))


def test_the_better_learning_rate_is_kept(examples: Examples, tmp_path: Path):
    settings = SETTINGS.model_copy(update={"learning_rates": [1.0e-7, 3.0e-3]})
    classifier, rate, selected = finetuned(examples, tmp_path, settings)
    assert rate == 3.0e-3 and accuracy(classifier, examples) > 95
    assert selected["de"]["learning_rate"] == 3.0e-3


def test_the_given_encoder_is_left_as_it_is(examples: Examples, tmp_path: Path):
    given = encoder()
    before = [parameter.clone() for parameter in given.parameters()]
    finetuned(examples, tmp_path, given=given)
    assert all(torch.equal(x, y) for x, y in zip(before, given.parameters(), strict=True))


def test_predictions_come_in_the_order_of_the_examples(examples: Examples, tmp_path: Path):
    classifier, *_ = finetuned(examples, tmp_path)
    _, all_at_once = training.evaluate(classifier, examples, 16, torch.device("cpu"))
    _, reversed_ = training.evaluate(classifier, some(examples, 120), 16, torch.device("cpu"))
    assert reversed_[::-1].tolist() == all_at_once.tolist()


def test_a_classifier_comes_back_from_its_file(examples: Examples, tmp_path: Path):
    classifier, *_ = finetuned(examples, tmp_path / "work")
    checkpoint.save(tmp_path / "model", classifier.encoder, {"seed": 3}, head=classifier.head)
    loaded, about = checkpoint.load_classifier(tmp_path / "model")
    assert about == {"seed": 3}
    scores = [training.evaluate(model, examples, 16, torch.device("cpu"))[1] for model in (classifier, loaded)]
    assert scores[0].tolist() == scores[1].tolist()


def test_a_collapse_to_one_class_is_said():
    classes = ("contradiction", "neutral", "entailment")
    assert training.collapse(np.full(500, 1), classes) == "collapsed to 'neutral' (100.0 %)"
    assert training.collapse(np.array([0, 1, 2] * 100), classes) == ""


def test_more_examples_than_there_are_is_an_error(examples: Examples):
    (part,) = examples.parts
    with pytest.raises(TrainingError, match="500 training examples are asked for, but there are 120; lower n_train"):
        training.choose(part.store, 0, 500, seed=0)
    assert len(training.choose(part.store, 0, 50, seed=0)) == 50


def test_a_language_is_tested_at_its_best_validation_accuracy(examples: Examples, tmp_path: Path):
    """Checked against the log of all evaluations; the test set holds the validation set, so that neither is empty."""
    _, rate, selected = finetuned(examples, tmp_path)
    lines = [json.loads(line) for line in (training.rate_folder(tmp_path, rate) / LOG_NAME).read_text().splitlines()]
    accuracies = {line["update"]: line["scores"]["de"]["accuracy"] for line in lines if line["kind"] == "valid"}
    best = max(accuracies.values())
    assert selected["de"]["valid"] == best > min(accuracies.values())
    assert selected["de"]["update"] == next(update for update, accuracy in accuracies.items() if accuracy == best)
    assert selected["de"]["count"] == 40 and set(selected) == {"de"}


def test_a_killed_fine_tuning_selects_the_same(examples: Examples, tmp_path: Path):
    _, _, expected = finetuned(examples, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole" / "0.003", tmp_path / "killed" / "0.003")
    for path in (tmp_path / "killed").rglob("checkpoint.*"):
        path.unlink()  # as if it had been killed before the first: everything is done, and noted, again
    _, _, found = finetuned(examples, tmp_path / "killed")
    assert found == expected
