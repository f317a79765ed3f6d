"""The curves of BLEU: what is read from the logs, what is drawn of it, and what is refused."""

import pytest
import torch

from xlm_core.errors import CorpusError
from xlm_core.history import HistoryRow, ObjectiveKey
from xlm_core.metrics.loss import LossSum
from xlm_core.report.plots import curves
from xlm_core.train.log import LOG_NAME, TrainingLog
from xlm_core.train.state import Progress

NO_RECORD = "line 1: expected a JSON record of a training log"
EN_FR, FR_EN, DE_EN, EN_DE = ("en", "fr"), ("fr", "en"), ("de", "en"), ("en", "de")
BOTH = {EN_FR: [5.0, 12.5], FR_EN: [4.0, 11.0]}


TRAINING = HistoryRow(400, "train", "bt", EN_FR, "loss", 2.0)


def write_log(folder, bleu=BOTH):
    """A log as a translator writes it, evaluated every 400 updates; ``bleu`` is that of each direction."""
    with TrainingLog(folder, Progress(), 1000) as log:
        for number, values in enumerate(zip(*bleu.values(), strict=True), 1):
            loss = LossSum(torch.tensor(6.0), 3, torch.tensor(1)).metrics
            measured = {
                ObjectiveKey("mt", direction): {**loss, "bleu": value}
                for direction, value in zip(bleu, values, strict=True)
            }
            log.log_evaluation(Progress(update=400 * number), measured, 90.0)
    return folder / LOG_NAME


@pytest.fixture
def drawn(monkeypatch):
    """The figures that ``draw`` makes, kept as they are saved."""
    figures = []
    monkeypatch.setattr(curves, "save", lambda figure, path: figures.append(figure))
    return figures


def panels(figure):
    """Title -> panel, of those that are seen."""
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}


def test_read(tmp_path):
    log = write_log(tmp_path)
    log.write_text(TRAINING.to_json() + log.read_text())
    frame = curves.read({"M": [log]})
    bleu = frame[frame["metric"] == "bleu"]
    assert list(bleu.itertuples(index=False, name=None)) == [
        ("M", 0, 400, "valid", "mt", EN_FR, "bleu", 5.0),
        ("M", 0, 400, "valid", "mt", FR_EN, "bleu", 4.0),
        ("M", 0, 800, "valid", "mt", EN_FR, "bleu", 12.5),
        ("M", 0, 800, "valid", "mt", FR_EN, "bleu", 11.0),
    ]
    assert set(frame["objective"].dropna()) == {"bt", "mt"}


def test_a_panel_per_direction_and_a_line_per_seed(tmp_path, drawn):
    both = [write_log(tmp_path / "0"), write_log(tmp_path / "1", {EN_FR: [6.0, 13.0], FR_EN: [3.0, 10.0]})]
    one_way = [write_log(tmp_path / "2", {FR_EN: [1.0, 2.0, 3.0]})]
    curves.plot_bleu({"two": both, "one": one_way}, tmp_path / "c.svg")
    lines = {
        title: [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
        for title, axes in panels(drawn[0]).items()
    }
    assert lines == {
        "en → fr": [([400, 800], [5.0, 12.5]), ([400, 800], [6.0, 13.0])],
        "fr → en": [([400, 800, 1200], [1.0, 2.0, 3.0]), ([400, 800], [4.0, 11.0]), ([400, 800], [3.0, 10.0])],
    }
    first, *others = [line.get_color() for line in panels(drawn[0])["fr → en"].lines]
    handles = {line.get_label(): line.get_color() for line in drawn[0].legends[0].get_lines()}
    assert (handles["one"], {handles["two"]}) == (first, set(others))
    assert first not in others


def test_every_panel_has_numbers_on_its_axes(tmp_path, drawn):
    """Of four directions the last stands alone in the second row: no panel is below the second and the third."""
    log = write_log(tmp_path, {direction: [1.0, 2.0] for direction in (EN_FR, FR_EN, DE_EN, EN_DE)})
    curves.plot_bleu({"one": [log]}, tmp_path / "c.svg")
    assert list(panels(drawn[0])) == ["en → fr", "fr → en", "de → en", "en → de"]
    drawn[0].draw_without_rendering()
    for axes in panels(drawn[0]).values():
        assert any(label.get_text() and label.get_visible() for label in axes.get_xticklabels())


def test_a_single_evaluation_is_seen(tmp_path, drawn):
    curves.plot_bleu({"one": [write_log(tmp_path, {EN_FR: [7.0]})]}, tmp_path / "c.svg")
    (line,) = panels(drawn[0])["en → fr"].lines
    assert line.get_marker() == "o"


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_same_bytes(tmp_path, suffix):
    log = write_log(tmp_path / "log")
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        curves.plot_bleu({"one": [log]}, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes()) > 5000


BLEU = '"objective": "mt", "languages": ["en", "fr"], "metric": "bleu"'


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the log is empty"),
        (TRAINING.to_json(), "no evaluation with BLEU"),
        (TRAINING._replace(split="valid", objective="mt", metric="perplexity").to_json(), "no evaluation with BLEU"),
        ('{"split": "valid", "upd\n', NO_RECORD),
        (f'{{"update": 1, "split": "valid", {BLEU}}}\n', NO_RECORD + ".*'value'"),
        (f'{{"split": "valid", {BLEU}, "value": 1.0}}\n', NO_RECORD + ".*'update'"),
        (f'{{"update": 1, "split": "valid", {BLEU}, "value": [3]}}\n', NO_RECORD),
        ("[]\n", NO_RECORD),
    ],
)
def test_refusals(tmp_path, text, message):
    (tmp_path / "broken").write_text(text)
    with pytest.raises(CorpusError, match=f"broken[:,] {message}"):
        curves.plot_bleu({"one": [write_log(tmp_path), tmp_path / "broken"]}, tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()
