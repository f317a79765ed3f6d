"""The tables of translation against numbers computed by hand, and what they refuse."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from read_back import grid, make_table
from scipy import stats

from xlm_core import published
from xlm_core.errors import CorpusError
from xlm_core.metrics import significance
from xlm_core.report import notes, table_specs
from xlm_core.results import Result

NONE, CLM, MLM = "no pretraining", "CLM", "XLM (MLM)"
RUNS = {"none": NONE, "clm": CLM, "mlm": MLM}
ROWS = [["none", "none"], ["mlm", "mlm"]]
DIRECTIONS = ["en-fr", "fr-en"]
METRICS = ["BLEU", "tokenized BLEU", "chrF"]
# Seeds 0 and 1. The sample standard deviation of two numbers is their distance over the square root of 2.
VALUES = {
    ("none", "en-fr"): [(10.0, 12.0), (11.0, 13.0), (30.0, 34.0)],
    ("none", "fr-en"): [(20.0, 20.0), (21.0, 21.0), (40.0, 44.0)],
    ("mlm", "en-fr"): [(31.0, 35.0), (32.0, 34.4), (50.0, 58.0)],
    ("mlm", "fr-en"): [(19.0, 20.0), (23.0, 23.0), (45.0, 45.0)],
}
LEARNED = {"one_way": "ro → en", "both_ways": "ro ↔ en", "back_translation": "ro ↔ en + BT"}
PUBLISHED = {"none": "no_pretraining", "clm": "clm", "mlm": "xlm_mlm"}


def scores(table, row, setting, column, several, seed=0):
    """The results of one cell and seed, a value per metric."""
    return [
        Result(table, row, setting, column, metric, value, 500, seed, None, f"{row} {column}", column, "c0de", metric)
        for metric, value in zip(METRICS, several, strict=True)
    ]


@pytest.fixture
def good():
    return [
        result
        for (run, direction), several in VALUES.items()
        for seed, values in enumerate(zip(*several, strict=True))
        for result in scores("unsupervised_mt", run, run, direction, values, seed)
    ]


@pytest.fixture
def supervised():
    """Tokenized BLEU is 30.0, 31.0 and 32.0 in the first row, 5 more in the second, again 5 more in the third."""
    return [
        result
        for number, row in enumerate(LEARNED)
        for column, first in (("none", 30.0), ("clm", 31.0), ("mlm", 32.0))
        for result in scores("supervised_mt", row, "ro-en", column, (10.0, first + 5 * number, 50.0))
    ]


def make(tmp_path, measured, rows=ROWS, tests=()):
    """The five texts of the table of unsupervised translation."""
    contents = {"rows": [unsupervised_row(*row) for row in rows], "directions": DIRECTIONS}
    return make_table(
        tmp_path, measured, {"name": "unsupervised_mt", "contents": contents, "caption": "Some data"}, tests
    )


def unsupervised_row(encoder, decoder):
    return {
        "system": encoder,
        "setting": decoder,
        "label": RUNS[encoder],
        "setting_label": RUNS[decoder],
        "published": [PUBLISHED[encoder], PUBLISHED[decoder]],
    }


def make_supervised(tmp_path, measured):
    rows = [
        {"system": row, "setting": "ro-en", "label": label, "published": [row, "ro-en"]}
        for row, label in LEARNED.items()
    ]
    columns = [{"system": run, "label": label, "published": PUBLISHED[run]} for run, label in RUNS.items()]
    contents = {"rows": rows, "columns": columns}
    return make_table(tmp_path, measured, {"name": "supervised_mt", "contents": contents, "caption": "Some data"})


def write_tests(path, *tests):
    """Tests of rows against the first one: run, decoder, direction, seed, p."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(significance.COLUMNS)
        for run, decoder, direction, seed, p in tests:
            writer.writerow(["unsupervised_mt", run, decoder, direction, seed, 20.0, "none", "none", 10.0, p])
    return path


def test_unsupervised_read_back(tmp_path, good):
    rows = grid(make(tmp_path, good)["md"])
    assert rows[:8] == [
        ["encoder", "decoder", "en-fr", "fr-en", "en-fr, tokenized", "fr-en, tokenized"],
        [NONE, NONE, "11.0 ± 1.4", "**20.0 ± 0.0**", "12.0 ± 1.4", "21.0 ± 0.0"],
        ["— published", "", "", "", "13.0†", "15.8†"],
        ["— difference", "", "", "", "−1.0", "+5.2"],
        [MLM, MLM, "**33.0 ± 2.8**", "19.5 ± 0.7", "**33.2 ± 1.7**", "**23.0 ± 0.0**"],
        ["— published", "", "", "", "33.4", "33.3"],
        ["— difference", "", "", "", "−0.2", "−10.3"],
        ["*published, on the paper's data*", "", "", "", "", ""],
    ]
    assert rows[8] == ["*Lample et al. 2018b, NMT*", "", "", "", "25.1†", "24.2†"]  # with no decoder of its own
    assert len(rows) == 8 + 13 - 2


def test_supervised_read_back(tmp_path, supervised):
    texts = make_supervised(tmp_path, supervised)
    assert [row[2:5] for row in grid(texts["md"])[1:4]] == [["**10.0**"] * 3, [""] * 3, [""] * 3]
    rows = [[*row[:2], *row[5:]] for row in grid(texts["md"])]
    assert rows == [
        ["learned", "tested", f"{NONE}, tokenized", f"{CLM}, tokenized", f"{MLM}, tokenized"],
        ["ro → en", "ro-en", "30.0", "31.0", "32.0"],
        ["— published", "", "28.4", "31.5†", "35.3"],
        ["— difference", "", "+1.6", "−0.5", "−3.3"],
        ["ro ↔ en", "ro-en", "35.0", "36.0", "37.0"],
        ["— published", "", "28.5†", "31.5†", "35.6†"],
        ["— difference", "", "+6.5", "+4.5", "+1.4"],
        ["ro ↔ en + BT", "ro-en", "**40.0**", "**41.0**", "**42.0**"],
        ["— published", "", "34.4†", "37.0†", "38.5"],
        ["— difference", "", "+5.6", "+4.0", "+3.5"],
        ["*published, on the paper's data*", "", "", "", ""],
        ["*Sennrich et al. 2016*", "*ro-en*", "33.9", "", ""],
    ]
    assert r"ro $\leftrightarrow$ en + BT & ro-en" in texts["tex"]
    assert not set("→↔†") & set(texts["tex"])


def test_tidy_has_direction_and_metric_apart(tmp_path, good):
    lines = list(csv.DictReader(make(tmp_path, good)["tidy"].splitlines()))
    by_key = {(line["system"], line["setting"], line["column"], line["metric"]): line for line in lines}
    assert set(by_key) == {(run, run, way, metric) for run in (NONE, MLM) for way in DIRECTIONS for metric in METRICS}
    assert len(lines) == 12
    chrf = by_key[MLM, MLM, "en-fr", "chrF"]
    assert (float(chrf["mean"]), float(chrf["spread"])) == (54.0, pytest.approx(8 / 2**0.5))
    assert (chrf["n_seeds"], chrf["n_items"]) == ("2", "500")
    beside = {metric: by_key[MLM, MLM, "en-fr", metric]["published"] for metric in METRICS}
    assert beside == {"BLEU": "", "tokenized BLEU": "33.4", "chrF": ""}


def test_heat_is_that_of_a_metric(tmp_path, good):
    cells = re.findall(r'background:(#\w{6})">(?:<b>)?(\d+\.\d) ±', make(tmp_path, good)["html"])
    colors = {text: color for color, text in cells}
    ends = {text: color for text, color in colors.items() if color in ("#ffffff", "#c6ddf0")}
    assert len(cells) == len(colors) == 8
    assert ends == {"11.0": "#ffffff", "33.0": "#c6ddf0", "12.0": "#ffffff", "33.2": "#c6ddf0"}


def test_unsupervised_rows_less_the_first(tmp_path, good):
    """Encoder, decoder, and both are other than in the first row."""
    decoder = [replace(result, setting="mlm", value=result.value + 3) for result in good if result.system == "none"]
    encoder = [replace(result, system="mlm", value=result.value + 4) for result in good if result.system == "none"]
    rows = [["none", "none"], ["none", "mlm"], ["mlm", "none"], ["mlm", "mlm"]]
    texts = make(tmp_path, good + decoder + encoder, rows=rows)
    shown = grid(texts["md"], 1)[1:]
    # of one encoder in two settings seed by seed, and nothing spreads; of two systems by Welch's method, by scipy
    assert shown[0] == [f"{NONE}: {MLM} − {NONE}", *["+3.0"] * 4]
    assert [row[0] for row in shown[1:]] == [f"{NONE}: {MLM} − {NONE}", f"{MLM}, {MLM} − {NONE}, {NONE}"]
    last = list(csv.DictReader(texts["differences"].splitlines()))[-4:]
    both = [(VALUES["mlm", direction][m], VALUES["none", direction][m]) for m in range(2) for direction in DIRECTIONS]
    for line, (ours, theirs) in zip(last, both, strict=True):
        assert float(line["difference"]) == pytest.approx(np.mean(ours) - np.mean(theirs))
        if np.ptp(ours) or np.ptp(theirs):
            interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
            assert (float(line["low"]), float(line["high"])) == pytest.approx((interval.low, interval.high))
        else:
            assert line["low"] == line["high"] == ""
    assert [(line["column"], line["metric"]) for line in last] == [
        (direction, metric) for metric in METRICS[:2] for direction in DIRECTIONS
    ]
    assert {(line["system"], line["setting"], line["minus_system"], line["minus_setting"]) for line in last} == {
        (MLM, MLM, NONE, NONE)
    }


def test_supervised_rows_less_the_one_above(tmp_path, supervised):
    assert grid(make_supervised(tmp_path, supervised)["md"], 1)[1:] == [
        ["ro-en: ro ↔ en − ro → en", *["0.0"] * 3, *["+5.0"] * 3],
        ["ro-en: ro ↔ en + BT − ro ↔ en", *["0.0"] * 3, *["+5.0"] * 3],
    ]


def test_remark_is_told_once_for_all_metrics(tmp_path, good):
    noted = [
        replace(result, warnings=["2 empty translations"])
        if (result.system, result.column, result.pretraining_seed) == ("mlm", "en-fr", 1)
        else result
        for result in good
    ]
    text = make(tmp_path, noted)["md"]
    assert grid(text)[4][2:] == ["**33.0 ± 2.8** [1]", "19.5 ± 0.7", "**33.2 ± 1.7** [1]", "**23.0 ± 0.0**"]
    assert f"[1] {MLM}, {MLM}: 2 empty translations in en-fr (seed 1)." in text


def test_scorers_differ_between_metrics_but_not_within_one(tmp_path, good):
    text = " ".join(make(tmp_path, good)["md"].split())
    assert "Scorer: BLEU; chrF; tokenized BLEU. Code: c0de." in text
    assert "Caution" not in text
    odd = [
        replace(result, signature="13b") if (result.system, result.metric) == ("mlm", "BLEU") else result
        for result in good
    ]
    text = " ".join(make(tmp_path, odd)["md"].split())
    assert "Caution: different scorers in this table, BLEU (13b, BLEU)." in text
    assert text.count("Caution") == 1


@pytest.mark.parametrize("metric", METRICS)
def test_missing_metric(tmp_path, good, metric):
    def is_missing(score):
        return (score.system, score.column, score.metric, score.pretraining_seed) == ("mlm", "fr-en", metric, 1)

    message = f"no result for system 'mlm', setting 'mlm', column 'fr-en', metric '{metric}', seed '1' (1 missing of 24"
    with pytest.raises(CorpusError, match=re.escape(message)):
        make(tmp_path, [result for result in good if not is_missing(result)])


def test_no_scores_at_all(tmp_path):
    with pytest.raises(CorpusError, match="hold no BLEU or tokenized BLEU or chrF for it"):
        make(tmp_path, [])


def test_same_bytes_whatever_the_order_of_results(tmp_path, good):
    assert make(tmp_path, good) == make(tmp_path, good[::-1])


def test_significance(tmp_path):
    rows = [unsupervised_row(*row) for row in (["none", "none"], ["none", "mlm"], ["mlm", "mlm"])]
    spec = table_specs.unsupervised_mt(rows, DIRECTIONS)
    sure = write_tests(tmp_path / "sure.csv", ("none", "mlm", "en-fr", 0, 0.001), ("mlm", "mlm", "en-fr", 0, 0.049))
    unsure = write_tests(
        tmp_path / "unsure.csv",
        ("mlm", "mlm", "en-fr", 0, 0.05),
        ("mlm", "mlm", "fr-en", 0, 0.01),
        ("mlm", "mlm", "fr-en", 1, 0.314),
        ("none", "mlm", "en-fr", 0, 1.0),
    )
    differ = (
        f"All other rows differ from '{NONE}, {NONE}' by more than chance (paired bootstrap over the sentences, p < "
    )
    exceptions = (
        f"'{MLM}, {MLM}' in en-fr (seed 0, p = 0.050), fr-en (seed 1, p = 0.314); "
        f"'{NONE}, {MLM}' in en-fr (seed 0, p = 1.000)"
    )
    assert notes.on_significance([sure], spec) == [f"{differ}0.05), in every column and with every seed."]
    assert notes.on_significance([sure, unsure], spec) == [f"{differ}0.05), but for: {exceptions}."]
    assert notes.on_significance([write_tests(tmp_path / "none.csv")], spec) == []
    assert notes.on_significance([], spec) == []


def test_significance_is_told_in_every_format(tmp_path, good):
    texts = make(tmp_path, good, tests=[write_tests(tmp_path / "t.csv", ("mlm", "mlm", "fr-en", 1, 0.5))])
    for kind in ("md", "html", "tex"):
        assert "in fr-en (seed 1, p = 0.500)" in " ".join(texts[kind].split())


def test_a_label_does_not_change_the_published_number(tmp_path, supervised, monkeypatch):
    before = make_supervised(tmp_path, supervised)["tidy"]
    monkeypatch.setitem(RUNS, "mlm", "Our own")
    after = make_supervised(tmp_path, supervised)["tidy"]
    assert MLM in before and after == before.replace(MLM, "Our own")


@pytest.mark.parametrize("name, n_rows, n_columns", [("unsupervised_mt", 13, 6), ("supervised_mt", 4, 3)])
def test_published_tables_are_whole(name, n_rows, n_columns):
    table = yaml.safe_load(published.PATH.read_text(encoding="utf-8"))[name]
    assert (len(table["rows"]), len(table["columns"])) == (n_rows, n_columns)
    assert all(metric == "tokenized BLEU" for _, metric in table["columns"])
    assert all(row["source"] and len(row["values"]) == n_columns for row in table["rows"])
    assert list(published.tables()[name].rows) == [(row["key"], row["setting"]) for row in table["rows"]]
    assert len(published.tables()[name].rows) == n_rows


@pytest.mark.parametrize(
    "table, row, column, expected",
    [
        ("unsupervised_mt", ("xlm_mlm", "xlm_mlm"), "de-en", (34.3, True)),
        ("unsupervised_mt", ("lample_pbsmt_nmt", ""), "de-en", (25.2, True)),
        ("unsupervised_mt", ("lample_pbsmt_nmt", ""), "en-de", (20.2, True)),
        ("unsupervised_mt", ("lample_pbsmt_nmt", ""), "en-ro", (25.1, False)),
        ("supervised_mt", ("one_way", "ro-en"), "xlm_mlm", (35.3, True)),
        ("supervised_mt", ("one_way", "ro-en"), "clm", (31.5, False)),
        ("supervised_mt", ("sennrich_2016", "ro-en"), "clm", None),
    ],
)
def test_published_cells(table, row, column, expected):
    assert published.tables()[table].rows[row].numbers.get((column, "tokenized BLEU")) == expected
