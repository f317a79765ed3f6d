"""The published numbers are whole, and averages compare the same languages."""

import pytest

from xlm_core.report import published

XNLI = published.tables()["xnli"]
FULL = [row for row in XNLI["rows"] if None not in row["values"]]


def test_whole_table():
    assert (len(XNLI["rows"]), len(XNLI["columns"]), len(FULL)) == (9, 15, 6)
    for row in XNLI["rows"]:
        assert len(row["values"]) == len(XNLI["columns"])
        assert isinstance(row["confirmed"], bool)
        assert row["source"]
    assert len({(row["label"], row["setting"]) for row in XNLI["rows"]}) == len(XNLI["rows"])


def test_known_cells():
    assert published.value("xnli", "XLM (MLM)", "zero-shot", "sw") == (64.6, True)
    assert published.value("xnli", "XLM (MLM+TLM)", "translate-train", "ur") == (63.2, True)


@pytest.mark.parametrize(
    "place",
    [
        ("glue", "XLM (MLM)", "zero-shot", "en"),
        ("xnli", "no such row", "zero-shot", "en"),
        ("xnli", "XLM (MLM)", "translate-train", "en"),
        ("xnli", "XLM (MLM)", "zero-shot", "ne"),
        ("xnli", "Devlin et al. 2018 (mBERT)", "zero-shot", "fr"),  # printed as a dash
    ],
)
def test_not_published(place):
    assert published.value(*place) is None


@pytest.mark.parametrize("row", FULL, ids=lambda row: f"{row['label']} {row['setting']}")
def test_average_is_the_one_the_paper_prints(row):
    average = published.average("xnli", row["label"], row["setting"], XNLI["columns"])
    assert average.value == pytest.approx(row["average"], abs=0.0501)


def test_average_over_fewer_languages():
    assert published.average("xnli", "XLM (MLM)", "zero-shot", ["en", "ur"]).value == pytest.approx((83.2 + 63.4) / 2)


@pytest.mark.parametrize("columns", [["en", "ne"], []])
def test_no_average_where_a_column_is_missing(columns):
    assert published.average("xnli", "XLM (MLM)", "zero-shot", columns) is None


def test_an_average_is_as_sure_as_its_least_sure_part(monkeypatch):
    cells = {"en": published.Published(80.0, True), "fr": published.Published(70.0, False)}
    monkeypatch.setattr(published, "value", lambda table, row, setting, column: cells[column])
    assert published.average("t", "r", "s", ["en", "fr"]) == (75.0, False)
    assert published.average("t", "r", "s", ["en"]) == (80.0, True)
