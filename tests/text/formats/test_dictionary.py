"""Pairs of words: the formats of MUSE and of SemEval, and what is said of lines that are none."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from xlm_core.config import Text
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.text.formats import dictionary

RATINGS = "cyclone\ttifón\t3.71\nInternational Mathematical Olympiad\tteoría\t0.83\n"


def extracted(folder: Path, kind: str, source: Path, direction: str = "en-es") -> list[list[str]]:
    dictionary.extract(kind, source, direction, Text(), folder / "out.tsv", folder / "out.json")
    return [line.split("\t") for line in (folder / "out.tsv").read_text().splitlines()]


def test_a_dictionary_is_tokenized_as_text_is_and_has_each_pair_once(tmp_path):
    (tmp_path / "d.txt").write_text("Chat gato\nthe\tel\nchat  charlar\n\nCHAT gato\nté té\nl'amour amor\n")
    pairs = extracted(tmp_path, "dictionary", tmp_path / "d.txt", "fr-es")
    assert pairs == [["chat", "gato"], ["the", "el"], ["chat", "charlar"], ["te", "te"], ["l' amour", "amor"]]
    assert json.loads((tmp_path / "out.json").read_text()) == {"read": 6, "kept": 5, "dropped": {"repeated": 1}}


def test_ratings_are_words_or_phrases_and_a_number(tmp_path):
    (tmp_path / "r.txt").write_text(RATINGS)
    expected = [["cyclone", "tifon", "3.71"], ["international mathematical olympiad", "teoria", "0.83"]]
    assert extracted(tmp_path, "similarity", tmp_path / "r.txt") == expected


def test_ratings_lie_in_an_archive_under_their_direction(tmp_path):
    with tarfile.open(tmp_path / "wordsim.tar.gz", "w:gz") as file:
        info = tarfile.TarInfo("data/crosslingual/wordsim/en-es-SEMEVAL17.txt")
        info.size = len(RATINGS.encode())
        file.addfile(info, io.BytesIO(RATINGS.encode()))
    assert len(extracted(tmp_path, "similarity", tmp_path / "wordsim.tar.gz")) == 2
    with pytest.raises(ArchiveError, match=r"0 members en-fr-SEMEVAL17\.txt, expected 1; it holds data/crosslingual"):
        extracted(tmp_path, "similarity", tmp_path / "wordsim.tar.gz", "en-fr")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("dictionary", "a b\nc\n", r"d.txt, line 2: found 'c', expected a word and its translation"),
        ("dictionary", "a b c\n", r"line 1: found 'a b c', expected a word and"),
        ("dictionary", "\n", "no pair of words in en-es"),
        ("similarity", "a\tb\t1\na b 2\n", r"line 2: found 'a b 2', expected two words and a number"),
        ("similarity", "a\tb\tmuch\n", "line 1: found"),
        ("similarity", "a\tb\tnan\n", "line 1: found"),
        ("similarity", "a\tb\t1\t2\n", "line 1: found"),
    ],
)
def test_lines_of_another_form_are_named(tmp_path, kind, text, message):
    (tmp_path / "d.txt").write_text(text)
    with pytest.raises(CorpusError, match=message):
        extracted(tmp_path, kind, tmp_path / "d.txt")


def test_official_files_are_read(mirror: Path, tmp_path: Path):
    folder = mirror / "dl.fbaipublicfiles.com" / "arrival"
    pairs = extracted(tmp_path, "dictionary", folder / "dictionaries" / "en-es.5000-6500.txt")
    assert len(pairs) > 2900 and all(len(row) == 2 for row in pairs)
    rated = extracted(tmp_path, "similarity", folder / "wordsim.tar.gz")
    assert len(rated) > 950 and all(0 <= float(row[2]) <= 4 for row in rated)
