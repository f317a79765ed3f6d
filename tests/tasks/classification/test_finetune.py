"""Fine-tuning learns what can be learned, the same way each time, and says when it collapsed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers_folders import OTHERS

from xlm_core import history
from xlm_core.config import Compute, Finetuning, ModelConfig
from xlm_core.data.labelled import LabelledDataset
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.interop import encoders
from xlm_core.interop.encoders import TransformersEncoder
from xlm_core.io import read_json
from xlm_core.metrics.loss import LossSum
from xlm_core.model import checkpoint
from xlm_core.model.encoder import Encoder
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.classification import finetune
from xlm_core.tasks.classification.evaluate import collapse_warnings
from xlm_core.tasks.classification.finetune import (
    SELECTED,
    DatasetSplits,
    Evaluation,
    FinetuneArgs,
    FinetuningRun,
    evaluate,
    search_learning_rate,
)
from xlm_core.train.log import LOG_NAME
from xlm_core.train.state import Progress, TrainState

MODEL = ModelConfig(dim=32, n_layers=1, n_heads=2, feedforward_dim=64, max_positions=16, dropout=0.0)
SETTINGS = Finetuning(learning_rates=[3.0e-3], batch_size=16, epochs=6, dropout=0.0, max_tokens=16)


class _Vocabulary:
    digest = "v1"

    def __len__(self) -> int:
        return 40


@pytest.fixture
def dataset(tmp_path: Path) -> LabelledDataset:
    """The label is whether the second sentence ends in token 20, 21 or 22."""
    rng = np.random.default_rng(0)
    with TokenStoreWriter(tmp_path / "s", ("en", "en"), _Vocabulary(), labels="classes") as writer:
        for label in rng.integers(0, 3, 120):
            second = [*rng.integers(22, 40, 3).tolist(), (20, 21, 22)[label]]
            writer.add((rng.integers(22, 40, 4).tolist(), second), int(label))
    return LabelledDataset.open(tmp_path / "s", {"vocabulary": "v1", "languages": ["en", "de"]})


def encoder() -> Transformer:
    torch.manual_seed(1)
    return Transformer(MODEL, 40, 2)


def finetuned(
    dataset: LabelledDataset, work: Path, settings: Finetuning = SETTINGS, given: Encoder | None = None
) -> tuple:
    splits = DatasetSplits(dataset, {"en": dataset, "de": last(dataset, 12)}, {"de": last(dataset, 40)})
    args = FinetuneArgs(settings, "abc", Compute(precision="float32"), 3, "c", checkpoint_minutes=10, work=work)
    run = search_learning_rate(given or encoder(), splits, args, "d")
    return run.classifier, run.rate, read_json(work / "d" / SELECTED)


def last(dataset: LabelledDataset, n: int) -> LabelledDataset:
    """The last ``n`` examples, backwards."""
    (part,) = dataset.parts
    return LabelledDataset((part._replace(records=part.records[: -n - 1 : -1]),))


def accuracy(classifier, dataset: LabelledDataset) -> float:
    return evaluate(classifier, dataset, 16).loss.accuracy


def test_it_learns_a_simple_rule_and_does_so_twice_alike(dataset: LabelledDataset, tmp_path: Path):
    first, rate, _ = finetuned(dataset, tmp_path / "a")
    assert rate == 3.0e-3 and accuracy(first, dataset) > 95
    second, *_ = finetuned(dataset, tmp_path / "b")
    assert all(torch.equal(x, y) for x, y in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("model_type", OTHERS)
def test_an_encoder_of_transformers_learns_it_too(dataset: LabelledDataset, tmp_path: Path, model_type: str):
    """With evaluations between the updates, which compute without gradients."""
    settings = {
        "model_type": model_type, "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 1, "pad_token_id": 2,
        "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 16,
    }  # fmt: skip
    torch.manual_seed(1)
    given = TransformersEncoder(MODEL, 2, settings | OTHERS[model_type], has_pooler=False)
    classifier, *_ = finetuned(dataset, tmp_path, given=given)
    assert accuracy(classifier, dataset) > 95


def test_the_better_learning_rate_is_kept(dataset: LabelledDataset, tmp_path: Path):
    settings = SETTINGS.model_copy(update={"learning_rates": [1.0e-7, 3.0e-3]})
    classifier, rate, selected = finetuned(dataset, tmp_path, settings)
    assert rate == 3.0e-3 and accuracy(classifier, dataset) > 95
    assert selected["de"]["learning_rate"] == 3.0e-3


def test_the_given_encoder_is_left_as_it_is(dataset: LabelledDataset, tmp_path: Path):
    given = encoder()
    before = [parameter.clone() for parameter in given.parameters()]
    finetuned(dataset, tmp_path, given=given)
    assert all(torch.equal(x, y) for x, y in zip(before, given.parameters(), strict=True))


@pytest.mark.parametrize("n_frozen", [0, 1])
def test_frozen_layers_stay_as_they_were_and_all_others_are_trained(
    dataset: LabelledDataset, tmp_path: Path, n_frozen: int
):
    given = Transformer(MODEL.model_copy(update={"n_layers": 2}), 40, 2)
    classifier, *_ = finetuned(dataset, tmp_path, SETTINGS.model_copy(update={"n_frozen_layers": n_frozen}), given)
    pairs = zip(given.named_parameters(), classifier.encoder.parameters(), strict=True)
    changed = {name for (name, before), after in pairs if not torch.equal(before, after)}
    prefixes = tuple(f"layers.{number}." for number in range(n_frozen, 2))
    frozen = {name for name, _ in given.named_parameters() if not name.startswith((*prefixes, "output_bias"))}
    assert {"embeddings.weight", "position_embeddings.weight", "embedding_norm.bias"} <= frozen
    assert not changed & frozen and all(name.startswith(prefixes) for name in changed)
    assert {name.split(".")[1] for name in changed} == {str(n) for n in range(n_frozen, 2)}


def test_predictions_come_in_the_order_of_the_examples(dataset: LabelledDataset, tmp_path: Path):
    classifier, *_ = finetuned(dataset, tmp_path)
    forwards = evaluate(classifier, dataset, 16).predictions
    backwards = evaluate(classifier, last(dataset, 120), 16).predictions
    assert backwards[::-1].tolist() == forwards.tolist()


def test_a_classifier_comes_back_from_its_file(dataset: LabelledDataset, tmp_path: Path):
    classifier, *_ = finetuned(dataset, tmp_path / "work")
    checkpoint.save(tmp_path / "model", classifier.encoder, {"seed": 3}, head=classifier.head)
    loaded, metadata = encoders.load_classifier(tmp_path / "model")
    assert metadata == {"seed": 3}
    before, after = (evaluate(model, dataset, 16).predictions for model in (classifier, loaded))
    assert before.tolist() == after.tolist()


def test_a_collapse_to_one_class_or_score_is_warned_of():
    classes = ("contradiction", "neutral", "entailment")
    assert collapse_warnings(np.full(500, 1), classes) == ["collapsed to 'neutral' (100.0 %)"]
    assert collapse_warnings(np.array([0, 1, 2] * 100), classes) == []
    assert collapse_warnings(np.full(5, 2.5), None) == ["the same score for all"]
    assert collapse_warnings(np.array([2.5, 2.6]), None) == []


def test_a_language_is_tested_at_its_best_validation_accuracy(dataset: LabelledDataset, tmp_path: Path):
    """Checked against the log of all evaluations; the test set holds the validation set, so that neither is empty."""
    _, rate, selected = finetuned(dataset, tmp_path)
    rows = history.read(tmp_path / "d" / f"{rate:g}" / LOG_NAME)
    accuracies = {row.update: row.value for row in rows if (row.languages, row.metric) == (("de",), "accuracy")}
    best = max(accuracies.values())
    assert selected["de"]["valid_accuracy"] == best > min(accuracies.values())
    assert selected["de"]["update"] == next(update for update, accuracy in accuracies.items() if accuracy == best)
    assert selected["de"]["n"] == 40 and set(selected) == {"de"}


def test_a_killed_fine_tuning_selects_the_same(dataset: LabelledDataset, tmp_path: Path):
    _, _, expected = finetuned(dataset, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    for path in (tmp_path / "killed").rglob("checkpoint.*"):
        path.unlink()  # as if it had been killed before the first: everything is done, and noted, again
    _, _, resumed = finetuned(dataset, tmp_path / "killed")
    assert resumed == expected


@pytest.fixture
def select(monkeypatch, tmp_path: Path):
    """A function that validates after an update with a learning rate; the languages that were tested, in order."""
    tested = []
    valid, test = ({language: (split, language) for language in ("en", "fr")} for split in ("valid", "test"))
    args = FinetuneArgs(SETTINGS, "abc", Compute(precision="float32"), 3, "c", checkpoint_minutes=10, work=tmp_path)

    def select(update: int, rate: float, n_correct: dict[str, int]) -> None:
        def evaluate(classifier, dataset, max_tokens) -> Evaluation:
            split, language = dataset
            if split == "test":
                tested.append((language, update))
            right, count = (update, 100) if split == "test" else (n_correct[language], 10)
            return Evaluation(dataset, LossSum(torch.tensor(1.0), count, torch.tensor(right)), np.empty(0))

        monkeypatch.setattr(finetune, "evaluate", evaluate)
        splits, device = DatasetSplits(None, valid, test), torch.device("cpu")
        run = FinetuningRun(None, splits, args, rate, tmp_path / str(rate), device)
        metrics = run.validate(TrainState(None, None, Progress(update=update)))
        assert [scores["accuracy"] for scores in metrics.values()] == [10 * n_correct["en"], 10 * n_correct["fr"]]

    return select, tested


def test_a_test_is_made_when_the_validation_accuracy_rises_and_the_last_one_stands(select, tmp_path: Path):
    validate, tested = select
    evaluations = [{"en": 5, "fr": 3}, {"en": 7, "fr": 3}, {"en": 6, "fr": 4}]
    assert not (tmp_path / SELECTED).exists()
    for update in (0, 1, 2, 1, 2):  # the last two again, as after a kill
        validate(update, 0.1, evaluations[update])
    assert tested == [("en", 0), ("fr", 0), ("en", 1), ("fr", 2)]
    shared = {"learning_rate": 0.1, "n": 100}
    assert read_json(tmp_path / SELECTED) == {
        "en": {"valid_accuracy": 70.0, "update": 1, "n_correct": 1, **shared},
        "fr": {"valid_accuracy": 40.0, "update": 2, "n_correct": 2, **shared},
    }


def test_of_several_learning_rates_each_language_takes_its_best(select, tmp_path: Path):
    validate, _ = select
    validate(1, 0.1, {"en": 7, "fr": 4})
    validate(1, 0.2, {"en": 7, "fr": 5})
    rates = {language: selection["learning_rate"] for language, selection in read_json(tmp_path / SELECTED).items()}
    assert rates == {"en": 0.1, "fr": 0.2}  # the first of equal ones
