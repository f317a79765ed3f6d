"""Byte-pair encoding: published ids, determinism, and refusals."""

from pathlib import Path

import pytest
import sentencepiece

from xlm_core.errors import CorpusError
from xlm_core.text import bpe
from xlm_core.text.special_symbols import SPECIAL

# The corpus of the paper that introduced byte-pair encoding for translation (Sennrich et al. 2016, section 3.2).
WORDS = {"low": 5, "lower": 2, "newest": 6, "widest": 3}


def corpus(path: Path) -> Path:
    path.write_text("".join(f"{word}\n" * count for word, count in WORDS.items()))
    return path


def learned(tmp_path: Path, size: int, name: str = "model") -> sentencepiece.SentencePieceProcessor:
    bpe.learn(corpus(tmp_path / "sample.txt"), tmp_path / name, size=size, character_coverage=1.0)
    return sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / name))


def test_special_symbols_have_the_published_ids(tmp_path: Path):
    encoder = learned(tmp_path, 30)
    assert tuple(encoder.id_to_piece(id_) for id_ in range(14)) == SPECIAL
    assert SPECIAL[:6] == ("<s>", "</s>", "<pad>", "<unk>", "<special0>", "<special1>")


def test_the_first_merge_is_the_most_frequent_pair(tmp_path: Path):
    """Both "es" and "st" occur nine times, more often than any other pair of the example."""
    encoder = learned(tmp_path, 30)
    assert encoder.id_to_piece(14) in ("es", "st")
    assert encoder.id_to_piece(15) == "est"


def test_two_runs_give_the_same_bytes(tmp_path: Path):
    learned(tmp_path, 30, "first")
    learned(tmp_path, 30, "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_an_empty_sample_is_refused(tmp_path: Path):
    (tmp_path / "sample.txt").write_text("\n\n")
    with pytest.raises(CorpusError, match="is empty"):
        bpe.learn(tmp_path / "sample.txt", tmp_path / "model", size=30, character_coverage=1.0)


def test_fewer_pieces_than_characters_are_refused_with_the_opposite_advice(tmp_path: Path):
    (tmp_path / "sample.txt").write_text(" ".join(map(chr, range(0x4E00, 0x4E00 + 100))) + "\n")
    with pytest.raises(CorpusError, match=r"raise vocabulary\.size or lower vocabulary\.character_coverage"):
        bpe.learn(tmp_path / "sample.txt", tmp_path / "model", size=30, character_coverage=1.0)


def test_too_many_pieces_are_refused_and_leave_nothing(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"5000 pieces could not be learned .*lower vocabulary\.size"):
        bpe.learn(corpus(tmp_path / "sample.txt"), tmp_path / "model", size=5000, character_coverage=1.0)
    assert not (tmp_path / "model").exists()
