"""The tables against numbers computed by hand, and what they refuse."""

import csv
import re
from dataclasses import replace

import pytest

from xlm_core import results
from xlm_core.errors import CorpusError
from xlm_core.report import published, tables
from xlm_core.results import Result

ROWS = {"mlm": "XLM (MLM)", "mlm_tlm": "XLM (MLM+TLM)"}
LANGUAGES = ["en", "fr"]
# Seeds 0.0, 0.1, 0.2; by hand: mlm en 80 +- 2, fr 60 +- 3, avg 69.5, 71, 69.5 -> 70 +- 0.866...; mlm_tlm fr 70 +- 0.
VALUES = {
    ("mlm", "en"): (78.0, 80.0, 82.0),
    ("mlm", "fr"): (61.0, 62.0, 57.0),
    ("mlm_tlm", "en"): (79.96, 79.96, 79.96),
    ("mlm_tlm", "fr"): (70.0, 70.0, 70.0),
}


def result(run="mlm", column="en", value=50.0, seeds="0.0", **changes):
    plain = Result("xnli", run, "zero-shot", column, "accuracy", value, 500, seeds, f"{run}", column, "c0de", "s1")
    return replace(plain, **changes)


@pytest.fixture
def good():
    return [
        result(run, column, value, f"0.{seed}")
        for (run, column), values in VALUES.items()
        for seed, value in enumerate(values)
    ]


def make(tmp_path, some, rows=ROWS, columns=LANGUAGES, caption="Some data", **settings):
    """The four texts of the XNLI table of some results."""
    results.write(some, tmp_path / "results.jsonl")
    outputs = {kind: tmp_path / f"table.{kind}" for kind in ("md", "html", "tex", "tidy")}
    tables.make_xnli([tmp_path / "results.jsonl"], rows, columns, outputs, caption, **settings)
    return {kind: path.read_text(encoding="utf-8") for kind, path in outputs.items()}


def grid(markdown):
    """Cells of a Markdown table, without the rule under its header."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1, "the columns are not aligned"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(re.fullmatch(":-+|-+:", cell) for cell in rows.pop(1))
    return rows


def tidy_rows(text):
    return {(line["row"], line["setting"], line["column"]): line for line in csv.DictReader(text.splitlines())}


def test_tidy_numbers(tmp_path, good):
    text = make(tmp_path, good)["tidy"]
    assert text.splitlines()[0] == "table,row,setting,column,metric,mean,spread,n_seeds,n_items,published"
    rows = tidy_rows(text)
    assert list(rows) == [(label, "zero-shot", column) for label in ROWS.values() for column in ("en", "fr", "avg")]
    fr, avg = rows["XLM (MLM)", "zero-shot", "fr"], rows["XLM (MLM)", "zero-shot", "avg"]
    assert float(fr["mean"]) == pytest.approx(60)
    assert float(fr["spread"]) == pytest.approx(7**0.5)  # deviations 1, 2, -3: 14 over 3 - 1
    assert (fr["n_seeds"], fr["n_items"], fr["published"]) == ("3", "500", "76.5")
    assert float(avg["mean"]) == pytest.approx(70)
    assert float(avg["spread"]) == pytest.approx(0.75**0.5)  # of 69.5, 71 and 69.5
    assert (avg["n_items"], float(avg["published"])) == ("1000", pytest.approx((83.2 + 76.5) / 2))


def test_markdown_read_back(tmp_path, good):
    assert grid(make(tmp_path, good)["md"]) == [
        ["system", "en", "fr", "avg"],
        ["XLM (MLM)", "**80.0 ± 2.0**", "60.0 ± 2.6", "70.0 ± 0.9"],
        ["— published", "83.2", "76.5", "79.8"],
        ["— difference", "−3.2", "−16.5", "−9.8"],
        ["XLM (MLM+TLM)", "**80.0 ± 0.0**", "**70.0 ± 0.0**", "**75.0 ± 0.0**"],  # 79.96 reads 80.0, too
        ["— published", "85.0", "78.7", "81.8"],
        ["— difference", "−5.0", "−8.7", "−6.8"],
    ]


def test_one_seed_has_no_spread(tmp_path, good):
    texts = make(tmp_path, [one for one in good if one.seeds == "0.0"])
    assert grid(texts["md"])[1][1:3] == ["78.0", "61.0"]
    assert tidy_rows(texts["tidy"])["XLM (MLM)", "zero-shot", "en"]["spread"] == ""
    assert "±" not in texts["md"]
    assert "one seed (0.0), hence no spread" in texts["md"]


def test_notes_say_what_was_measured(tmp_path, good):
    texts = make(tmp_path, good)
    for kind in ("md", "html", "tex"):
        text = " ".join(texts[kind].split())
        for part in (
            "Some data",
            "3 seeds (0.0, 0.1, 0.2)",
            "n = 500 items each",
            "Scorer: s1. Code: c0de.",
            "Table 1",
        ):
            assert part in text, (kind, part)
        assert "only for the paper's" in text.replace("&#x27;", "'")
        assert "Caution" not in text
        assert "†" not in text
        assert r"\dag" not in text


def test_row_without_published_numbers_is_named(tmp_path, good):
    texts = make(tmp_path, good, rows=ROWS | {"mlm": "No such row"})
    assert [row[0] for row in grid(texts["md"])].count("— published") == 1
    assert "Without published numbers: No such row." in texts["md"]


@pytest.mark.parametrize("kind, mark", [("md", "76.5†"), ("html", "76.5†"), ("tex", r"76.5\textsuperscript{\dag}")])
def test_dagger_only_where_unconfirmed(tmp_path, good, monkeypatch, kind, mark):
    row = {"label": "XLM (MLM)", "setting": "zero-shot", "values": [83.2, 76.5], "confirmed": False}
    sure = {"label": "XLM (MLM+TLM)", "setting": "zero-shot", "values": [85.0, 78.7], "confirmed": True}
    known = {"name": "N", "protocol": "p", "columns": LANGUAGES, "rows": [row, sure]}
    monkeypatch.setattr(published, "tables", lambda: {"xnli": known})
    text = make(tmp_path, good)[kind]
    assert mark in text
    assert mark.replace("76.5", "78.7") not in text
    assert text.count(mark.removeprefix("76.5")) == 4  # en, fr, their average, and the note that explains it


def test_remarks_become_footnotes(tmp_path, good):
    marked = [
        replace(one, note="collapsed to 'neutral' (99.0 %)")
        if (one.system, one.column) == ("mlm", "fr") and one.seeds > "0.0"
        else one
        for one in good
    ]
    texts = make(tmp_path, marked)
    assert grid(texts["md"])[1] == ["XLM (MLM)", "**80.0 ± 2.0**", "60.0 ± 2.6 [1]", "70.0 ± 0.9"]
    assert "[1] XLM (MLM): collapsed to 'neutral' (99.0 %) in fr (seeds 0.1, 0.2)." in texts["md"]
    assert texts["html"].count("<sup>1</sup>") == 1
    assert r"60.0 $\pm$ 2.6\textsuperscript{1}" in texts["tex"]
    assert r"(99.0 \%) in fr" in texts["tex"]


@pytest.mark.parametrize(
    "change, caution",
    [
        ({"code": "0ther"}, "different code versions in this table (0ther, c0de)"),
        ({"signature": "s2"}, "different scorers in this table (s1, s2)"),
        ({"config": "0ther"}, "different settings in XLM (MLM) (0ther, mlm)"),
        ({"data": "0ther"}, "different data in XLM (MLM), en (0ther, en)"),
    ],
)
def test_mixed_digests_are_told(tmp_path, good, change, caution):
    texts = make(tmp_path, [replace(good[0], **change), *good[1:]])
    assert f"Caution: {caution}." in " ".join(texts["md"].split())
    assert "Caution: different" in texts["html"]
    assert "Caution: different" in texts["tex"]


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda good: good[:-1],
            "no result for run 'mlm_tlm', setting 'zero-shot', column 'fr', seed '0.2' (1 missing",
        ),
        (lambda good: [*good, good[3]], "two results for run 'mlm', setting 'zero-shot', column 'fr', seed '0.0'"),
        (lambda good: [*good, result(column="xx")], "result for run 'mlm', setting 'zero-shot', column 'xx'"),
        (lambda good: [*good, result(setting="few-shot")], "setting 'few-shot'"),
        (lambda good: [*good, result(run="clm")], "run 'clm'"),
        (lambda good: [replace(good[0], n=499), *good[1:]], "was measured on 499 items"),
        (lambda good: [replace(good[0], value=float("nan")), *good[1:]], "seed '0.0' is nan"),
        (lambda good: [replace(one, table="glue") for one in good], "hold no accuracy for it"),
        (lambda good: [], "hold no accuracy for it"),
    ],
)
def test_refusals(tmp_path, good, spoil, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        make(tmp_path, spoil(good))
    assert not (tmp_path / "table.md").exists()


def test_other_tables_and_metrics_are_passed_over(tmp_path, good):
    others = [result(table="glue", column="rte"), result(metric="nats")]
    assert make(tmp_path, [*others, *good]) == make(tmp_path, good)


def test_same_bytes_whatever_the_order_of_results(tmp_path, good):
    assert make(tmp_path, good) == make(tmp_path, good[::-1])


def test_settings_are_rows_of_their_own(tmp_path, good):
    best = [replace(one, setting="zero-shot, best", value=one.value + 1) for one in good]
    texts = make(tmp_path, good + best, settings={"zero-shot": "zero-shot", "zero-shot, best": "zero-shot"})
    rows = [row for row in grid(texts["md"]) if not row[0].startswith("—")]
    assert [row[:2] for row in rows[:3]] == [
        ["system", "setting"],
        *([ROWS["mlm"], s] for s in ("zero-shot", "zero-shot, best")),
    ]
    assert tidy_rows(texts["tidy"])["XLM (MLM)", "zero-shot, best", "fr"]["published"] == "76.5"


def test_escapes(tmp_path, good):
    texts = make(tmp_path, good, rows=ROWS | {"mlm": r"A&B_<1>|50% {x}\y^~#$"}, caption="<data> & 100 %")
    escaped = (
        r"A\&B\_\textless{}1\textgreater{}\textbar{}50\% \{x\}\textbackslash{}y\textasciicircum{}\textasciitilde{}\#\$"
    )
    assert escaped in texts["tex"]
    assert r"\caption{\textless{}data\textgreater{} \& 100 \%}" in texts["tex"]
    assert "A&amp;B_&lt;1&gt;|50% {x}" in texts["html"]
    assert "<data>" not in texts["html"]
    assert r"A&B_<1>\|50%" in texts["md"]


def test_latex_rows_have_one_cell_per_column(tmp_path, good):
    text = make(tmp_path, good)["tex"]
    assert r"\begin{tabular}{@{}lrrr@{}}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 7
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_heat_grows_with_the_mean(tmp_path, good):
    colors = re.findall(r'background:(#\w{6})">(?:<b>)?(\d+\.\d) ±', make(tmp_path, good)["html"])
    by_mean = sorted(colors, key=lambda item: float(item[1]))
    assert by_mean[0][0] == "#ffffff"
    assert [color for color, _ in by_mean] == sorted((color for color, _ in colors), reverse=True)


def test_retrieval_means_of_directions(tmp_path):
    values = {"en-fr": (10.0, 30.0), "fr-en": (20.0, 40.0), "de-en": (50.0, 50.0), "en-de": (70.0, 90.0)}
    some = [
        result("mlm", column, value + bonus, str(seed), table="retrieval", setting=setting, note=note)
        for setting, bonus in (("raw", 0), ("centered", 5))
        for column, both in values.items()
        for seed, value in enumerate(both)
        for note in ["odd" if (setting, column, seed) == ("raw", "fr-en", 1) else ""]
    ]
    results.write(some, tmp_path / "r.jsonl")
    outputs = {kind: tmp_path / kind for kind in ("md", "tidy")}
    tables.make_retrieval([tmp_path / "r.jsonl"], {"mlm": "M"}, ["en", "fr", "de"], outputs, "Alignment")
    assert grid(outputs["md"].read_text()) == [
        ["system", "setting", "fr", "de", "avg"],
        ["M", "raw", "25.0 ± 14.1 [1]", "65.0 ± 7.1", "45.0 ± 10.6"],
        ["M", "centered", "**30.0 ± 14.1**", "**70.0 ± 7.1**", "**50.0 ± 10.6**"],
    ]
    assert "[1] M raw: odd in fr-en (seed 1)." in outputs["md"].read_text()
    rows = tidy_rows(outputs["tidy"].read_text())
    assert [key[2] for key in rows if key[1] == "raw"] == ["fr", "de", "avg", "en-fr", "fr-en", "en-de", "de-en"]
    assert float(rows["M", "raw", "fr"]["mean"]) == 25
    assert float(rows["M", "centered", "fr-en"]["mean"]) == 35
    assert rows["M", "raw", "avg"]["n_items"] == "2000"
