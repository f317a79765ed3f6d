"""The training curves: what is read from the logs, what is drawn of it, and what is refused."""

import json
import math

import pytest
from matplotlib.figure import Figure

from xlm_core.errors import CorpusError
from xlm_core.report.plots import curves

SCORES = {"mlm.en": (4.0, 30.0), "mlm.fr": (9.0, 20.0), "tlm.en-fr": (2.0, 80.0)}


def write_log(path, factor=1.0, updates=(10, 20)):
    lines = []
    for update in updates:
        lines.append(
            {"kind": "train", "update": update, "n_tokens": 5, "loss": {"mlm": 3.0 * factor, "tlm": 2.0 * factor}}
        )
        scores = {
            name: {"nats": math.log(ppl * factor), "perplexity": ppl * factor, "accuracy": accuracy, "count": 9}
            for name, (ppl, accuracy) in SCORES.items()
        }
        lines.append({"kind": "valid", "update": update, "mean_loss": 1.0, "scores": scores})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def drawn(monkeypatch):
    """The figures that ``draw`` makes, kept as they are saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(curves, "save", lambda figure, path: figures.append(figure))
    return figures


def test_read(tmp_path):
    frame = curves.read(write_log(tmp_path / "log", updates=(10,)), "M", 3)
    found = {(row.objective, row.key, row.quantity): row.value for row in frame.itertuples()}
    expected = {("mlm", "", "loss"): 3.0, ("tlm", "", "loss"): 2.0}
    for name, (perplexity, accuracy) in SCORES.items():
        objective, key = name.split(".")
        expected |= {(objective, key, "perplexity"): perplexity, (objective, key, "accuracy"): accuracy}
    assert found == expected
    assert set(frame["update"]) == {10}
    assert set(frame["label"]) == {"M"}
    assert set(frame["seed"]) == {3}


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


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the log is empty"),
        ('{"kind": "train", "upd\n', "line 1: expected a JSON record"),
        ('{"kind": "train", "update": 1}\n', "line 1: expected a JSON record of a training log.*'loss'"),
        ('{"kind": "valid", "update": 1, "scores": {"mlm.en": 3}}\n', "line 1"),
        ("[]\n", "line 1"),
    ],
)
def test_refusals(tmp_path, text, message):
    (tmp_path / "log").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        curves.plot_training({"one": [tmp_path / "log"]}, tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()
