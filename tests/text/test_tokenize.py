"""Tokenization: Moses' behavior, two languages without blanks, and records that are dropped."""

import json
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core import records
from xlm_core.config import Text
from xlm_core.errors import ConfigError
from xlm_core.text import tokenize as module
from xlm_core.text.tokenize import tokenize

PLAIN = Text(lowercase=False, strip_accents=False, max_words=20, max_ratio=3.0)
PUBLISHED = Text(max_words=20, max_ratio=3.0)


def run(folder: Path, lines: str, languages: tuple[str, ...], text: Text = PLAIN, **options) -> tuple[list, dict]:
    """The records and the counts that come of ``lines``."""
    (folder / "in.tsv").write_text(lines, encoding="utf-8")
    n_fields = options.pop("n_fields", len(languages))
    tokenize(
        folder / "in.tsv",
        folder / "out.tsv",
        languages=languages,
        n_fields=n_fields,
        text=text,
        already_tokenized=options.pop("already_tokenized", False),
        keep_all=options.pop("keep_all", False),
        statistics=folder / "statistics.json",
    )
    return list(records.read(folder / "out.tsv", n_fields)), json.loads((folder / "statistics.json").read_text())


@pytest.mark.parametrize(
    ("language", "sentence", "expected"),
    [
        ("en", "This isn't Mr. Smith's car, is it?", "This isn 't Mr. Smith 's car , is it ?"),
        ("en", "It costs 3,500.75 dollars & tax.", "It costs 3,500.75 dollars & tax ."),  # no escaping of &
        ("fr", "L'été, c'est l'hiver d'ici !", "L' été , c' est l' hiver d' ici !"),
        ("de", "Das ist z.B. Dr. Müllers Haus.", "Das ist z.B. Dr. Müllers Haus ."),  # abbreviations of German
        ("ru", "Он сказал: «Да».", 'Он сказал : " Да " .'),
        ("hi", "यह एक घर है।", "यह एक घर है ।"),
    ],
)
def test_moses(tmp_path: Path, language: str, sentence: str, expected: str):
    found, _ = run(tmp_path, sentence + "\n", (language,))
    assert found == [[expected]]


def test_chinese_and_thai_have_no_blanks(tmp_path: Path):
    pytest.importorskip("jieba")
    pytest.importorskip("pythainlp")
    (chinese,), _ = run(tmp_path, "我来到北京清华大学\n", ("zh",))
    assert chinese == ["我 来到 北京 清华大学"]  # the example of jieba's own README
    (thai,), _ = run(tmp_path, "ฉันรักภาษาไทย\n", ("th",))
    assert thai[0].split() == ["ฉัน", "รัก", "ภาษาไทย"]


def test_a_missing_segmenter_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    module.segmenter.cache_clear()
    with pytest.raises(ConfigError, match=r"language 'zh'.*package jieba.*pip install"):
        run(tmp_path, "我\n", ("zh",))
    assert not (tmp_path / "out.tsv").exists()


def test_tokenized_text_is_only_lower_cased_and_stripped(tmp_path: Path):
    found, _ = run(tmp_path, "L' Été n' est-ce pas ?\n", ("fr",), PUBLISHED, already_tokenized=True)
    assert found == [["l' ete n' est-ce pas ?"]]


def test_labels_pass_unchanged(tmp_path: Path):
    found, _ = run(tmp_path, "A man.\tA Man!\tENTAILMENT\n", ("en", "en"), PUBLISHED, n_fields=3)
    assert found == [["a man .", "a man !", "ENTAILMENT"]]


def test_bad_records_are_dropped_whole_and_counted(tmp_path: Path):
    long, endless = "word " * 21, "x" * 100_000
    lines = [
        ("a good pair", "ein gutes Paar"),
        ("", "leer"),
        (long, "zu lang"),
        (endless, "endlos"),
        ("one two three four five six seven", "eins zwei"),
        ("yes", "ja ja ja ja"),  # short ones are not compared
    ]
    found, counts = run(tmp_path, "".join(f"{en}\t{de}\n" for en, de in lines), ("en", "de"))
    assert found == [["a good pair", "ein gutes Paar"], ["yes", "ja ja ja ja"]]
    dropped = {"empty": 1, "over-long": 1, "over-long line": 1, "unequal": 1}
    assert counts == {"read": 6, "kept": 2, "dropped": dropped}


def test_evaluation_sets_keep_everything(tmp_path: Path):
    found, counts = run(
        tmp_path, "\tx\tneutral\n" + "word " * 30 + "\tx\tneutral\n", ("en", "en"), n_fields=3, keep_all=True
    )
    assert len(found) == 2 and found[0] == ["", "x", "neutral"] and len(found[1][0].split()) == 30
    assert counts == {"read": 2, "kept": 2, "dropped": {}}


def test_an_endless_line_costs_no_minutes(tmp_path: Path):
    start = time.monotonic()
    found, _ = run(tmp_path, ("a,b." * 25_000 + "\n") * 5, ("en",))
    assert found == [] and time.monotonic() - start < 5


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))))
def test_tokens_are_one_clean_field(text: str):
    tokens = module._tokens(text, "en", PUBLISHED, already_tokenized=False)
    assert tokens == records.field(tokens)
    assert module._tokens(tokens, "en", PUBLISHED, already_tokenized=True) == tokens
