"""GLUE's metrics by hand, a head that gives scores, and what is written down of it all."""

import csv
from functools import partial

import numpy as np
import pytest
from small_model import write_model, write_vocabulary

from xlm_core import history, results
from xlm_core.config import Compute, Finetuning
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.interop import encoders
from xlm_core.metrics import sample_statistics
from xlm_core.model import checkpoint
from xlm_core.results import ResultContext
from xlm_core.tasks.classification import evaluate
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.text.formats.glue import GLUE_TASKS
from xlm_core.text.vocabulary import Vocabulary

SETTINGS = Finetuning(learning_rates=[1.0e-2], batch_size=8, epochs=4, dropout=0.0, max_tokens=12)
WORDS = list(range(20, 26))


def measured(task: str, labels: list, predictions: list) -> dict[str, float]:
    return evaluate.glue_metrics(task, np.array(labels), np.array(predictions))


def test_accuracy_is_the_share_of_right_answers():
    assert measured("RTE", [0, 1, 1, 0], [0, 1, 0, 0]) == {"accuracy": 75.0}
    assert measured("MNLI", [0, 1, 2], [0, 1, 2]) == {"accuracy": 100.0}


def test_f1_is_that_of_duplicates():
    """Two hits, one false alarm, one miss: precision and recall are two thirds, three of five answers are right."""
    scores = measured("QQP", [1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    assert (
        scores == {"F1": pytest.approx(200 / 3), "accuracy": 60.0} == measured("MRPC", [1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    )
    assert measured("MRPC", [1, 0], [0, 0])["F1"] == 0.0


def test_matthews_is_the_correlation_of_a_table_of_four():
    """Hits 2, misses 1, false alarms 1, rightly refused 3: (2·3 - 1·1) / sqrt(3·3·4·4)."""
    assert measured("CoLA", [1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0]) == {"Matthews": pytest.approx(500 / 12)}
    assert measured("CoLA", [1, 0, 1], [1, 1, 1]) == {"Matthews": 0.0}
    assert measured("CoLA", [1, 0], [0, 1]) == {"Matthews": pytest.approx(-100.0)}


def test_correlations_of_scores():
    """Deviations -1, 0, 1 and -2, -1, 3: 5 / sqrt(2·14); the order is the same, so that of ranks is perfect."""
    scores = measured("STS-B", [1.0, 2.0, 3.0], [0.0, 1.0, 5.0])
    assert scores == {"Pearson": pytest.approx(500 / 28**0.5), "Spearman": pytest.approx(100.0)}
    assert measured("STS-B", [1.0, 2.0, 3.0], [2.5, 2.5, 2.5]) == {"Pearson": 0.0, "Spearman": 0.0}


@pytest.fixture
def world(tmp_path):
    """A model, and a task of each kind: the score of a pair is a fifth of how many words they share, and so is a class.

    The validation sets hold the training set, so that what is learned shows.
    """
    words = write_vocabulary(tmp_path)
    vocabulary = Vocabulary.read(words)
    rng = np.random.default_rng(0)
    pairs = [(WORDS[0], WORDS[int(rng.integers(0, 6))]) for _ in range(60)]
    with TokenStoreWriter(tmp_path / "scores", ("en", "en"), vocabulary, labels="scores") as writer:
        for first, second in pairs:
            writer.add(([first], [second] * 2), 0.5 + 0.8 * (second - first))
    with TokenStoreWriter(tmp_path / "classes", ("en",), vocabulary, labels="classes") as writer:
        for _, second in pairs:
            writer.add(([second] * 2,), int(second > 22))
    with TokenStoreWriter(tmp_path / "test", ("en", "en"), vocabulary, labels="classes") as writer:
        writer.add(([20], [21]), 0)
    with TokenStoreWriter(tmp_path / "three", ("en", "en"), vocabulary, labels="classes") as writer:
        for first, second in pairs:
            writer.add(([first], [second] * 2), (second - first) % 3)
    write_model(tmp_path / "encoder", words)
    return tmp_path


def finetuned(world, task: str, train: str, valid: dict[str, str]) -> None:
    metrics = partial(evaluate.glue_metrics, task)
    args = FinetuneArgs(
        SETTINGS,
        GLUE_TASKS[task].classes or [],
        Compute(precision="float32"),
        0,
        "c",
        10,
        world / "work",
        metrics=metrics,
    )
    finetune(
        encoder=world / "encoder",
        train={"en": world / train},
        valid={column: world / name for column, name in valid.items()},
        test={},
        args=args,
        output=world / "classifier",
        selected=None,
        history=world / "history.jsonl",
    )


def score(world, task: str, valid: dict[str, str], test: dict[str, str]) -> tuple[list, list[dict]]:
    evaluate.score_glue(
        task=task,
        model=world / "classifier",
        valid={column: world / name for column, name in valid.items()},
        test={name: world / path for name, path in test.items()},
        context=ResultContext("glue", "english/mlm", "en", 0, 0, "c"),
        output=world / "results.jsonl",
        predictions=world / "predictions.tsv",
        statistics=world / "statistics.json",
    )
    with open(world / "predictions.tsv", newline="") as file:
        return results.read([world / "results.jsonl"]), list(csv.DictReader(file, delimiter="\t"))


def test_scores_are_learned_by_a_head_with_one_output(world):
    finetuned(world, "STS-B", "scores", {"STS-B": "scores"})
    classifier, _ = encoders.load_classifier(world / "classifier")
    assert classifier.head.classes.out_features == 1
    results, lines = score(world, "STS-B", {"STS-B": "scores"}, {"STS-B": "test"})
    assert [(result.column, result.metric, result.n) for result in results] == [
        ("STS-B", "Pearson", 60),
        ("STS-B", "Spearman", 60),
    ]
    assert results[0].value > 90
    assert lines[-1]["split"] == "test" and lines[-1]["label"] == "" and float(lines[-1]["prediction"]) < 3


def test_metrics_can_be_taken_again_from_the_kept_predictions(world):
    finetuned(world, "STS-B", "scores", {"STS-B": "scores"})
    results, lines = score(world, "STS-B", {"STS-B": "scores"}, {})
    kept = [[float(line[column]) for line in lines] for column in ("label", "prediction")]
    assert measured("STS-B", *kept) == {result.metric: result.value for result in results}
    assert sample_statistics.read(world / "statistics.json")["STS-B"].score == pytest.approx(
        results[0].value
    )  # Pearson's correlation
    assert [int(line["index"]) for line in lines] == list(range(60))


def test_single_sentences_are_classified(world):
    finetuned(world, "SST-2", "classes", {"SST-2": "classes"})
    (result,), lines = score(world, "SST-2", {"SST-2": "classes"}, {})
    assert (result.metric, result.value) == ("accuracy", 100.0) and {line["prediction"] for line in lines} == {"0", "1"}
    assert {line["label"] for line in lines} == {"0", "1"}


def test_a_model_of_inference_also_answers_the_diagnostics(world):
    halves = {"MNLI-m": "three", "MNLI-mm": "three"}
    finetuned(world, "MNLI", "three", halves)
    results, lines = score(world, "MNLI", halves, {"MNLI-m": "test", "MNLI-mm": "test", "AX": "test"})
    assert [result.column for result in results] == ["MNLI-m", "MNLI-mm"]
    tested = [(line["set"], line["prediction"]) for line in lines if line["split"] == "test"]
    assert [name for name, _ in tested] == ["MNLI-m", "MNLI-mm", "AX"]
    assert {word for _, word in tested} <= {"contradiction", "entailment", "neutral"}


def test_the_mean_of_a_task_s_metrics_selects(world):
    finetuned(world, "STS-B", "scores", {"STS-B": "scores"})
    rows = [row for row in history.read(world / "history.jsonl") if row.split == "valid"]
    criteria = {row.update: row.value for row in rows if row.metric == "criterion"}
    assert len(criteria) == SETTINGS.epochs
    for update, criterion in criteria.items():
        values = {row.metric: row.value for row in rows if (row.update, row.objective) == (update, "STS-B")}
        assert list(values) == ["Pearson", "Spearman"]
        assert criterion == pytest.approx(100 - sum(values.values()) / 2)
    results, _ = score(world, "STS-B", {"STS-B": "scores"}, {})
    assert sum(result.value for result in results) / 2 == pytest.approx(100 - min(criteria.values()))


def test_a_model_that_says_the_same_of_everything_is_remarked(world):
    finetuned(world, "SST-2", "classes", {"SST-2": "classes"})
    classifier, metadata = encoders.load_classifier(world / "classifier")
    classifier.head.classes.bias.data[1] = 1000.0
    checkpoint.save(world / "classifier", classifier.encoder, metadata, head=classifier.head)
    (result,), _ = score(world, "SST-2", {"SST-2": "classes"}, {})
    assert result.warnings == ["collapsed to '1' (100.0 %)"]
