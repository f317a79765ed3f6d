"""The picture of the objectives shows what the batch holds, with no character lost."""

import json

import pytest
from matplotlib.figure import Figure

from xlm_core.errors import CorpusError
from xlm_core.report.plots import objectives

TLM = {
    "objective": "tlm",
    "input": ["</s>", "▁die", "<special1>", "</s>", "</s>", "▁the", "▁cat", "</s>"],
    "target": [None, None, "▁Katze", None, None, None, "▁cat", None],
    "positions": [0, 1, 2, 3, 0, 1, 2, 3],
    "languages": ["de"] * 4 + ["en"] * 4,
}
HINDI = {"objective": "mlm", "input": ["$अ$"], "target": ["спит"], "positions": [0], "languages": ["hi"]}


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.fixture
def drawn(monkeypatch):
    figures: list[Figure] = []
    monkeypatch.setattr(objectives, "save", lambda figure, path: figures.append(figure))
    return figures


def placed(figure):
    """Texts of the figure by height, from above, each row from left to right."""
    rows = {}
    for text in figure.axes[0].texts:
        x, y = text.get_position()
        if text.get_text():
            rows.setdefault(round(y, 3), []).append((x, text.get_text()))
    return [[text for _, text in sorted(rows[y])] for y in sorted(rows, reverse=True)]


def test_rows_of_boxes(tmp_path, drawn):
    objectives.plot(write(tmp_path / "e.json", [TLM]), tmp_path / "o.svg")
    title, predicted, model, token, position, language = placed(drawn[0])
    assert title[0].startswith("Translation language modeling")
    assert predicted == ["predicted", "▁Katze", "▁cat"]
    assert model == ["Transformer"]
    assert token == ["token", "</s>", "▁die", "[MASK]", "</s>", "</s>", "▁the", "▁cat", "</s>"]
    assert position == ["position", *"01230123"]
    assert language == ["language", *["de"] * 4, *["en"] * 4]


def test_predictions_stand_above_their_tokens_and_boxes_hold_their_text(tmp_path, drawn):
    objectives.plot(write(tmp_path / "e.json", [TLM]), tmp_path / "o.svg")
    x = {text.get_text(): text.get_position()[0] for text in drawn[0].axes[0].texts}
    assert x["▁Katze"] == x["[MASK]"]
    (example,) = objectives.read(tmp_path / "e.json")
    for width, texts in zip(example.widths, zip(example.input, example.target, strict=True), strict=True):
        assert all(objectives.text_width(text) < width for text in texts if text)
    assert drawn[0].get_figwidth() >= example.width + objectives.LABELS


def test_causal_model_is_called_so(tmp_path, drawn):
    clm = TLM | {"objective": "clm"}
    objectives.plot(write(tmp_path / "e.json", [clm, TLM]), tmp_path / "o.svg")
    texts = [text.get_text() for text in drawn[0].axes[0].texts]
    assert texts.count("Transformer, causal") == 1
    assert texts.count("Transformer") == 1


def test_characters_without_a_shape_are_spelled(tmp_path, drawn):
    objectives.plot(write(tmp_path / "e.json", [HINDI]), tmp_path / "o.svg")
    rows = placed(drawn[0])
    assert rows[1] == ["predicted", "спит"]  # Cyrillic is in the font
    assert rows[3] == ["token", "$\\u0905$"]
    assert rows[-1] == [objectives.NOTE]


@pytest.mark.filterwarnings("error")  # matplotlib warns of a missing glyph
@pytest.mark.parametrize("example", [TLM, HINDI], ids=["latin", "devanagari"])
@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_same_bytes_and_no_missing_glyph(tmp_path, example, suffix):
    examples = write(tmp_path / "e.json", [example])
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        objectives.plot(examples, file)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "value, message",
    [
        ([], "expected a list of examples"),
        ({"objective": "mlm"}, "expected a list of examples"),
        (["mlm"], "expected a list of examples"),
        ([TLM | {"objective": "nsp"}], "found 'nsp'"),
        ([TLM | {"positions": [0]}], "example 0.*'positions': 1"),
        ([TLM, {"objective": "mlm"}], "example 1"),
    ],
)
def test_refusals(tmp_path, value, message):
    with pytest.raises(CorpusError, match=message):
        objectives.plot(write(tmp_path / "e.json", value), tmp_path / "o.svg")
