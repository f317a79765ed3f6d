"""Paired bootstrap: what is known without it, and what the sacreBLEU command line finds."""

import csv
import json
import random
import subprocess
import sys

import pytest

from xlm_core.errors import CorpusError
from xlm_core.metrics import bootstrap, sample_statistics
from xlm_core.metrics.bleu import bleu, bleu_statistics
from xlm_core.metrics.bootstrap import write_paired_tests

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


def write_statistics(path, hypotheses):
    sample_statistics.write(path, {"en-fr": bleu_statistics(hypotheses, REFERENCES)})
    return path


def paired_bootstrap(system, baseline):
    """Scores of both systems, and p."""
    a, b = (bleu_statistics(hypotheses, REFERENCES) for hypotheses in (system, baseline))
    return a.score, b.score, bootstrap.paired_bootstrap(a, b)


@pytest.mark.parametrize("system", [GOOD, REFERENCES, ["nothing", *[""] * 39]])
def test_a_system_does_not_differ_from_itself(system):
    score = bleu(system, REFERENCES).value
    assert paired_bootstrap(system, system) == (score, score, 1.0)


def test_systems_that_are_wrong_alike_do_not_differ():
    assert paired_bootstrap(["x"] * 40, ["y"] * 40) == (0.0, 0.0, 1.0)


def test_scores_and_better_systems():
    score, minus, p = paired_bootstrap(GOOD, BAD)
    assert (score, minus) == (bleu(GOOD, REFERENCES).value, bleu(BAD, REFERENCES).value)
    assert score > minus + 10
    assert p < 0.05
    assert paired_bootstrap(GOOD, SAME)[2] > 0.05


def test_either_system_may_be_the_first():
    score, minus, p = paired_bootstrap(GOOD, SAME)
    assert paired_bootstrap(SAME, GOOD) == (minus, score, p)


@pytest.mark.parametrize("system, base", [(GOOD, SAME), (BAD, GOOD)])
def test_that_of_the_command_line(tmp_path, system, base):
    names = {"references": REFERENCES, "base": base, "system": system}
    references, *systems = [write(tmp_path / name, lines) for name, lines in names.items()]
    command = [sys.executable, "-m", "sacrebleu", references, "-i", *systems, "-m", "bleu", "--format", "json"]
    test = ["--paired-bs", "--paired-bs-n", "1000"]
    run = subprocess.run([*command, *test], capture_output=True, text=True, check=True)
    minus, score = (entry["BLEU"] for entry in json.loads(run.stdout))
    assert paired_bootstrap(system, base) == pytest.approx((score["score"], minus["score"], score["p_value"]), abs=1e-9)


def test_systems_with_other_items_are_refused():
    with pytest.raises(CorpusError, match="score both on the same test set"):
        bootstrap.paired_bootstrap(bleu_statistics(GOOD, REFERENCES), bleu_statistics(GOOD[1:], REFERENCES[1:]))


def test_csv(tmp_path):
    good, bad = write_statistics(tmp_path / "good", GOOD), write_statistics(tmp_path / "bad", BAD)
    baseline = {"table": "unsupervised_mt", "minus_system": "none", "minus_setting": "no pretraining"}
    cells = [
        {"system": "mlm", "setting": "XLM (MLM), new", "column": "en-fr", "seed": "0", **baseline},
        {"system": "clm", "setting": "CLM", "column": "en-fr", "seed": "1", **baseline},
    ]
    write_paired_tests(cells, [good, bad], [bad, bad], tmp_path / "out.csv")
    first, second = csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines())
    assert {name: value for name, value in first.items() if name not in ("bleu", "minus_bleu", "p")} == {
        "table": "unsupervised_mt",
        "system": "mlm",
        "setting": "XLM (MLM), new",
        "column": "en-fr",
        "seed": "0",
        "minus_system": "none",
        "minus_setting": "no pretraining",
    }
    values = tuple(float(first[name]) for name in ("bleu", "minus_bleu", "p"))
    assert values == paired_bootstrap(GOOD, BAD)
    assert (second["bleu"], second["p"]) == (second["minus_bleu"], "1.0")


def test_csv_of_no_comparisons_has_its_header(tmp_path):
    write_paired_tests([], [], [], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().split() == [
        "table,system,setting,column,seed,bleu,minus_system,minus_setting,minus_bleu,p"
    ]
