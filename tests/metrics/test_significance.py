"""Tests of differences beside closed forms, examples by hand, and what the sacreBLEU command line finds."""

import csv
import json
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from xlm_core.errors import CorpusError
from xlm_core.metrics import sample_statistics, significance
from xlm_core.metrics.bleu import bleu, bleu_statistics
from xlm_core.metrics.intervals import paired_interval
from xlm_core.metrics.significance import holm, welch_test, write_paired_tests

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
    return a.score, b.score, significance.paired_bootstrap(a, b)


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
        significance.paired_bootstrap(bleu_statistics(GOOD, REFERENCES), bleu_statistics(GOOD[1:], REFERENCES[1:]))


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


SCORES = st.lists(st.floats(0, 100).map(lambda score: round(score, 1)), min_size=2, max_size=8).map(np.array)


def test_welch_is_the_closed_form():
    """The interval of Welch 1947, with the degrees of freedom of Satterthwaite, written out."""
    a, b = np.array([27.5, 21.0, 19.0, 23.6, 17.0]), np.array([27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8])
    of_a, of_b = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    spread = (of_a + of_b) ** 0.5
    degrees = spread**4 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
    test = welch_test(a, b)
    half = stats.t.ppf(0.975, degrees) * spread
    difference = 108.1 / 5 - 166.0 / 7
    assert test.interval == pytest.approx((difference, difference - half, difference + half))
    assert test.p_less == pytest.approx(stats.t.cdf(difference / spread, degrees))


@given(a=SCORES, b=SCORES, margin=st.floats(-5, 5))
def test_a_margin_is_a_shift_and_both_sides_are_opposite(a: np.ndarray, b: np.ndarray, margin: float):
    assume(np.ptp(a) >= 1 and np.ptp(b) >= 1)
    test, shifted, swapped = welch_test(a, b, margin), welch_test(a - margin, b), welch_test(b, a, -margin)
    assert test.p_greater == pytest.approx(shifted.p_greater, abs=1e-6)
    assert test.p_greater == pytest.approx(swapped.p_less, abs=1e-6)
    assert test.p_greater + test.p_less == pytest.approx(1, abs=1e-6)
    assert test.interval.low <= test.interval.difference <= test.interval.high


@pytest.mark.parametrize(("a", "b"), [([80.0], [60.0, 61.0]), ([80.0, 80.0], [60.0, 60.0])])
def test_without_a_spread_there_is_no_test(a: list[float], b: list[float]):
    test = welch_test(np.array(a), np.array(b))
    assert np.isnan(test.interval[1:]).all() and (test.p_greater, test.p_less) == (1.0, 1.0)


def test_an_interval_of_pairs_is_student_s():
    a, b = np.array([3.0, 8.0, 5.0]), np.array([2.0, 6.0, 2.0])  # less by 1, 2 and 3
    half = stats.t.ppf(0.975, 2) / 3**0.5
    assert paired_interval(a, b) == pytest.approx((2, 2 - half, 2 + half))
    assert np.isnan(paired_interval(a, a + 1)[1:]).all() and np.isnan(paired_interval(a[:1], b[:1])[1:]).all()


def test_holm_beside_a_worked_example():
    """Holm 1979 by hand: 4 x 0.005, 3 x 0.01, 2 x 0.03, and no smaller than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1] and holm([]) == []
