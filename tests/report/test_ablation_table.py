"""The table of the ablation and that of perplexity, against numbers computed by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from read_back import grid, make_table
from scipy import stats

from xlm_core.errors import CorpusError
from xlm_core.results import Result

# seed -> accuracies; the full system knows three languages, the small one two.
FULL = {(0, 0): {"en": 80.0, "fr": 70.0, "hi": 50.0}, (1, 0): {"en": 82.0, "fr": 72.0, "hi": 40.0}}
TWO = {(0, 0): {"en": 81.0, "fr": 66.0}, (1, 0): {"en": 81.0, "fr": 70.0}}
LABELS = {"mlm_tlm": "full system", "two/mlm_tlm": "2 languages"}


def xnli(system: str, values: dict) -> list[Result]:
    return [
        Result("xnli", system, "zero-shot", column, "accuracy", value, 500, *seeds, system, column, "c0de", "s")
        for seeds, of_language in values.items()
        for column, value in of_language.items()
    ]


def make(tmp_path: Path, measured: list[Result], labels: dict = LABELS) -> tuple[list[list[str]], dict, str]:
    rows = [{"system": system, "setting": "zero-shot", "label": label} for system, label in labels.items()]
    contents = {"rows": rows, "train": "en"}
    table = {"name": "ablation", "contents": contents, "caption": "Some data", "full": "mlm_tlm"}
    texts = make_table(tmp_path, measured, table)
    tidy = {(row["system"], row["column"]): row for row in csv.DictReader(texts["tidy"].splitlines())}
    return grid(texts["md"]), tidy, texts["md"]


def test_a_system_of_fewer_languages_is_compared_on_these(tmp_path: Path):
    rows, tidy, text = make(tmp_path, xnli("mlm_tlm", FULL) + xnli("two/mlm_tlm", TWO))
    # by hand: transfer of the full system 60 and 56; on French alone 70 and 72; of the small one 66 and 70
    assert float(tidy["full system", "transfer"]["mean"]) == pytest.approx(58)
    assert float(tidy["2 languages", "transfer"]["mean"]) == pytest.approx(68)
    assert float(tidy["2 languages", "full system"]["mean"]) == pytest.approx(71)
    assert float(tidy["2 languages", "difference"]["mean"]) == pytest.approx(-3)
    # of 66 and 70 beside 70 and 72: Welch's method by hand
    squares = [8 / 2, 2 / 2]
    degrees = sum(squares) ** 2 / sum(square**2 for square in squares)
    half = stats.t.ppf(0.975, degrees) * sum(squares) ** 0.5
    difference = tidy["2 languages", "difference"]
    assert (float(difference["low"]), float(difference["high"])) == pytest.approx((-3 - half, -3 + half))
    assert difference["spread"] == "" and difference["n_items"] == "500"
    assert (tidy["full system", "difference"]["mean"], tidy["full system", "difference"]["low"]) == ("0.0", "")
    assert [row[0] for row in rows if row[0] in LABELS.values()] == ["full system", "2 languages"]
    words = " ".join(text.split())
    assert "full system: mean of the full system on the same languages; difference: transfer minus full system" in words


def test_differences_have_signs_and_are_not_ranked(tmp_path: Path):
    """On 71, and 3 less than that, no row can pride itself; 68 is the best transfer."""
    rows, _, _ = make(tmp_path, xnli("mlm_tlm", FULL) + xnli("two/mlm_tlm", TWO))
    assert rows[0][3:] == ["transfer", "full system", "difference"]
    assert rows[1][3:] == ["58.0 ± 2.8", "58.0 ± 2.8", "0.0"]
    assert rows[2][3:] == ["**68.0 ± 2.8**", "71.0 ± 1.4", "−3.0 [−16.8, +10.8]"]
    html = (tmp_path / "table.html").read_text()
    assert '<td style="background:#ffffff">71.0 ± 1.4</td>' in html
    assert '<td style="background:#ffffff">−3.0 [−16.8, +10.8]</td>' in html


def test_what_a_result_must_be_read_with_stands_at_its_transfer(tmp_path: Path):
    measured = xnli("mlm_tlm", FULL) + xnli("two/mlm_tlm", TWO)
    measured[2] = replace(measured[2], warnings=["collapsed to 'neutral' (97.0 %)"])
    text = make(tmp_path, measured)[2]
    assert "full system, zero-shot: collapsed to 'neutral' (97.0 %) in transfer (seed 0.0)." in text


def test_a_seed_that_the_full_system_lacks_is_refused(tmp_path: Path):
    measured = xnli("mlm_tlm", {(0, 0): FULL[0, 0]}) + xnli("two/mlm_tlm", TWO)
    with pytest.raises(CorpusError, match=r"system 'two/mlm_tlm', seed 1\.0, has results in en, fr, but the full"):
        make(tmp_path, measured)


def test_a_row_without_results_is_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match="no result for system 'two/mlm_tlm'"):
        make(tmp_path, xnli("mlm_tlm", FULL))


METRICS = {"perplexity per word": 1.0, "perplexity per piece": 0.1, "bits per byte": 0.01}


def perplexities(values: dict[str, float], language: str = "ne") -> list[Result]:
    return [
        Result("perplexity", setup, "clm", language, metric, value * factor, 900, 0, None, setup, "d", "c0de", "s")
        for setup, value in values.items()
        for metric, factor in METRICS.items()
    ]


def make_perplexity(tmp_path: Path, measured: list[Result], language: str = "ne") -> tuple[list[list[str]], str, str]:
    row = {"setting": "clm", "setting_label": "CLM"}
    rows = [
        {**row, "system": "alone", "label": language, "published": ["ne", "CLM"]},
        {**row, "system": "related", "label": f"{language} + hi", "published": ["ne_hi", "CLM"]},
    ]
    contents = {"rows": rows, "language": language}
    texts = make_table(tmp_path, measured, {"name": "perplexity", "contents": contents, "caption": "Some data"})
    return grid(texts["md"]), texts["md"], texts["differences"]


def test_less_perplexity_is_better_and_the_published_one_stands_beside(tmp_path: Path):
    rows, text, differences = make_perplexity(tmp_path, perplexities({"alone": 150.0, "related": 120.0}))
    assert [row[2:] for row in rows if row[0] == "ne"] == [["150.0", "15.0", "1.50"]]
    assert [row[2:] for row in rows if row[0] == "ne + hi"] == [["**120.0**", "**12.0**", "**1.20**"]]
    assert "— difference" not in text  # the unit of the published numbers is not known
    assert "157.2" in text and "115.6" in text and "140.1" in text  # the last is a row that we do not have
    assert grid(text, 1)[1:] == [["CLM: ne + hi − ne", "−30.0", "−3.0", "−0.30"]]
    gained = [row for row in csv.DictReader(differences.splitlines()) if row["metric"] == "perplexity per word"]
    assert [(row["system"], row["minus_system"], float(row["difference"])) for row in gained] == [
        ("ne + hi", "ne", -30.0)
    ]


def test_other_languages_have_no_published_perplexity(tmp_path: Path):
    text = make_perplexity(tmp_path, perplexities({"alone": 150.0, "related": 120.0}, "es"), "es")[1]
    assert "157.2" not in text and "Without published numbers: es, CLM; es + hi, CLM." in text
