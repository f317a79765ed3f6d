"""Fine-tuning learns what can be learned, the same way each time, and says when it collapsed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xlm_core.config import Finetuning, ModelConfig
from xlm_core.data.store import StoreWriter, TokenStore
from xlm_core.errors import TrainingError
from xlm_core.model import weights
from xlm_core.model.transformer import Transformer
from xlm_core.tasks import classification
from xlm_core.tasks.classification import Examples

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
    with StoreWriter(tmp_path / "s", ("en", "en"), _Vocabulary(), labelled=True) as writer:
        for label in rng.integers(0, 3, 120):
            second = [*rng.integers(22, 40, 3).tolist(), (20, 21, 22)[label]]
            writer.add((rng.integers(22, 40, 4).tolist(), second), int(label))
    return classification.choose(TokenStore.open(tmp_path / "s", "v1"), 0, None, seed=0)


def encoder() -> Transformer:
    torch.manual_seed(1)
    return Transformer(MODEL, 40, 2)


def finetuned(examples: Examples, work: Path, settings: Finetuning = SETTINGS) -> tuple:
    valid = {"en": examples}
    return classification.finetune(
        encoder(), 3, examples, valid, settings, seed=3, precision="float32", save_minutes=10, work=work, digest="d"
    )


def accuracy(classifier, examples: Examples) -> float:
    return classification.evaluate(classifier, examples, 16, torch.device("cpu"))[0].accuracy


def test_it_learns_a_simple_rule_and_does_so_twice_alike(examples: Examples, tmp_path: Path):
    first, rate = finetuned(examples, tmp_path / "a")
    assert rate == 3.0e-3 and accuracy(first, examples) > 95
    second, _ = finetuned(examples, tmp_path / "b")
    assert all(torch.equal(x, y) for x, y in zip(first.parameters(), second.parameters(), strict=True))


def test_the_better_learning_rate_is_kept(examples: Examples, tmp_path: Path):
    settings = SETTINGS.model_copy(update={"learning_rates": [1.0e-7, 3.0e-3]})
    classifier, rate = finetuned(examples, tmp_path, settings)
    assert rate == 3.0e-3 and accuracy(classifier, examples) > 95


def test_the_given_encoder_is_left_as_it_is(examples: Examples, tmp_path: Path):
    given = encoder()
    before = [parameter.clone() for parameter in given.parameters()]
    classification.finetune(
        given,
        3,
        examples,
        {"en": examples},
        SETTINGS,
        seed=0,
        precision="float32",
        save_minutes=10,
        work=tmp_path,
        digest="d",
    )
    assert all(torch.equal(x, y) for x, y in zip(before, given.parameters(), strict=True))


def test_predictions_come_in_the_order_of_the_examples(examples: Examples, tmp_path: Path):
    classifier, _ = finetuned(examples, tmp_path)
    _, all_at_once = classification.evaluate(classifier, examples, 16, torch.device("cpu"))
    backwards = Examples(examples.store, examples.language, examples.rows[::-1])
    _, reversed_ = classification.evaluate(classifier, backwards, 16, torch.device("cpu"))
    assert reversed_[::-1].tolist() == all_at_once.tolist()


def test_a_classifier_comes_back_from_its_file(examples: Examples, tmp_path: Path):
    classifier, _ = finetuned(examples, tmp_path / "work")
    weights.save(tmp_path / "model", classifier.encoder, {"seed": 3}, head=classifier.head)
    loaded, about = weights.load_classifier(tmp_path / "model")
    assert about == {"seed": 3}
    scores = [classification.evaluate(model, examples, 16, torch.device("cpu"))[1] for model in (classifier, loaded)]
    assert scores[0].tolist() == scores[1].tolist()


def test_a_collapse_to_one_class_is_said():
    classes = ("contradiction", "neutral", "entailment")
    assert classification.collapse(np.full(500, 1), classes) == "collapsed to 'neutral' (100.0 %)"
    assert classification.collapse(np.array([0, 1, 2] * 100), classes) == ""


def test_more_examples_than_there_are_is_an_error(examples: Examples):
    with pytest.raises(TrainingError, match="500 training examples are asked for, but there are 120; lower n_train"):
        classification.choose(examples.store, 0, 500, seed=0)
    assert len(classification.choose(examples.store, 0, 50, seed=0).rows) == 50
