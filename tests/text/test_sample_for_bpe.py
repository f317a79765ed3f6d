"""The sample: smoothed shares, exact sizes, held-out lines left out."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.errors import CorpusError
from xlm_core.text import bpe
from xlm_core.text.bpe import TokenFile, sample_for_bpe
from xlm_core.tsv import split_of


def run(folder: Path, files: dict, n_lines: int = 1000, alpha: float = 0.5, name: str = "sample.txt") -> list[str]:
    sample_for_bpe(
        files,
        folder / name,
        n_lines=n_lines,
        alpha=alpha,
        valid_fraction=0.1,
        test_fraction=0.1,
        statistics=folder / "statistics.json",
    )
    return (folder / name).read_text().splitlines()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[TokenFile]]:
    """English is a hundred times as much as Swahili, and half of it stands in a file of pairs."""
    (tmp_path / "en.tsv").write_text("".join(f"en {number}\n" for number in range(5000)))
    (tmp_path / "en-fr.tsv").write_text("".join(f"en {number}\tfr {number}\n" for number in range(5000, 10_000)))
    (tmp_path / "sw.tsv").write_text("".join(f"sw {number}\n" for number in range(100)))
    english = [TokenFile(tmp_path / "en.tsv", ("en",)), TokenFile(tmp_path / "en-fr.tsv", ("en", "fr"))]
    return {"en": english, "sw": [TokenFile(tmp_path / "sw.tsv", ("sw",))]}


def test_shares_are_smoothed(tmp_path: Path, files: dict):
    """100 : 1 in lines is 10 : 1 in the sample with exponent 0.5."""
    lines = run(tmp_path, files, n_lines=1100)
    counts = Counter(line.split()[0] for line in lines)
    assert len(lines) == 1100 and abs(counts["sw"] - 100) < 40
    statistics = json.loads((tmp_path / "statistics.json").read_text())
    assert statistics["sw"]["drawn"] == counts["sw"] and statistics["en"]["drawn"] == counts["en"]
    assert statistics["sw"]["lines"] == sum(split_of(f"sw {n}", 0.1, 0.1) == "train" for n in range(100))


def test_held_out_lines_are_not_drawn_and_both_files_are(tmp_path: Path, files: dict):
    lines = run(tmp_path, files, n_lines=3000)
    assert all(split_of(line, 0.1, 0.1) == "train" for line in lines)
    numbers = [int(line.split()[1]) for line in lines if line.startswith("en")]
    assert min(numbers) < 5000 <= max(numbers)


def test_the_other_side_of_a_pair_is_a_language_too(tmp_path: Path, files: dict):
    lines = run(tmp_path, {"fr": files["en"][1:]}, n_lines=50)
    assert len(lines) == 50 and all(line.startswith("fr") for line in lines)


def test_the_same_seed_draws_the_same_lines(tmp_path: Path, files: dict):
    assert run(tmp_path, files, name="a") == run(tmp_path, files, name="b")


@given(st.integers(1, 60), st.integers(0, 200), st.integers(0, 5))
def test_a_draw_has_the_size_that_was_asked_for(n_available: int, n_wanted: int, seed: int):
    drawn = list(bpe.draw_lines(iter(map(str, range(n_available))), n_available, n_wanted, np.random.default_rng(seed)))
    assert len(drawn) == n_wanted
    times = Counter(drawn)
    whole = n_wanted // n_available
    assert all(whole <= times[str(line)] <= whole + 1 for line in range(n_available))


def test_every_line_is_drawn_equally_often():
    times = Counter()
    for seed in range(2000):
        times.update(bpe.draw_lines(iter("abcdef"), 6, 2, np.random.default_rng(seed)))
    assert all(abs(times[line] - 2000 / 3) < 90 for line in "abcdef")  # over four deviations


def test_a_language_without_text_is_named(tmp_path: Path, files: dict):
    (tmp_path / "sw.tsv").write_text("")
    with pytest.raises(CorpusError, match="language 'sw': no training line in 1 files"):
        run(tmp_path, files)
    assert not (tmp_path / "sample.txt").exists()


def test_the_same_whatever_the_order_of_the_languages(tmp_path: Path, files: dict):
    assert run(tmp_path, files, name="a") == run(tmp_path, dict(reversed(files.items())), name="b")


def test_languages_draw_from_streams_of_their_own(tmp_path: Path):
    """Of both sides of the same pairs half is drawn; the same half only by chance."""
    (tmp_path / "en-fr.tsv").write_text("".join(f"{number} en\t{number} fr\n" for number in range(2000)))
    pairs = [TokenFile(tmp_path / "en-fr.tsv", ("en", "fr"))]
    lines = [line.split() for line in run(tmp_path, {"en": pairs, "fr": pairs}, n_lines=1600)]
    english, french = ({int(number) for number, of in lines if of == language} for language in ("en", "fr"))
    assert len(english & french) < 0.75 * min(len(english), len(french))
