"""Four tasks of GLUE on real text, from their official files through all rules to the table.

What the pipeline keeps is held against the official files, read here by plain string operations, and against
scikit-learn and SciPy.
"""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats
from sklearn import metrics

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "Snakefile",
    "rules",
    "workflow_scripts",
    "xlm_core",
    "microworld",
    "docs",
    "envs",
    "profiles",
    "config.yaml",
    "configs",
)
# Laid over configs/small.yaml: one row, a small model, little text to learn its pieces from.
SHORT = {
    "name": "short",
    "text": {"n_shards": 1},
    "setups": {
        "english": {
            "monolingual": {"en": ["tatoeba"]},
            "vocabulary": {"size": 1000},
            "model": {"dim": 32, "n_layers": 1, "n_heads": 2, "feedforward_dim": 64},
            "pretraining": {
                "batch_tokens": 512,
                "micro_batch_tokens": 512,
                "optim": {"max_updates": 20, "warmup_updates": 4},
                "eval_interval": 20,
                "max_eval_tokens": 500,
            },
        }
    },
    "glue": {
        "systems": [{"setup": "english", "run": "mlm"}],
        "finetuning": {"learning_rates": [5.0e-3], "epochs": 1, "batch_size": 32},
    },
    "seeds": {"finetuning": [0]},
}
# Task -> in its validation set, the column of the labels, whether there is a header, and the number of test examples.
OFFICIAL = {"CoLA": (1, False, 1063), "SST-2": (1, True, 1821), "STS-B": (9, True, 1379), "RTE": (3, True, 3000)}
CLASSES = {"CoLA": ["0", "1"], "SST-2": ["0", "1"], "RTE": ["entailment", "not_entailment"]}


@pytest.fixture(scope="module")
def results(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of GLUE, made from the official files."""
    folder = tmp_path_factory.mktemp("real")
    for name in PARTS:
        (folder / name).symlink_to(ROOT / name)
    (folder / "short.yaml").write_text(yaml.safe_dump(SHORT))
    command = [sys.executable, "-m", "snakemake", "glue_table", "--configfile", "configs/small.yaml", "short.yaml"]
    run = subprocess.run(
        [*command, "--config", f"mirror={mirror}"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
    return folder / "results" / "short"


def official_labels(mirror: Path, task: str) -> list[str]:
    """The labels of the official validation set, in its order."""
    column, has_header, _ = OFFICIAL[task]
    with zipfile.ZipFile(mirror / "dl.fbaipublicfiles.com" / "glue" / "data" / f"{task}.zip") as archive:
        lines = archive.read(f"{task}/dev.tsv").decode("utf-8").rstrip("\n").split("\n")[has_header:]
    return [line.rstrip("\r").split("\t")[column] for line in lines]


def kept(results: Path, task: str, split: str) -> list[dict[str, str]]:
    """What a model said of a validation or test set."""
    path = results / "results" / "glue" / f"english.mlm.0.{task}.0.predictions.tsv"
    with open(path, encoding="utf-8", newline="") as file:
        return [line for line in csv.DictReader(file, delimiter="\t") if line["split"] == split]


def measured(results: Path, task: str) -> dict[str, float]:
    """Metric -> value, as they go into the table."""
    path = results / "results" / "glue" / f"english.mlm.0.{task}.0.jsonl"
    return {row["metric"]: row["value"] for row in map(json.loads, path.read_text().splitlines())}


@pytest.mark.parametrize("task", OFFICIAL)
def test_kept_labels_are_those_of_the_official_file(mirror: Path, results: Path, task: str):
    lines, labels = kept(results, task, "valid"), official_labels(mirror, task)
    assert [int(line["index"]) for line in lines] == list(range(len(labels)))
    if task in CLASSES:
        assert [line["label"] for line in lines] == labels
    else:
        np.testing.assert_allclose([float(line["label"]) for line in lines], list(map(float, labels)), atol=1e-6)


@pytest.mark.parametrize(("task", "metric"), [("CoLA", "Matthews"), ("SST-2", "accuracy"), ("RTE", "accuracy")])
def test_metrics_of_classes_are_scikit_learn_s(mirror: Path, results: Path, task: str, metric: str):
    of = {"Matthews": metrics.matthews_corrcoef, "accuracy": metrics.accuracy_score}[metric]
    said = [line["prediction"] for line in kept(results, task, "valid")]
    assert set(said) <= set(CLASSES[task])
    assert measured(results, task) == {metric: pytest.approx(100 * of(official_labels(mirror, task), said), abs=1e-9)}


def test_correlations_are_scipy_s(mirror: Path, results: Path):
    labels = list(map(float, official_labels(mirror, "STS-B")))
    said = [float(line["prediction"]) for line in kept(results, "STS-B", "valid")]
    assert len(set(said)) > 100
    assert measured(results, "STS-B") == {
        "Pearson": pytest.approx(
            100 * stats.pearsonr(labels, said).statistic, abs=1e-4
        ),  # labels are stored in float32
        "Spearman": pytest.approx(100 * stats.spearmanr(labels, said).statistic, abs=1e-4),
    }


def test_reviews_are_told_apart(results: Path):
    """Half of them are good; words alone tell four of five."""
    assert measured(results, "SST-2")["accuracy"] > 70


def test_the_table_names_the_tasks_that_it_lacks(results: Path):
    for kind in ("md", "html"):
        text = (results / "tables" / f"glue.{kind}").read_text()
        assert "Tasks that are missing here, and in the score: MRPC, QQP, MNLI, QNLI, WNLI." in text


def test_the_leaderboard_gets_every_test_example(results: Path):
    with zipfile.ZipFile(results / "submissions" / "glue" / "english.mlm.0.0.zip") as archive:
        rows = {
            name.removesuffix(".tsv"): list(csv.reader(io.StringIO(archive.read(name).decode()), delimiter="\t"))
            for name in archive.namelist()
        }
    assert {task: len(lines) - 1 for task, lines in rows.items()} == {task: n for task, (*_, n) in OFFICIAL.items()}
    for task, (_, *lines) in rows.items():
        assert [int(index) for index, _ in lines] == list(range(len(lines)))
        said = [line["prediction"] for line in kept(results, task, "test")]
        if task in CLASSES:
            assert [word for _, word in lines] == said
