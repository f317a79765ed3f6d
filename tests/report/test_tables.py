"""The tables against numbers computed by hand, and what they refuse."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from read_back import grid, make_table
from scipy import stats

from xlm_core import published
from xlm_core.errors import CorpusError
from xlm_core.published import PublishedNumber, PublishedRow, PublishedTable
from xlm_core.results import Result
from xlm_core.workflow.tables import PUBLISHED_SETTINGS

ROWS = {"mlm": "XLM (MLM)", "mlm_tlm": "XLM (MLM+TLM)"}
LINES = [["mlm", "zero-shot"], ["mlm_tlm", "zero-shot"]]
LANGUAGES = ["en", "fr"]
# Seeds 0.0, 0.1, 0.2; by hand: mlm en 80 +- 2, fr 60 +- 3, avg 69.5, 71, 69.5 -> 70 +- 0.866...; mlm_tlm fr 70 +- 0.
VALUES = {
    ("mlm", "en"): (78.0, 80.0, 82.0),
    ("mlm", "fr"): (61.0, 62.0, 57.0),
    ("mlm_tlm", "en"): (79.96, 79.96, 79.96),
    ("mlm_tlm", "fr"): (70.0, 70.0, 70.0),
}


def result(run="mlm", column="en", value=50.0, seeds=(0, 0), **changes):
    plain = Result("xnli", run, "zero-shot", column, "accuracy", value, 500, *seeds, f"{run}", column, "c0de", "s1")
    return replace(plain, **changes)


@pytest.fixture
def good():
    return [
        result(run, column, value, (0, seed))
        for (run, column), values in VALUES.items()
        for seed, value in enumerate(values)
    ]


def make(
    tmp_path,
    measured,
    labels=ROWS,
    rows=LINES,
    columns=LANGUAGES,
    caption="Some data",
    about_columns=None,
    fewer_seeds=None,
):
    """The five texts of the XNLI table of some results."""
    described = [
        {
            "system": run,
            "setting": setting,
            "label": labels[run],
            "published": [f"xlm_{run}", PUBLISHED_SETTINGS[setting]] if setting in PUBLISHED_SETTINGS else None,
            "seeds": (fewer_seeds or {}).get(run),
        }
        for run, setting in rows
    ]
    contents = {"rows": described, "languages": columns, "train": "en"}
    table = {"name": "xnli", "contents": contents, "caption": caption, "settings": about_columns or {}}
    return make_table(tmp_path, measured, table)


def ours(markdown):
    """The rows above the published ones that are none of ours."""
    rows = grid(markdown)
    return rows[: [row[0] for row in rows].index("*published, on the paper's data*")]


def tidy_rows(text):
    return {(line["system"], line["setting"], line["column"]): line for line in csv.DictReader(text.splitlines())}


def test_tidy_numbers(tmp_path, good):
    text = make(tmp_path, good)["tidy"]
    assert text.splitlines()[0] == "table,system,setting,column,metric,mean,spread,low,high,n_seeds,n_items,published"
    rows = tidy_rows(text)
    assert list(rows) == [
        (label, "zero-shot", column) for label in ROWS.values() for column in ("en", "fr", "transfer", "avg")
    ]
    assert rows["XLM (MLM)", "zero-shot", "transfer"]["mean"] == rows["XLM (MLM)", "zero-shot", "fr"]["mean"]
    fr, avg = rows["XLM (MLM)", "zero-shot", "fr"], rows["XLM (MLM)", "zero-shot", "avg"]
    assert float(fr["mean"]) == pytest.approx(60)
    assert float(fr["spread"]) == pytest.approx(7**0.5)  # deviations 1, 2, -3: 14 over 3 - 1
    assert (fr["n_seeds"], fr["n_items"], fr["published"]) == ("3", "500", "76.5")
    assert float(avg["mean"]) == pytest.approx(70)
    assert float(avg["spread"]) == pytest.approx(0.75**0.5)  # of 69.5, 71 and 69.5
    assert (avg["n_items"], float(avg["published"])) == ("1000", pytest.approx((83.2 + 76.5) / 2))


def test_markdown_read_back(tmp_path, good):
    z = "zero-shot"
    assert grid(make(tmp_path, good)["md"]) == [
        ["system", "setting", "en", "fr", "transfer", "avg"],
        ["XLM (MLM)", z, "**80.0 ± 2.0**", "60.0 ± 2.6", "60.0 ± 2.6", "70.0 ± 0.9"],
        ["— published", "", "83.2", "76.5", "76.5", "79.8"],
        ["— difference", "", "−3.2", "−16.5", "−16.5", "−9.8"],
        # 79.96 reads 80.0, too
        ["XLM (MLM+TLM)", z, "**80.0 ± 0.0**", "**70.0 ± 0.0**", "**70.0 ± 0.0**", "**75.0 ± 0.0**"],
        ["— published", "", "85.0", "78.7", "78.7", "81.8"],
        ["— difference", "", "−5.0", "−8.7", "−8.7", "−6.8"],
        ["*published, on the paper's data*", "", "", "", "", ""],
        ["*Conneau et al. 2018b (X-LSTM)*", f"*{z}*", "73.7", "67.7", "67.7", "70.7"],
        ["*Devlin et al. 2018 (mBERT)*", f"*{z}*", "81.4", "", "", ""],
        ["*Artetxe and Schwenk 2018 (LASER)*", f"*{z}*", "73.9", "71.9", "71.9", "72.9"],
        ["*XLM-17 (MLM)*", f"*{z}*", "84.8", "", "", ""],
        ["*XLM-100 (MLM)*", f"*{z}*", "83.7", "", "", ""],
        ["*Devlin et al. 2018 (mBERT)*", "*translate-test*", "81.4", "", "", ""],
        ["*XLM (MLM+TLM)*", "*translate-test*", "85.0", "79.0", "79.0", "82.0"],
        ["*Devlin et al. 2018 (mBERT)*", "*translate-train*", "81.9", "", "", ""],
        ["*XLM (MLM+TLM)*", "*translate-train*", "85.0", "80.2", "80.2", "82.6"],
    ]


def test_published_numbers_are_subtracted_on_the_paper_s_text_alone(tmp_path, good):
    contents = {
        "rows": [{"system": "mlm", "setting": "zero-shot", "label": "M", "published": ["xlm_mlm", "zero-shot"]}]
    }
    contents |= {"languages": ["en", "fr"], "train": "en"}
    table = {"name": "xnli", "contents": contents, "caption": "Some data"}
    measured = [row for row in good if row.system == "mlm"]
    for is_paper_text in (True, False):
        texts = make_table(tmp_path, measured, table | {"is_paper_text": is_paper_text})
        assert [row[0] for row in grid(texts["md"])[1:4]] == ["M", "— published", "— difference"][
            : 2 + is_paper_text
        ] + ([] if is_paper_text else ["*published, on the paper's data*"])
        for kind in ("md", "html", "tex"):
            assert (
                "83.2" in texts[kind]
                and ("numbers are not to be compared" in " ".join(texts[kind].split())) != is_paper_text
            )
        assert ("(−3.2)" in texts["html"], r"$-$3.2" in texts["tex"]) == (is_paper_text, is_paper_text)


def test_transfer_is_the_mean_over_the_other_languages_seed_by_seed(tmp_path):
    values = {"en": (90.0, 80.0), "fr": (50.0, 54.0), "hi": (40.0, 38.0)}
    measured = [result("mlm", column, value, (s, 0)) for column, both in values.items() for s, value in enumerate(both)]
    rows = tidy_rows(make(tmp_path, measured, rows=LINES[:1], columns=["hi", "en", "fr"])["tidy"])
    assert [key[2] for key in rows] == ["hi", "en", "fr", "transfer", "avg"]
    transfer, avg = (rows["XLM (MLM)", "zero-shot", name] for name in ("transfer", "avg"))
    assert (float(transfer["mean"]), float(avg["mean"])) == pytest.approx((45.5, (60 + 172 / 3) / 2))
    assert float(transfer["spread"]) == pytest.approx(0.5**0.5)  # of 45 and 46
    assert float(transfer["published"]) == pytest.approx((76.5 + 65.7) / 2)


@pytest.mark.parametrize("columns", [["en"], ["fr"]])
def test_no_transfer_where_it_would_be_empty_or_the_average(tmp_path, good, columns):
    texts = make(tmp_path, [row for row in good if row.column in columns], columns=columns)
    assert grid(texts["md"])[0] == ["system", "setting", *columns, "avg"]
    assert "transfer" not in texts["md"]


def test_one_seed_has_no_spread(tmp_path, good):
    texts = make(tmp_path, [cell for cell in good if cell.finetuning_seed == 0])
    assert grid(texts["md"])[1][2:4] == ["78.0", "61.0"]
    assert tidy_rows(texts["tidy"])["XLM (MLM)", "zero-shot", "en"]["spread"] == ""
    assert "±" not in texts["md"]
    assert "one seed (0, of the fine-tuning 0), hence no spread" in " ".join(texts["md"].split())
    assert [row[1:] for row in grid(texts["md"], 1)[1:]] == [["+2.0", "+9.0", "+9.0", "+5.5"]]


def test_differences_by_hand(tmp_path, good):
    """mlm_tlm less mlm; only mlm spreads: en by 2, fr by the root of 7, of three seeds each."""
    half_en, half_fr = (stats.t.ppf(0.975, 2) * spread / 3**0.5 for spread in (2.0, 7**0.5))
    texts = make(tmp_path, good)
    assert grid(texts["md"], 1) == [
        ["difference", "en", "fr", "transfer", "avg"],
        ["zero-shot: XLM (MLM+TLM) − XLM (MLM)", "0.0 [−5.0, +4.9]", "+10.0 [+3.4, +16.6]", "+10.0 [+3.4, +16.6]",
         "+5.0 [+2.8, +7.1]"],
    ]  # fmt: skip
    lines = list(csv.DictReader(texts["differences"].splitlines()))
    assert list(lines[0]) == [
        "table", "system", "setting", "minus_system", "minus_setting", "column", "metric", "difference", "low", "high",
        "n_seeds", "minus_n_seeds",
    ]  # fmt: skip
    assert [(line["system"], line["minus_system"], line["column"]) for line in lines] == [
        ("XLM (MLM+TLM)", "XLM (MLM)", column) for column in ("en", "fr", "transfer", "avg")
    ]
    intervals = [[float(line[key]) for key in ("difference", "low", "high")] for line in lines[:2]]
    assert intervals[0] == pytest.approx([-0.04, -0.04 - half_en, -0.04 + half_en])
    assert intervals[1] == pytest.approx([10, 10 - half_fr, 10 + half_fr])
    for kind in ("html", "tex"):
        assert "Differences between rows" in texts[kind] and "+10.0 [+3.4, +16.6]" in texts[kind].replace("$", "")


def test_fine_tuning_seeds_are_averaged_and_equal_seeds_of_two_systems_are_no_pairs(tmp_path):
    """Four pretrainings with two fine-tunings each, and systems whose seeds go up and down together."""
    means = (40.0, 70.0, 55.0, 61.0)
    measured = [
        result(run, "en", value + more + way, (seed, number))
        for run, more in (("mlm", 0.0), ("mlm_tlm", -1.5))
        for seed, value in enumerate(means)
        for number, way in enumerate((3.0, -3.0))
    ]
    texts = make(tmp_path, measured, columns=["en"])
    assert grid(texts["md"])[1][2] == "**56.5 ± 12.6**"
    row = tidy_rows(texts["tidy"])["XLM (MLM)", "zero-shot", "en"]
    assert (row["n_seeds"], float(row["spread"])) == ("4", pytest.approx(np.std(means, ddof=1)))
    line = next(csv.DictReader(texts["differences"].splitlines()))
    half = stats.t.ppf(0.975, 6) * np.std(means, ddof=1) * (2 / 4) ** 0.5
    assert float(line["low"]) == pytest.approx(-1.5 - half) and (line["n_seeds"], line["minus_n_seeds"]) == ("4", "4")
    words = " ".join(texts["md"].split())
    assert "over n = 4 pretraining seeds (0, 1, 2, 3); of each the mean over its fine-tuning seeds (0, 1)" in words
    assert "95 % t-interval over pretraining seeds" in words


def test_settings_of_one_system_are_compared_pretraining_by_pretraining(tmp_path):
    """In the second setting each pretraining is better by 1, 2 or 3 points, however much they differ themselves."""
    measured = [
        result("mlm", "en", value + more, (seed, 0), setting=setting)
        for setting, added in (("zero-shot", (0.0, 0.0, 0.0)), ("few-shot", (1.0, 2.0, 3.0)))
        for seed, (value, more) in enumerate(zip((40.0, 70.0, 55.0), added, strict=True))
    ]
    rows = [["mlm", "zero-shot"], ["mlm", "few-shot"]]
    half = stats.t.ppf(0.975, 2) * 1.0 / 3**0.5
    line = next(csv.DictReader(make(tmp_path, measured, rows=rows, columns=["en"])["differences"].splitlines()))
    assert [float(line[key]) for key in ("difference", "low", "high")] == pytest.approx([2, 2 - half, 2 + half])


def test_a_setting_may_have_fewer_seeds_than_another(tmp_path, good):
    """Few-shot with seeds 0.1 and 0.2 only: its differences are of these, 82 - 80 and 85 - 82 in English."""
    few = [
        result("mlm", column, value, (0, seed), setting="few-shot")
        for column, values in (("en", (82.0, 85.0)), ("fr", (70.0, 70.0)))
        for seed, value in enumerate(values, 1)
    ]
    texts = make(tmp_path, good + few, rows=[*LINES, ("mlm", "few-shot")])
    row = tidy_rows(texts["tidy"])["XLM (MLM)", "few-shot", "en"]
    assert (float(row["mean"]), row["n_seeds"]) == (83.5, "2")
    lines = csv.DictReader(texts["differences"].splitlines())
    (line,) = [line for line in lines if (line["setting"], line["column"]) == ("few-shot", "en")]
    assert (float(line["difference"]), line["n_seeds"], line["minus_n_seeds"]) == (2.5, "2", "2")
    assert "over its 3 fine-tuning seeds (0, 1, 2), which tell nothing of other pretrainings" in " ".join(
        texts["md"].split()
    )


def test_a_run_may_have_fewer_pretraining_seeds_than_another(tmp_path, good):
    """MLM+TLM with pretraining seeds 0 and 1, MLM with 0 alone: refused unless it is said, and no seed more."""
    more = [replace(row, pretraining_seed=1) for row in good if row.system == "mlm_tlm"]
    with pytest.raises(CorpusError, match=r"no result for system 'mlm', .* seed '1\.0' \(6 missing of 24"):
        make(tmp_path, good + more)
    texts = make(tmp_path, good + more, fewer_seeds={"mlm": [0]})
    assert [tidy_rows(texts["tidy"])[label, "zero-shot", "en"]["n_seeds"] for label in ROWS.values()] == ["1", "2"]
    assert "over n = 2 pretraining seeds (0, 1); n = 1 (0) in 'XLM (MLM), zero-shot'" in " ".join(texts["md"].split())
    with pytest.raises(CorpusError, match=r"result for system 'mlm_tlm', .* seed '1\.0', but the table"):
        make(tmp_path, good + more, fewer_seeds={"mlm_tlm": [0]})


def test_every_run_is_compared_with_the_one_above_it_and_with_the_first(tmp_path, good):
    none = [replace(result, system="none", value=40.0) for result in good if result.system == "mlm"]
    labels = {"none": "nothing", **ROWS}
    texts = make(tmp_path, none + good, labels=labels, rows=[(run, "zero-shot") for run in labels])
    compared = [row[0] for row in grid(texts["md"], 1)[1:]]
    assert compared == [
        "zero-shot: XLM (MLM) − nothing",
        "zero-shot: XLM (MLM+TLM) − XLM (MLM)",
        "zero-shot: XLM (MLM+TLM) − nothing",
    ]


def test_a_table_of_one_row_has_no_differences(tmp_path, good):
    texts = make(tmp_path, [row for row in good if row.system == "mlm"], rows=LINES[:1])
    assert all("Differences between" not in texts[kind] for kind in ("md", "html", "tex"))
    assert len(texts["differences"].splitlines()) == 1


def test_notes_say_what_was_measured(tmp_path, good):
    texts = make(tmp_path, good)
    for kind in ("md", "html", "tex"):
        text = " ".join(texts[kind].split())
        for part in (
            "Some data",
            "3 fine-tuning seeds (0, 1, 2)",
            "n = 500 items each",
            "avg: mean over all languages; both means are computed seed by seed.",
            "Scorer: s1. Code: c0de.",
            "Table 1",
        ):
            assert part in text, (kind, part)
        assert "Difference: ours minus published." in text
        assert "Caution" not in text
        assert "†" not in text
        assert r"\dag" not in text


def test_row_without_published_numbers_is_named(tmp_path, good):
    other = [replace(cell, system="other") if cell.system == "mlm" else cell for cell in good]
    rows = [["other", "zero-shot"], ["mlm_tlm", "zero-shot"]]
    texts = make(tmp_path, other, labels={**ROWS, "other": "XLM (MLM)"}, rows=rows)
    assert [row[0] for row in grid(texts["md"])].count("— published") == 1
    assert "Without published numbers: XLM (MLM), zero-shot." in texts["md"]
    assert ["*XLM (MLM)*", "*zero-shot*", "83.2", "76.5", "76.5", "79.8"] in grid(texts["md"])


def test_a_label_does_not_change_the_published_number(tmp_path, good):
    before, after = (make(tmp_path, good, labels=labels) for labels in (ROWS, ROWS | {"mlm": "Our best model"}))
    assert "Our best model" in after["md"] and "Our best model" not in before["md"]
    numbers = [[line["published"] for line in csv.DictReader(texts["tidy"].splitlines())] for texts in (before, after)]
    assert numbers[0] == numbers[1] and all(numbers[0])


@pytest.mark.parametrize("kind, mark", [("md", "76.5†"), ("html", "76.5†"), ("tex", r"76.5\textsuperscript{\dag}")])
def test_dagger_only_where_unconfirmed(tmp_path, good, monkeypatch, kind, mark):
    columns = tuple((language, "accuracy") for language in LANGUAGES)
    rows = {
        (key, "zero-shot"): PublishedRow(key, "zero-shot", dict(zip(columns, numbers, strict=True)))
        for key, numbers in (
            ("xlm_mlm", [PublishedNumber(83.2, False), PublishedNumber(76.5, False)]),
            ("xlm_mlm_tlm", [PublishedNumber(85.0, True), PublishedNumber(78.7, True)]),
        )
    }
    known = PublishedTable("N", "p", rows)
    monkeypatch.setattr(published, "tables", lambda: {"xnli": known})
    text = make(tmp_path, good)[kind]
    assert mark in text
    assert mark.replace("76.5", "78.7") not in text
    assert text.count(mark.removeprefix("76.5")) == 5  # en, fr, transfer, avg, and the note


def test_remarks_become_footnotes(tmp_path, good):
    marked = [
        replace(row, warnings=["collapsed to 'neutral' (99.0 %)"])
        if (row.system, row.column) == ("mlm", "fr") and row.finetuning_seed > 0
        else row
        for row in good
    ]
    texts = make(tmp_path, marked)
    assert grid(texts["md"])[1] == [
        "XLM (MLM)",
        "zero-shot",
        "**80.0 ± 2.0**",
        "60.0 ± 2.6 [1]",
        "60.0 ± 2.6",
        "70.0 ± 0.9",
    ]
    assert "[1] XLM (MLM), zero-shot: collapsed to 'neutral' (99.0 %) in fr (seeds 0.1, 0.2)." in texts["md"]
    assert texts["html"].count("<sup>1</sup>") == 1
    assert r"60.0 $\pm$ 2.6\textsuperscript{1}" in texts["tex"]
    assert r"(99.0 \%) in fr" in texts["tex"]


@pytest.mark.parametrize(
    "change, caution",
    [
        ({"code_digest": "0ther"}, "different code versions in this table (0ther, c0de)"),
        ({"signature": "s2"}, "different scorers in setting 'zero-shot' (s1, s2)"),
        ({"config_digest": "0ther"}, "different settings in XLM (MLM), zero-shot (0ther, mlm)"),
        ({"data_digest": "0ther"}, "different data in XLM (MLM), zero-shot, en (0ther, en)"),
    ],
)
def test_mixed_digests_are_told(tmp_path, good, change, caution):
    texts = make(tmp_path, [replace(good[0], **change), *good[1:]])
    assert f"Caution: {caution}." in " ".join(texts["md"].split())
    assert "Caution: different" in texts["html"]
    assert "Caution: different" in texts["tex"]


def test_settings_score_and_train_in_ways_of_their_own(tmp_path, good):
    """Another scorer in another setting is no reason for a caution, nor is another model for each column."""
    selected = [replace(row, setting="zero-shot, selected per language", signature="s2") for row in good]
    single = [replace(row, setting="translate-train", config_digest=f"{row.system}.{row.column}") for row in good]
    rows = LINES + [[run, setting] for setting in (selected[0].setting, "translate-train") for run in ROWS]
    text = " ".join(make(tmp_path, good + selected + single, rows=rows)["md"].split())
    assert "Caution" not in text
    assert "Scorer: s1 (zero-shot, translate-train); s2 (zero-shot, selected per language). Code: c0de." in text
    odd = [replace(single[0], config_digest="0ther", code_digest="c1"), *single[1:]]
    text = " ".join(make(tmp_path, good + selected + odd, rows=rows)["md"].split())
    assert "Caution: different settings in XLM (MLM), translate-train, en (0ther, mlm.en)." in text
    assert "Caution: different code versions in this table (c0de, c1)." in text
    mixed = [replace(good[0], config_digest="0ther"), *good[1:]]
    assert "different settings in XLM (MLM), zero-shot (0ther, mlm)" in " ".join(make(tmp_path, mixed)["md"].split())


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda good: good[:-1],
            "no result for system 'mlm_tlm', setting 'zero-shot', column 'fr', metric 'accuracy', "
            "seed '0.2' (1 missing",
        ),
        (
            lambda good: [*good, good[3]],
            "two results for system 'mlm', setting 'zero-shot', column 'fr', metric",
        ),
        (lambda good: [*good, result(column="xx")], "result for system 'mlm', setting 'zero-shot', column 'xx'"),
        (lambda good: [*good, result(setting="few-shot")], "setting 'few-shot'"),
        (lambda good: [*good, result(run="clm")], "system 'clm'"),
        (lambda good: [replace(good[0], n=499), *good[1:]], "was measured on 499 items"),
        (lambda good: [replace(good[0], value=float("nan")), *good[1:]], "seed '0.0' is nan"),
        (lambda good: [replace(row, table="glue") for row in good], "hold no accuracy for it"),
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


def test_a_setting_is_a_row_of_the_runs_that_have_it(tmp_path, good):
    few = [replace(cell, setting="few-shot", value=cell.value + 1) for cell in good if cell.system == "mlm_tlm"]
    test = [replace(cell, setting="translate-test") for cell in good if cell.system == "mlm_tlm"]
    rows = [*LINES, ["mlm_tlm", "few-shot"], ["mlm_tlm", "translate-test"]]
    texts = make(tmp_path, good + few + test, rows=rows, about_columns={"few-shot": "a few examples"})
    shown = [row for row in ours(texts["md"])[1:] if not row[0].startswith("—")]
    assert [row[:2] for row in shown] == [[ROWS[run], setting] for run, setting in rows]
    assert shown[2][2:] == ["81.0 ± 0.0", "71.0 ± 0.0", "71.0 ± 0.0", "76.0 ± 0.0"]  # no rival, hence not bold
    assert "- few-shot: a few examples." in texts["md"]
    tidy = tidy_rows(texts["tidy"])
    assert [tidy["XLM (MLM+TLM)", setting, "fr"]["published"] for _, setting in rows[1:]] == ["78.7", "", "79.0"]
    published = [row[:2] for row in grid(texts["md"]) if row[0] == "*XLM (MLM+TLM)*"]
    assert published == [["*XLM (MLM+TLM)*", "*translate-train*"]]  # the others stand under rows of ours
    assert [row[:2] for row in grid(texts["md"], 1)[1:]] == [
        ["zero-shot: XLM (MLM+TLM) − XLM (MLM)", "0.0 [−5.0, +4.9]"],
        ["XLM (MLM+TLM): few-shot − zero-shot", "+1.0"],  # of every seed: nothing spreads
        ["XLM (MLM+TLM): translate-test − zero-shot", "0.0"],
    ]


def test_published_rows_without_any_of_the_columns_are_left_out(tmp_path):
    measured = [result("mlm", column, 50.0) for column in ("en", "ne")]
    rows = grid(make(tmp_path, measured, rows=LINES[:1], columns=["en", "ne"])["md"])
    assert ["*Artetxe and Schwenk 2018 (LASER)*", "*zero-shot*", "73.9", "", "", ""] in rows
    measured = [result("mlm", column, 50.0) for column in ("ne", "fr")]
    rows = grid(make(tmp_path, measured, rows=LINES[:1], columns=["fr", "ne"])["md"])
    assert not any("mBERT" in row[0] for row in rows)  # which has no number for fr


def test_escapes(tmp_path, good):
    texts = make(tmp_path, good, labels=ROWS | {"mlm": r"A&B_<1>|50% {x}\y^~#$"}, caption="<data> & 100 %")
    escaped = (
        r"A\&B\_\textless{}1\textgreater{}\textbar{}50\% \{x\}\textbackslash{}y\textasciicircum{}\textasciitilde{}\#\$"
    )
    assert escaped in texts["tex"]
    assert r"\caption{\textless{}data\textgreater{} \& 100 \%}" in texts["tex"]
    assert "A&amp;B_&lt;1&gt;|50% {x}" in texts["html"]
    assert "<data>" not in texts["html"]
    assert r"A&B_<1>\|50%" in texts["md"]
    assert texts["tex"].count(escaped) == 2  # its row and its difference
    assert texts["md"].count(r"A&B_<1>\|50%") == 2


def test_latex_rows_have_one_cell_per_column(tmp_path, good):
    text = make(tmp_path, good)["tex"]
    first, second = text.split(r"\caption")
    assert r"\begin{tabular}{@{}llrrrr@{}}" in first
    assert r"\begin{tabular}{@{}lrrrr@{}}" in second
    rows = [line for line in first.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert len(rows) == 7 + 9  # the header and two systems of three lines, and the published ones
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    rows = [line for line in second.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 2
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}
    assert r"\multicolumn{6}{@{}l@{}}{\footnotesize\textit{published, on the paper's data}}" in first
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_heat_grows_with_the_mean(tmp_path, good):
    colors = re.findall(r'background:(#\w{6})">(?:<b>)?(\d+\.\d) ±', make(tmp_path, good)["html"])
    by_mean = sorted(colors, key=lambda item: float(item[1]))
    assert by_mean[0][0] == "#ffffff"
    assert [color for color, _ in by_mean] == sorted((color for color, _ in colors), reverse=True)


def test_retrieval_means_of_directions(tmp_path):
    values = {"en-fr": (10.0, 30.0), "fr-en": (20.0, 40.0), "de-en": (50.0, 50.0), "en-de": (70.0, 90.0)}
    measured = [
        result("mlm", column, value + bonus, (seed, None), table="retrieval", setting=setting, warnings=warnings)
        for setting, bonus in (("raw", 0), ("centered", 5))
        for column, both in values.items()
        for seed, value in enumerate(both)
        for warnings in [["odd"] if (setting, column, seed) == ("raw", "fr-en", 1) else []]
    ]
    rows = [{"system": "mlm", "setting": setting, "label": "M"} for setting in ("raw", "centered")]
    contents = {"rows": rows, "languages": ["en", "fr", "de"], "pivot": "en"}
    texts = make_table(tmp_path, measured, {"name": "retrieval", "contents": contents, "caption": "Alignment"})
    assert grid(texts["md"]) == [
        ["system", "setting", "fr", "de", "avg"],
        ["M", "raw", "25.0 ± 14.1 [1]", "65.0 ± 7.1", "45.0 ± 10.6"],
        ["M", "centered", "30.0 ± 14.1", "70.0 ± 7.1", "50.0 ± 10.6"],
    ]
    assert "[1] M, raw: odd in fr-en (seed 1)." in texts["md"]
    rows = tidy_rows(texts["tidy"])
    assert [key[2] for key in rows if key[1] == "raw"] == ["fr", "de", "avg", "en-fr", "fr-en", "en-de", "de-en"]
    assert float(rows["M", "raw", "fr"]["mean"]) == 25
    assert float(rows["M", "centered", "fr-en"]["mean"]) == 35
    assert rows["M", "raw", "avg"]["n_items"] == "2000"
