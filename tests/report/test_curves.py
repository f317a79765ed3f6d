"""The training curves: what is read from the logs, what is drawn of it, and what is refused."""

import math

import pytest
from matplotlib.figure import Figure

from xlm_core.errors import CorpusError
from xlm_core.history import HistoryRow
from xlm_core.report.plots import curves

SCORES = {("mlm", ("en",)): (4.0, 30.0), ("mlm", ("fr",)): (9.0, 20.0), ("tlm", ("en", "fr")): (2.0, 80.0)}


def write_log(path, factor=1.0, updates=(10, 20)):
    path.write_text("".join(row.to_json() for update in updates for row in rows(update, factor)), encoding="utf-8")
    return path


def rows(update, factor):
    """What is logged of an update and its evaluation."""
    yield HistoryRow(update, "train", None, (), "n_tokens", 5.0)
    yield HistoryRow(update, "train", "mlm", (), "loss", 3.0 * factor)
    yield HistoryRow(update, "train", "tlm", (), "loss", 2.0 * factor)
    yield HistoryRow(update, "valid", None, (), "criterion", 1.0)
    for (objective, languages), (perplexity, accuracy) in SCORES.items():
        for metric, value in (
            ("loss", math.log(perplexity * factor)), ("perplexity", perplexity * factor), ("accuracy", accuracy)
        ):  # fmt: skip
            yield HistoryRow(update, "valid", objective, languages, metric, value)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that ``draw`` makes, kept as they are saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(curves, "save", lambda figure, path: figures.append(figure))
    return figures


def test_read(tmp_path):
    logs = [write_log(tmp_path / "0", 2.0, updates=(10,)), write_log(tmp_path / "1", updates=(10,))]
    frame = curves.read({"M": logs})
    of_seed = frame[frame["seed"] == 1].dropna()
    expected = [("M", 1, *row) for row in rows(10, 1.0) if row.objective is not None]
    assert list(of_seed.itertuples(index=False, name=None)) == expected
    assert set(frame["label"]) == {"M"} and set(frame["seed"]) == {0, 1}


def test_lines_of_the_panels(tmp_path, drawn):
    logs = [write_log(tmp_path / "a"), write_log(tmp_path / "b", 4.0)]
    curves.plot_training({"one": logs[:1], "two": logs[1:]}, tmp_path / "c.svg")
    panels = {(axes.get_subplotspec().rowspan.start, axes.get_ylabel()): axes for axes in drawn[0].axes}
    assert len(panels) == 6
    assert [drawn[0].axes[i].get_title(loc="left") for i in (0, 3)] == ["MLM", "TLM"]
    perplexity = panels[0, "validation perplexity"]
    assert perplexity.get_yscale() == "log"
    values = [list(line.get_ydata()) for line in perplexity.lines]
    # Of each run en, fr, and their geometric mean: sqrt(4 * 9) = 6.
    assert values == [pytest.approx([v, v]) for v in (4, 9, 6, 16, 36, 24)]
    assert [list(line.get_ydata()) for line in panels[0, "validation accuracy (%)"].lines][2] == pytest.approx([25, 25])
    assert len(panels[1, "validation perplexity"].lines) == 2  # a single pair is its own mean
    assert {line.get_color() for line in perplexity.lines[:3]} != {line.get_color() for line in perplexity.lines[3:]}


def test_a_line_per_seed_and_legend_outside(tmp_path, drawn):
    curves.plot_training({"one": [write_log(tmp_path / "a"), write_log(tmp_path / "b")]}, tmp_path / "c.svg")
    assert len(drawn[0].axes[0].lines) == 2
    assert drawn[0].legends[0].get_texts()[0].get_text() == "one"
    assert all(axes.get_legend() is None for axes in drawn[0].axes)


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_same_bytes(tmp_path, suffix):
    log = write_log(tmp_path / "a")
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        curves.plot_training({"one": [log]}, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes()) > 5000


KEY = '"split": "train", "objective": "mlm", "languages": []'


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the log is empty"),
        ('{"update": 1, "spl\n', "line 1: expected a JSON record"),
        (f'{{"update": 1, {KEY}, "metric": "loss"}}\n', "line 1: expected a JSON record of a training log.*'value'"),
        (f'{{"update": 1, {KEY}, "metric": "loss", "value": "x"}}\n', "line 1"),
        (f'{{"update": 1, {KEY}, "metric": "loss", "value": 1, "other": 2}}\n', "line 1.*'other'"),
        ("[]\n", "line 1"),
    ],
)
def test_refusals(tmp_path, text, message):
    (tmp_path / "log").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        curves.plot_training({"one": [tmp_path / "log"]}, tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()
