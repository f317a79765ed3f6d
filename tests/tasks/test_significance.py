"""Paired bootstrap: what is known without it, and what the sacreBLEU command line finds."""

import csv
import json
import random
import subprocess
import sys

import pytest

from xlm_core.metrics import bootstrap
from xlm_core.metrics.bleu import bleu
from xlm_core.metrics.bootstrap import Comparison, paired_bootstrap

WORDS = ["the", "a", "cat", "dog,", "sat", "ran", "past", "on", "mat.", "yesterday!", "isn't", "(so)"]


def spoiled(sentences, share, seed):
    """Sentences of which a share of the words are others."""
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(WORDS) if rng.random() < share else word for word in sentence.split())
        for sentence in sentences
    ]


REFERENCES = spoiled([" ".join(WORDS)] * 40, 1.0, 0)
GOOD, SAME, BAD = spoiled(REFERENCES, 0.2, 1), spoiled(REFERENCES, 0.2, 2), spoiled(REFERENCES, 0.5, 3)


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("system", [GOOD, REFERENCES, ["nothing", *[""] * 39]])
def test_a_system_does_not_differ_from_itself(system):
    score = bleu(system, REFERENCES).value
    assert paired_bootstrap(system, system, REFERENCES) == (score, score, 1.0)


def test_systems_that_are_wrong_alike_do_not_differ():
    assert paired_bootstrap(["x"] * 40, ["y"] * 40, REFERENCES) == (0.0, 0.0, 1.0)


def test_scores_and_better_systems():
    score, minus, p = paired_bootstrap(GOOD, BAD, REFERENCES)
    assert (score, minus) == (bleu(GOOD, REFERENCES).value, bleu(BAD, REFERENCES).value)
    assert score > minus + 10
    assert p < 0.05
    assert paired_bootstrap(GOOD, SAME, REFERENCES)[2] > 0.05


def test_either_system_may_be_the_first():
    score, minus, p = paired_bootstrap(GOOD, SAME, REFERENCES)
    assert paired_bootstrap(SAME, GOOD, REFERENCES) == (minus, score, p)


@pytest.mark.parametrize("system, base", [(GOOD, SAME), (BAD, GOOD)])
def test_that_of_the_command_line(tmp_path, system, base):
    names = {"references": REFERENCES, "base": base, "system": system}
    references, *systems = [write(tmp_path / name, lines) for name, lines in names.items()]
    command = [sys.executable, "-m", "sacrebleu", references, "-i", *systems, "-m", "bleu", "--format", "json"]
    test = ["--paired-bs", "--paired-bs-n", "1000"]
    run = subprocess.run([*command, *test], capture_output=True, text=True, check=True)
    minus, score = (one["BLEU"] for one in json.loads(run.stdout))
    assert paired_bootstrap(system, base, REFERENCES) == pytest.approx(
        (score["score"], minus["score"], score["p_value"]), abs=1e-9
    )


def test_csv(tmp_path):
    good, bad = write(tmp_path / "good", GOOD), write(tmp_path / "bad", BAD)
    references = write(tmp_path / "references", REFERENCES)
    comparisons = [
        Comparison("mlm", "XLM (MLM), new", "en-fr", "0", "none", "no pretraining", good, bad, references),
        Comparison("clm", "CLM", "en-fr", "1", "none", "no pretraining", bad, bad, references),
    ]
    bootstrap.compare("unsupervised_mt", comparisons, tmp_path / "out.csv")
    first, second = csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines())
    assert {name: value for name, value in first.items() if name not in ("bleu", "minus_bleu", "p")} == {
        "table": "unsupervised_mt",
        "row": "mlm",
        "setting": "XLM (MLM), new",
        "column": "en-fr",
        "seed": "0",
        "minus_row": "none",
        "minus_setting": "no pretraining",
    }
    found = tuple(float(first[name]) for name in ("bleu", "minus_bleu", "p"))
    assert found == paired_bootstrap(GOOD, BAD, REFERENCES)
    assert (second["bleu"], second["p"]) == (second["minus_bleu"], "1.0")


def test_csv_of_no_comparisons_has_its_header(tmp_path):
    bootstrap.compare("unsupervised_mt", [], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().split() == [
        "table,row,setting,column,seed,bleu,minus_row,minus_setting,minus_bleu,p"
    ]
