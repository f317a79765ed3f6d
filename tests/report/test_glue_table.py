"""The table of GLUE against numbers computed by hand, and the files of the leaderboard."""

import csv
import zipfile

import pytest
import yaml
from read_back import grid, make_table

from xlm_core import published
from xlm_core.config import METRICS
from xlm_core.errors import CorpusError
from xlm_core.report import summary, table_specs
from xlm_core.results import Result
from xlm_core.text.formats.glue import write_submission

COLUMNS = {
    "CoLA": [["CoLA", "Matthews"]],
    "MRPC": [["MRPC", "F1"], ["MRPC", "accuracy"]],
    "MNLI": [["MNLI-m", "accuracy"], ["MNLI-mm", "accuracy"]],
}
ROWS = [
    {"system": "english/none", "setting": "en", "label": "no pretraining"},
    {"system": "english/mlm", "setting": "en", "label": "XLM_en", "published": ["xlm_en", "en"]},
]
VALUES = {"english/none": [10.0, 80.0, 70.0, 40.0, 44.0], "english/mlm": [50.0, 90.0, 86.0, 80.0, 82.0]}
HEADER = ["CoLA, Matthews", "MRPC, F1", "MRPC", "MNLI-m", "MNLI-mm", "GLUE score"]


def measured() -> list[Result]:
    places = [cell for several in COLUMNS.values() for cell in several]
    return [
        Result("glue", row, "en", column, metric, value, 408, 0, 0, f"{row} {column}", column, "c0de", "s")
        for row, values in VALUES.items()
        for (column, metric), value in zip(places, values, strict=True)
    ]


def make(folder, missing=()):
    contents = {"rows": ROWS, "runs": ["none", "mlm"], "tasks": COLUMNS}
    return make_table(folder, measured(), {"name": "glue", "contents": contents, "caption": "GLUE", "remarks": missing})


def test_the_score_counts_every_task_once(tmp_path):
    """(10 + (80 + 70) / 2 + (40 + 44) / 2) / 3 and (50 + 88 + 81) / 3."""
    rows = grid(make(tmp_path)["md"])
    assert rows[0] == ["system", "pretrained on", *HEADER]
    assert rows[1][-1] == "42.3" and "73.0" in rows[2][-1]


def test_published_rows_stand_beside_and_below(tmp_path):
    text = make(tmp_path)["md"]
    assert "BERT" in text and "62.9" in text  # XLM_en stands beside our row of that name
    tidy = list(csv.DictReader((tmp_path / "table.tidy").read_text().splitlines()))
    score = next(line for line in tidy if line["system"] == "XLM_en" and line["column"] == "GLUE")
    assert score["metric"] == "score" and float(score["published"]) == pytest.approx((62.9 + 88.9 + 88.8) / 3)
    assert {line["metric"] for line in tidy} == {"Matthews", "F1", "accuracy", "score"}


def test_what_is_missing_is_said(tmp_path):
    missing = "Tasks that are missing here, and in the score: QQP, WNLI."
    assert missing in make(tmp_path, [missing])["md"]
    assert "missing" not in make(tmp_path)["md"]
    assert "GLUE score: mean over CoLA, MRPC, MNLI" in make(tmp_path)["md"]


def test_every_row_is_compared_with_the_first(tmp_path):
    (line,) = [
        line
        for line in csv.DictReader(make(tmp_path)["differences"].splitlines())
        if (line["column"], line["metric"]) == ("MNLI-m", "accuracy")
    ]
    assert (line["system"], line["minus_system"], float(line["difference"])) == ("XLM_en", "no pretraining", 40.0)


@pytest.mark.parametrize("of_english", ["MLM", "XLM_en"])
def test_models_of_other_languages_are_compared_with_the_english_one(of_english: str):
    systems = {
        "english/none": ("none", "no pretraining"),
        "english/mlm": ("mlm", of_english),
        "mlm": ("mlm", "MLM"),
        "mlm_tlm": ("mlm_tlm", "MLM+TLM"),
        "wider/mlm": ("mlm", "MLM"),
    }
    rows = [
        {"system": system, "setting": "en" if "english" in system else "5 languages", "label": label}
        for system, (_, label) in systems.items()
    ]
    spec = table_specs.glue(rows, [run for run, _ in systems.values()], COLUMNS)
    assert [(row.system, minus.system) for row, minus in spec.differences] == [
        ("english/mlm", "english/none"),
        ("mlm", "english/none"),
        ("mlm_tlm", "english/none"),
        ("wider/mlm", "english/none"),
        ("mlm", "english/mlm"),
        ("wider/mlm", "english/mlm"),
    ]


def test_the_mean_of_the_published_row_of_bert_is_the_score_that_is_printed():
    columns = {
        task: [[name, metric] for name in ({"MNLI": ["MNLI-m", "MNLI-mm"]}.get(task) or [task]) for metric in metrics]
        for task, metrics in METRICS.items()
    }
    spec = table_specs.glue(ROWS, ["none", "mlm"], columns)
    columns = yaml.safe_load(published.PATH.read_text(encoding="utf-8"))["glue"]["columns"]
    assert [list(column.key) for column in spec.measured] == columns
    (score,) = [column for column in spec.columns if column.key == ("GLUE", "score")]
    assert summary.published_number(("bert", "en"), score, spec).value == pytest.approx(80.5, abs=0.05)
    # 82.8 is printed
    assert summary.published_number(("xlm_en", "en"), score, spec).value == pytest.approx(83.1, abs=0.05)


def kept(path, name, lines):
    """A table of kept predictions with a validation set before the test set."""
    rows = ["set\tsplit\tindex\tlabel\tprediction", f"{name}\tvalid\t0\tx\tx"]
    path.write_text("\n".join([*rows, *(f"{name}\ttest\t{index}\t\t{word}" for index, word in lines)]) + "\n")
    return path


def test_the_leaderboard_gets_a_file_for_each_set_with_words_and_scores_in_bounds(tmp_path):
    paths = [
        kept(tmp_path / "a", "RTE", [(0, "entailment"), (1, "not_entailment")]),
        kept(tmp_path / "b", "STS-B", [(0, "5.25"), (1, "-0.1"), (2, "3.14159")]),
        kept(tmp_path / "c", "MNLI-mm", [(0, "neutral")]),
    ]
    write_submission(paths, tmp_path / "s.zip")
    with zipfile.ZipFile(tmp_path / "s.zip") as file:
        assert file.namelist() == ["RTE.tsv", "STS-B.tsv", "MNLI-mm.tsv"]
        assert file.read("RTE.tsv").decode() == "index\tprediction\n0\tentailment\n1\tnot_entailment\n"
        assert file.read("STS-B.tsv").decode() == "index\tprediction\n0\t5.000\n1\t0.000\n2\t3.142\n"


def test_predictions_in_disorder_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="line 3: index 1, expected 0"):
        write_submission([kept(tmp_path / "a", "RTE", [(1, "entailment")])], tmp_path / "s.zip")
    path = kept(tmp_path / "a", "RTE", [(0, "entailment")])
    with pytest.raises(CorpusError, match="a second table with predictions of RTE"):
        write_submission([path, path], tmp_path / "s.zip")
