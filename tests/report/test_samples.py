"""The page of samples, read back, and what it refuses."""

from html.parser import HTMLParser

import pytest

from xlm_core.errors import CorpusError
from xlm_core.report import rendering


class SentenceEncoder(HTMLParser):
    """Collects the text of headings and cells."""

    def __init__(self):
        super().__init__()
        self.cells, self.tag = [], ""

    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "th", "td"):
            self.cells.append("")
        self.tag = tag

    def handle_endtag(self, tag):
        self.tag = ""

    def handle_data(self, data):
        if self.tag in ("h2", "th", "td"):
            self.cells[-1] += data


def cells(page):
    reader = SentenceEncoder()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.cells


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def texts(folder, n=2, **hypotheses):
    """A direction of ``n`` sentences; hypotheses by label."""
    return {
        "source": write(folder / "sources", [f"{folder.name} {i}" for i in range(n)]),
        "reference": write(folder / "references", [f"said {i}" for i in range(n)]),
        **{label: write(folder / label, lines) for label, lines in hypotheses.items()},
    }


def test_read_back(tmp_path):
    directions = {
        "en-fr": texts(tmp_path / "a", bad=["", "x"], good=["y", "z"]),
        "fr-en": texts(tmp_path / "b", 1, good=["w"]),
    }
    rendering.write_samples(directions, tmp_path / "page.html")
    assert cells(tmp_path / "page.html") == [
        *("en-fr", "source", "a 0", "reference", "said 0", "bad", "", "good", "y"),
        *("source", "a 1", "reference", "said 1", "bad", "x", "good", "z"),
        *("fr-en", "source", "b 0", "reference", "said 0", "good", "w"),
    ]


def test_text_is_shown_as_it_stands(tmp_path):
    odd = "<script>alert('&amp;')</script> {body} \" \u2028 ß"
    label = "A & <b>B</b>"
    paths = {"source": write(tmp_path / "s", [odd]), "reference": write(tmp_path / "r", [odd]), label: tmp_path / "r"}
    directions = {"<i>": paths}
    rendering.write_samples(directions, tmp_path / "page.html")
    assert cells(tmp_path / "page.html") == ["<i>", "source", odd, "reference", odd, label, odd]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not any(tag in page for tag in ("<script", "<b>", "<i>"))


def test_only_the_first_sentences(tmp_path):
    n = rendering.N_SAMPLES + 5
    rendering.write_samples({"en-fr": texts(tmp_path / "a", n, one=map(str, range(n)))}, tmp_path / "page.html")
    assert cells(tmp_path / "page.html")[2::6] == [f"a {i}" for i in range(rendering.N_SAMPLES)]


@pytest.mark.parametrize("n, m", [(1, 2), (3, 2), (rendering.N_SAMPLES, rendering.N_SAMPLES + 1)])
def test_unequal_numbers_of_lines(tmp_path, n, m):
    short = texts(tmp_path / "a", m, one=["x"] * n)
    message = f"{m} in .*sources, {m} in .*references, {n} in .*one; score the translations again"
    with pytest.raises(CorpusError, match=message):
        rendering.write_samples({"fr-en": texts(tmp_path / "b"), "en-fr": short}, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
