"""Each language is tested at its own best validation accuracy."""

import torch

from xlm_core.metrics.loss import LossSum
from xlm_core.tasks.classification import selection


def tally(correct: int, count: int = 10) -> LossSum:
    return LossSum(torch.tensor(1.0), count, torch.tensor(correct))


def test_a_test_is_made_when_the_validation_accuracy_rises_and_the_last_one_stands(tmp_path):
    path, tested = tmp_path / "selected.json", []
    evaluations = [{"en": 5, "fr": 3}, {"en": 7, "fr": 3}, {"en": 6, "fr": 4}]

    def note(update: int) -> None:
        def score(language: str) -> LossSum:
            tested.append((language, update))
            return tally(update, 100)

        valid = {language: tally(correct) for language, correct in evaluations[update].items()}
        selection.note(path, ["en", "fr"], valid, score, update, 0.1)

    assert selection.read(path) == {}
    for update in (0, 1, 2, 1, 2):  # the last two again, as after a kill
        note(update)
    assert tested == [("en", 0), ("fr", 0), ("en", 1), ("fr", 2)]
    shared = {"learning_rate": 0.1, "count": 100}
    assert selection.read(path) == {
        "en": {"valid": 70.0, "update": 1, "correct": 1, **shared},
        "fr": {"valid": 40.0, "update": 2, "correct": 2, **shared},
    }


def test_of_several_fine_tunings_each_language_takes_its_best():
    def best(valid: float, rate: float) -> selection.BestCheckpoint:
        return selection.BestCheckpoint(valid=valid, update=1, learning_rate=rate, correct=1, count=2)

    found = selection.best_of([{"en": best(70, 0.1), "fr": best(40, 0.1)}, {"en": best(70, 0.2), "fr": best(50, 0.2)}])
    assert {language: one["learning_rate"] for language, one in found.items()} == {"en": 0.1, "fr": 0.2}
