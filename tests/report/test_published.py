"""The published numbers are whole, and averages compare the same languages."""

from pathlib import Path

import pytest
import yaml

from xlm_core import config, published
from xlm_core.errors import ConfigError
from xlm_core.published import PublishedNumber
from xlm_core.report import summary, table_specs

XNLI = published.tables()["xnli"]
PRINTED = yaml.safe_load(published.PATH.read_text(encoding="utf-8"))["xnli"]  # what the file says
LANGUAGES = [language for language, _ in PRINTED["columns"]]
WHOLE = [row for row in PRINTED["rows"] if None not in row["values"]]


def average(key, setting, languages):
    """The published number beside our average over some languages."""
    spec = table_specs.xnli([], languages, "en")
    return summary.published_number((key, setting), spec.columns[-1], spec)


def test_whole_table():
    assert (len(PRINTED["rows"]), len(LANGUAGES), len(WHOLE)) == (11, 15, 6)
    assert all(row["source"] and row["label"] for row in PRINTED["rows"])
    assert list(XNLI.rows) == [(row["key"], row["setting"]) for row in PRINTED["rows"]]


def test_known_cells():
    assert XNLI.rows["xlm_mlm", "zero-shot"].numbers["sw", "accuracy"] == (64.6, True)
    assert XNLI.rows["xlm_mlm_tlm", "translate-train"].numbers["ur", "accuracy"] == (63.2, True)


def test_not_published():
    assert ("no_such_row", "zero-shot") not in XNLI.rows and ("xlm_mlm", "translate-train") not in XNLI.rows
    assert average("no_such_row", "zero-shot", ["en"]) is average("xlm_mlm", "translate-train", ["en"]) is None
    assert ("ne", "accuracy") not in XNLI.rows["xlm_mlm", "zero-shot"].numbers
    assert ("fr", "accuracy") not in XNLI.rows["mbert", "zero-shot"].numbers  # printed as a dash


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: f"{row['key']} {row['setting']}")
def test_average_is_the_one_the_paper_prints(row):
    mean = average(row["key"], row["setting"], LANGUAGES)
    assert mean.value == pytest.approx(row["average"], abs=0.0501)


def test_average_over_fewer_languages():
    assert average("xlm_mlm", "zero-shot", ["en", "ur"]).value == pytest.approx((83.2 + 63.4) / 2)


def test_no_average_where_a_column_is_missing():
    assert average("xlm_mlm", "zero-shot", ["en", "ne"]) is None
    assert published.mean([]) is None


def test_an_average_is_as_sure_as_its_least_sure_part():
    sure, unsure = PublishedNumber(80.0, True), PublishedNumber(70.0, False)
    assert published.mean([sure, unsure]) == (75.0, False)
    assert published.mean([sure]) == (80.0, True)


def test_an_unknown_key_is_refused_when_the_configuration_is_read():
    data = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
    data["runs"]["mlm"]["published"] = "xlm_mml"
    with pytest.raises(
        ConfigError, match=r"config\.runs\.mlm\.published: unknown name 'xlm_mml' \(did you mean 'xlm_mlm"
    ):
        config.parse(data)
