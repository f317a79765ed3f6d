"""Published codes give the pieces that ``transformers`` gives."""

import logging

import numpy as np
import published_codes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_codes import LANGUAGES
from transformers import XLMTokenizer

from xlm_core.errors import CorpusError
from xlm_core.interop.tokenizer_files import write_tokenizer
from xlm_core.text.fastbpe import read_pieces
from xlm_core.text.special_symbols import N_SPECIAL, SPECIAL, UNK
from xlm_core.text.vocabulary import Vocabulary

CODES = "l o 9\nlo w</w> 8\ne r</w> 7\na a 6\n"
VOCAB = "low 5\nl@@ 4\nlo@@ 4\nw@@ 3\ner 2\naa@@ 2\na 1\na@@ 1\n"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Vocabulary:
    return Vocabulary.from_fastbpe(*published_codes.write(tmp_path_factory.mktemp("published")), LANGUAGES)


@pytest.fixture
def small(tmp_path) -> Vocabulary:
    return from_files(tmp_path, CODES, VOCAB)


def from_files(folder, codes, vocab, max_size=None):
    for name, content in (("codes", codes), ("vocab", vocab)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return Vocabulary.from_fastbpe(folder / "codes", folder / "vocab", ["en"], max_size)


def test_ten_thousand_lines_in_five_languages_are_as_transformers_has_them(published, tmp_path):
    """With the last pieces cut off, so that some are unknown."""
    codes, vocab = published_codes.write(tmp_path)
    cut = Vocabulary.from_fastbpe(codes, vocab, LANGUAGES, len(published) - 40)
    write_tokenizer(cut, tmp_path / "theirs", LANGUAGES)
    theirs = XLMTokenizer.from_pretrained(tmp_path / "theirs")
    n_lines = n_unknown = 0
    for language, lines in published_codes.lines().items():
        for line, ids in zip(lines, cut.encode(lines, language), strict=True):
            tokens = theirs._tokenize(line, lang=language, bypass_tokenizer=True)
            assert theirs.convert_tokens_to_ids(tokens) == ids
            n_lines += 1
            n_unknown += ids.count(UNK)
    assert n_lines == 10_000 and n_unknown > 100


def test_merges_by_hand(small):
    (ids,) = small.encode(["low lower aaa aaaa"], "en")
    assert [small.pieces[id_] for id_ in ids] == ["low", "lo@@", "w@@", "er", "aa@@", "a", "aa@@", "a@@", "a"]


def test_words_begin_after_pieces_that_do_not_go_on(small):
    (ids,) = small.encode(["low lower aaa aaaa"], "en")
    assert small.begins_word(np.array(ids)).astype(int).tolist() == [1, 1, 0, 0, 1, 0, 1, 0, 0]


def test_counts_come_from_the_file_and_specials_have_none(small):
    assert small.counts.tolist() == [0] * N_SPECIAL + [5, 4, 4, 3, 2, 2, 1, 1]


def test_decoding_undoes_encoding_of_known_characters(published):
    characters = sorted({char for char in "".join(published_codes.lines()["fr"]) if char != " "})

    @given(st.lists(st.text(characters, min_size=1), min_size=1).map(" ".join))
    def check(text):
        (ids,) = published.encode([text], "fr")
        if UNK not in ids:  # a character may be known within words only, or at their ends only
            assert published.decode(ids, "fr") == text

    check()
    for language, lines in published_codes.lines().items():
        assert [published.decode(ids, language) for ids in published.encode(lines, language)] == lines


def test_special_symbols_in_text_are_text(small):
    (ids,) = small.encode(["</s> <unk> low"], "en")
    assert set(ids[:-1]) == {UNK} and ids[-1] == N_SPECIAL


def test_the_vocabulary_comes_back_from_its_file(published, tmp_path):
    published.write(tmp_path / "vocabulary.json")
    vocabulary = Vocabulary.read(tmp_path / "vocabulary.json")
    assert vocabulary.digest == published.digest
    lines = published_codes.lines()["de"]
    assert vocabulary.encode(lines, "de") == published.encode(lines, "de")


def test_the_vocabulary_is_cut(tmp_path):
    cut = from_files(tmp_path, CODES, VOCAB, max_size=16)
    assert cut.pieces == (*SPECIAL, "low", "l@@")
    assert cut.encode(["low er"], "en") == [[N_SPECIAL, UNK]]


def test_broken_lines_are_passed_over_as_published(tmp_path, caplog):
    """A line separator is a piece like any other where it is one, but a blank is not; a raised 2 is no number."""
    (tmp_path / "vocab").write_text(
        "a 9\nb c 8\nd\n\u2028 7\na 6\nx \u00b2\ny " + "9" * 30 + "\ne 5\n", encoding="utf-8"
    )
    with caplog.at_level(logging.WARNING):
        assert read_pieces(tmp_path / "vocab") == (["a", "\u2028", "e"], [9, 7, 5])
    assert "passed over" in caplog.text and "'repeated': 1" in caplog.text


@pytest.mark.parametrize(
    ("codes", "vocab", "message"),
    [
        ("l o 9\nlow\n", VOCAB, "does not hold byte-pair codes"),
        ("l o 9\nl o 8\n", VOCAB, "does not hold byte-pair codes .*each once"),
        (b"\xff\xfe", VOCAB, "does not hold byte-pair codes"),
        (CODES, "", "found no line 'piece count'"),
        (CODES, b"\xff 1\n", "vocab, line 1: byte 0 is not UTF-8"),
    ],
    ids=["no pair", "twice", "codes no text", "empty", "pieces no text"],
)
def test_files_of_another_format_are_refused(tmp_path, codes, vocab, message):
    with pytest.raises(CorpusError, match=message):
        from_files(tmp_path, codes, vocab)
