"""The published numbers are whole, and averages compare the same languages."""

import pytest

from xlm_core import config, published
from xlm_core.errors import ConfigError
from xlm_core.published import PublishedNumber
from xlm_core.report import specs, summary

XNLI = published.tables()["xnli"]
WHOLE = [row for row in XNLI.rows if len(row.numbers) == len(XNLI.columns)]


def average(key, setting, languages):
    """The published number beside our average over some languages."""
    spec = specs.xnli([], languages, "en")
    return summary.published_number((key, setting), spec.columns[-1], spec)


def test_whole_table():
    assert (len(XNLI.rows), len(XNLI.columns), len(WHOLE)) == (9, 15, 6)
    assert all(row.source and row.label for row in XNLI.rows)
    assert len({(row.key, row.setting) for row in XNLI.rows}) == len(XNLI.rows)


def test_known_cells():
    assert XNLI.row("xlm_mlm", "zero-shot").numbers["sw", "accuracy"] == (64.6, True)
    assert XNLI.row("xlm_mlm_tlm", "translate-train").numbers["ur", "accuracy"] == (63.2, True)


def test_not_published():
    assert XNLI.row("no_such_row", "zero-shot") is XNLI.row("xlm_mlm", "translate-train") is None
    assert ("ne", "accuracy") not in XNLI.row("xlm_mlm", "zero-shot").numbers
    assert ("fr", "accuracy") not in XNLI.row("mbert", "zero-shot").numbers  # printed as a dash


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: f"{row.key} {row.setting}")
def test_average_is_the_one_the_paper_prints(row):
    found = average(row.key, row.setting, [language for language, _ in XNLI.columns])
    assert found.value == pytest.approx(row.average, abs=0.0501)


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
    with pytest.raises(
        ConfigError, match=r"config\.published: no published row has the key 'xlm_mml' \(did you mean 'xlm_mlm"
    ):
        config.read(config.Run, {"label": "XLM (MLM)", "published": "xlm_mml", "objectives": ["mlm"]})
