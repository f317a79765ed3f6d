"""The map of words, as drawn: every word has its label, and no label covers another or a point."""

from itertools import combinations

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection

from xlm_core.errors import CorpusError
from xlm_core.io import write_json
from xlm_core.report.plots import alignment

WORDS = [[f"{language}word{number}" for language in ("en", "fr", "es")] for number in range(14)]


def write(path, words=WORDS, n_maps=2):
    places = np.random.default_rng(0).normal(size=(n_maps, len(words), 3, 2))
    maps = {f"run{i}": {"positions": positions.tolist(), "mean_rank": 1.5 + i} for i, positions in enumerate(places)}
    write_json(path, {"languages": ["en", "fr", "es"], "words": words, "maps": maps})
    return path


@pytest.fixture(scope="module")
def figure(tmp_path_factory) -> matplotlib.figure.Figure:
    """The figure of two crowded maps."""
    folder, figures = tmp_path_factory.mktemp("figure"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "save", lambda figure, path: figures.append(figure))
        alignment.plot(write(folder / "m"), ["MLM", "TLM"], [folder / "m.svg"])
    return figures[0]


def labels(axes: matplotlib.figure.Axes) -> list:
    known = {word for meaning in WORDS for word in meaning}
    return [text for text in axes.texts if text.get_text() in known]


def test_no_label_covers_another_or_a_point_or_leaves_its_map(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    for axes in figure.axes:
        texts = labels(axes)
        assert sorted(text.get_text() for text in texts) == sorted(word for meaning in WORDS for word in meaning)
        boxes = [text.get_window_extent(renderer) for text in texts]
        assert not any(box.overlaps(other) for box, other in combinations(boxes, 2))
        languages = [drawn for drawn in axes.collections if isinstance(drawn, PathCollection)]
        points = np.concatenate([axes.transData.transform(language.get_offsets()) for language in languages])
        assert len(points) == len(texts) and not any(box.count_contains(points) for box in boxes)
        assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in boxes)


def test_titles_numbers_and_what_they_are(figure):
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["MLM", "TLM"]
    assert "mean rank of the translation: 2.50 of 14" in [text.get_text() for text in figure.axes[1].texts]
    assert "1: the nearest, 7.5: no better than chance" in figure.texts[0].get_text()
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == ["English", "French", "Spanish"]


def test_the_same_bytes_again_and_all_formats(tmp_path):
    for name in ("a", "b"):
        words = write(tmp_path / "m", WORDS[:4])
        alignment.plot(words, ["A", "B"], [tmp_path / f"{name}.svg", tmp_path / f"{name}.png"])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_another_file_is_refused(tmp_path):
    (tmp_path / "bad").write_text("{}")
    with pytest.raises(CorpusError, match="holds no map of words"):
        alignment.plot(tmp_path / "bad", ["A"], [tmp_path / "a.svg"])
    with pytest.raises(CorpusError, match="found 2 maps, expected 1"):
        alignment.plot(write(tmp_path / "m"), ["A"], [tmp_path / "a.svg"])
