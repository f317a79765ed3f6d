"""Each language is tested at its own best validation accuracy."""

import torch

from xlm_core.metrics.loss import LossSum
from xlm_core.tasks.classification import model_selection
from xlm_core.tasks.classification.model_selection import BestCheckpoint


def tally(correct: int, count: int = 10) -> LossSum:
    return LossSum(torch.tensor(1.0), count, torch.tensor(correct))


def test_a_test_is_made_when_the_validation_accuracy_rises_and_the_last_one_stands(tmp_path):
    path, tested = tmp_path / "selected.json", []
    evaluations = [{"en": 5, "fr": 3}, {"en": 7, "fr": 3}, {"en": 6, "fr": 4}]

    def evaluate(update: int) -> None:
        def score(language: str) -> LossSum:
            tested.append((language, update))
            return tally(update, 100)

        valid = {language: tally(correct) for language, correct in evaluations[update].items()}
        model_selection.update_best(path, ["en", "fr"], valid, score, update, 0.1)

    assert model_selection.read(path) == {}
    for update in (0, 1, 2, 1, 2):  # the last two again, as after a kill
        evaluate(update)
    assert tested == [("en", 0), ("fr", 0), ("en", 1), ("fr", 2)]
    shared = {"learning_rate": 0.1, "n": 100}
    assert model_selection.read(path) == {
        "en": {"valid_accuracy": 70.0, "update": 1, "n_correct": 1, **shared},
        "fr": {"valid_accuracy": 40.0, "update": 2, "n_correct": 2, **shared},
    }


def test_of_several_fine_tunings_each_language_takes_its_best():
    def run(valid: float, rate: float) -> BestCheckpoint:
        return BestCheckpoint(valid_accuracy=valid, update=1, learning_rate=rate, n_correct=1, n=2)

    best = model_selection.merge([{"en": run(70, 0.1), "fr": run(40, 0.1)}, {"en": run(70, 0.2), "fr": run(50, 0.2)}])
    assert {language: checkpoint["learning_rate"] for language, checkpoint in best.items()} == {"en": 0.1, "fr": 0.2}
