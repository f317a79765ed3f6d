"""The figures of results: which numbers stand where, and what is refused."""

import json
import re

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xlm_core import results
from xlm_core.errors import CorpusError
from xlm_core.report.plots import curves, heatmap
from xlm_core.report.plots.heatmap import ink_on
from xlm_core.results import Result

LABELS = {"none": "no such <row> & $x$", "mlm": "XLM (MLM)"}
DEPTHS = dict.fromkeys(LABELS, 2)
ROWS = [["none", "zero-shot"], ["mlm", "zero-shot"], ["mlm", "few-shot"]]
CLASSES = ("contradiction", "neutral", "entailment")
FIVE = ["en", "fr", "es", "de", "hi"]
FIFTEEN = ["en", "fr", "es", "de", "el", "bg", "ru", "tr", "ar", "vi", "th", "zh", "hi", "sw", "ur"]


def result(run, setting, column, value, seeds=(0, 0), table="xnli"):
    return Result(table, run, setting, column, "accuracy", value, 10, *seeds, "c", "d", "x", "s")


def xnli(columns=FIVE):
    """Accuracies 40, 41, ... along the columns, 10 more in each further row, +- 1 over two seeds."""
    return [
        result(run, setting, column, 40.0 + 10 * i + j + 2 * seed - 1, (0, seed))
        for i, (run, setting) in enumerate(ROWS)
        for j, column in enumerate(columns)
        for seed in range(2)
    ]


def by_layer():
    """Accuracies of 10 times the layer, and one more for each run; raw half of it; +- 1 over two seeds."""
    return [
        result(run, setting, str(k), factor * (10.0 * k + i) + 2 * seed - 1, (seed, None), "retrieval_by_layer")
        for i, run in enumerate(LABELS)
        for setting, factor in (("centered", 1.0), ("raw", 0.5))
        for k in range(3)
        for seed in range(2)
    ]


def table(rows, columns):
    """The description of the XNLI table."""
    described = [
        {
            "system": run,
            "setting": setting,
            "label": LABELS[run],
            "published": ["xlm_mlm", setting] if run == "mlm" else None,
        }
        for run, setting in rows
    ]
    return {"name": "xnli", "is_paper_text": True, "contents": {"rows": described, "languages": columns, "train": "en"}}


def layer_rows(labels):
    return [
        {"system": run, "setting": setting, "label": label}
        for run, label in labels.items()
        for setting in ("raw", "centered")
    ]


def write(path, measured):
    results.write(measured, path)
    return [path]


def write_confusion(path, columns=("en", "fr"), counts=((2, 1, 1), (0, 4, 0), (1, 0, 3))):
    path.write_text(json.dumps(dict.fromkeys(columns, counts)), encoding="utf-8")
    return path


def numbers(axes: Axes) -> list[str]:
    """What is printed in the cells, row by row, in the order in which it was drawn."""
    return [text.get_text() for text in axes.texts if re.fullmatch(r"[+−]?[\d.]+", text.get_text())]


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn, kept as they are saved."""
    figures: list[Figure] = []
    for module in (heatmap, curves):
        monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))
    return figures


def test_heat_map_by_hand(tmp_path, drawn):
    heatmap.plot_xnli(table(ROWS, FIVE), write(tmp_path / "r", xnli()), tmp_path / "h.svg")
    accuracy, published = drawn[0].axes
    assert numbers(accuracy)[:7] == ["40.0", "41.0", "42.0", "43.0", "44.0", "42.5", "42.0"]  # transfer, avg
    assert len(numbers(accuracy)) == 3 * 7
    # XLM (MLM) alone has published numbers: 83.2, 76.5, 76.3, 74.2, 65.7.
    assert numbers(published) == ["−33.2", "−25.5", "−24.3", "−21.2", "−11.7", "−20.7", "−23.2"]
    assert [label.get_text() for label in accuracy.get_xticklabels()] == [*FIVE, "transfer", "avg"]
    rows = [label.get_text() for label in accuracy.get_yticklabels()]
    assert rows == ["no such <row> & $x$\nzero-shot", "XLM (MLM)\nzero-shot", "XLM (MLM)\nfew-shot"]
    drawn[0].draw_without_rendering()
    assert accuracy.get_position().y0 == published.get_position().y0, "side by side"


def test_heat_map_of_many_languages_has_its_panels_one_above_the_other(tmp_path, drawn):
    heatmap.plot_xnli(table(ROWS, FIFTEEN), write(tmp_path / "r", xnli(FIFTEEN)), tmp_path / "h.svg")
    drawn[0].draw_without_rendering()
    accuracy, published = drawn[0].axes
    assert accuracy.get_position().y0 > published.get_position().y1
    assert accuracy.get_position().x0 == published.get_position().x0


def test_heat_map_without_published_numbers_has_one_panel(tmp_path, drawn):
    measured = [row for row in xnli() if row.system == "none"]
    heatmap.plot_xnli(table(ROWS[:1], FIVE), write(tmp_path / "r", measured), tmp_path / "h.svg")
    assert len(drawn[0].axes) == 1


def test_heat_map_of_other_text_than_the_paper_s_has_one_panel(tmp_path, drawn):
    heatmap.plot_xnli(table(ROWS, FIVE) | {"is_paper_text": False}, write(tmp_path / "r", xnli()), tmp_path / "h.svg")
    assert len(drawn[0].axes) == 1


def test_confusions_are_shares_of_the_sums_over_seeds(tmp_path, drawn):
    first = write_confusion(tmp_path / "0")
    second = write_confusion(tmp_path / "1", counts=((0, 4, 0), (0, 4, 0), (0, 4, 0)))
    other = write_confusion(tmp_path / "2", counts=((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    heatmap.plot_confusions({"A": [first, second], "B": [other]}, CLASSES, ["en", "fr"], tmp_path / "c.svg")
    assert len(drawn[0].axes) == 4
    assert numbers(drawn[0].axes[0]) == ["25", "62", "12", "0", "100", "0", "12", "50", "38"]
    assert numbers(drawn[0].axes[3]) == ["100", "0", "0", "0", "100", "0", "0", "0", "100"]
    assert [axes.get_title() for axes in drawn[0].axes] == ["en", "fr", "", ""]
    assert {text.get_text() for text in drawn[0].texts} == {"gold class", "predicted class (% of the gold class)"}
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["A", "", "B", ""]
    for number, axes in enumerate(drawn[0].axes):
        shown = [label.get_text() for label in axes.get_yticklabels() if label.get_visible()]
        assert shown == (list(CLASSES) if number in (0, 2) else [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "as JSON"),
        ('{"en": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}', "confusions of en, fr as JSON"),
        ('{"en": 1, "fr": 1}', "'en': expected 3 x 3 counts"),
        ('{"en": [[1, 0], [0, 1]], "fr": []}', "'en': expected 3 x 3 counts"),
        ('{"en": [[1, 0, 0], [0, 0, 0], [0, 0, 1]], "fr": [[1, 0, 0]]}', "no empty row"),
        ("[]", "as JSON"),
    ],
)
def test_confusions_that_are_none_are_refused(tmp_path, text, message):
    (tmp_path / "bad").write_text(text)
    with pytest.raises(CorpusError, match=message):
        heatmap.plot_confusions({"A": [tmp_path / "bad"]}, CLASSES, ["en", "fr"], tmp_path / "c.svg")


def test_retrieval_by_layer_has_a_line_per_run_and_a_thin_one_per_seed(tmp_path, drawn):
    curves.plot_layers(layer_rows(LABELS), DEPTHS, write(tmp_path / "r", by_layer()), tmp_path / "l.svg")
    centered, raw = drawn[0].axes
    assert [axes.get_title(loc="left") for axes in (centered, raw)] == ["centered", "raw"]
    thick = [line for line in centered.lines if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in thick] == [[0, 10, 20], [1, 11, 21]]
    assert len(centered.lines) == 2 * 3
    assert [list(line.get_ydata()) for line in raw.lines][:3] == [[-1, 4, 9], [1, 6, 11], [0, 5, 10]]


def test_retrieval_of_one_seed_has_no_thin_lines(tmp_path, drawn):
    measured = [row for row in by_layer() if row.pretraining_seed == 0]
    curves.plot_layers(layer_rows(LABELS), DEPTHS, write(tmp_path / "r", measured), tmp_path / "l.svg")
    assert len(drawn[0].axes[0].lines) == 2
    assert "one pretraining seed" not in [text.get_text() for text in drawn[0].legends[0].get_texts()]


def test_a_missing_layer_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no result for system 'mlm', setting 'centered', column '3'"):
        curves.plot_layers(
            layer_rows({"mlm": "M", "none": "N"}),
            dict.fromkeys(LABELS, 3),
            write(tmp_path / "r", by_layer()),
            tmp_path / "l.svg",
        )


def test_a_missing_cell_is_refused(tmp_path):
    with pytest.raises(
        CorpusError,
        match=r"no result for system 'mlm', setting 'few-shot', column 'hi', metric 'accuracy', seed '0\.1'",
    ):
        heatmap.plot_xnli(table(ROWS, FIVE), write(tmp_path / "r", xnli()[:-1]), tmp_path / "h.svg")


def test_same_bytes_whatever_the_order_of_results(tmp_path):
    files = [write_confusion(tmp_path / "0"), write_confusion(tmp_path / "1", counts=((1, 2, 3), (3, 2, 1), (4, 4, 4)))]
    for step, name in ((1, "a"), (-1, "b")):
        results_path = write(tmp_path / "x", xnli()[::step])
        heatmap.plot_xnli(table(ROWS, FIVE), results_path, tmp_path / f"heat.{name}.svg")
        curves.plot_layers(
            layer_rows(LABELS),
            dict.fromkeys(LABELS, 2),
            write(tmp_path / "l", by_layer()[::step]),
            tmp_path / f"layers.{name}.svg",
        )
        heatmap.plot_confusions({"A": files[::step]}, CLASSES, ["en", "fr"], tmp_path / f"confusions.{name}.svg")
    for figure in ("heat", "layers", "confusions"):
        text = (tmp_path / f"{figure}.a.svg").read_text()
        assert text == (tmp_path / f"{figure}.b.svg").read_text()
        assert "<image" not in text, "a picture of pixels inside a drawing"


def test_text_can_be_read_on_every_background():
    assert (ink_on((1, 1, 1)), ink_on((0, 0, 0)), ink_on((0, 0, 0.5))) == ("black", "white", "white")
    for name in ("Blues", "RdBu"):
        inks = [ink_on(colormaps[name](x)) for x in np.linspace(0, 1, 50)]
        assert set(inks) == {"black", "white"}
