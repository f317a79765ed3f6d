"""Tokenization: Moses' behavior, two languages without blanks, and records that are dropped."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlm_core import tsv
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
    return list(tsv.read(folder / "out.tsv", n_fields)), json.loads((folder / "statistics.json").read_text())


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
    rows, _ = run(tmp_path, sentence + "\n", (language,))
    assert rows == [[expected]]


@pytest.mark.parametrize("already_tokenized", [False, True])
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("de", "schöne Grüße ."), ("fr", "l' été ."), ("ru", "ёж и йод ."), ("vi", "tiếng Việt .")],
)
def test_decomposed_letters_are_composed_before_they_are_cut(
    tmp_path: Path, language: str, sentence: str, already_tokenized: bool
):
    """Moses cuts a word at a combining mark."""
    decomposed = unicodedata.normalize("NFD", sentence)
    assert decomposed != sentence
    rows, expected = (
        run(tmp_path, f"{text}\n", (language,), already_tokenized=already_tokenized)[0]
        for text in (decomposed, sentence)
    )
    assert rows == expected and unicodedata.is_normalized("NFC", rows[0][0])


def test_chinese_and_thai_have_no_blanks(tmp_path: Path):
    pytest.importorskip("jieba")
    pytest.importorskip("pythainlp")
    (chinese,), _ = run(tmp_path, "我来到北京清华大学\n", ("zh",))
    assert chinese == ["我 来到 北京 清华大学"]  # the example of jieba's own README
    (thai,), _ = run(tmp_path, "ฉันรักภาษาไทย\n", ("th",))
    assert thai[0].split() == ["ฉัน", "รัก", "ภาษาไทย"]


def test_a_variant_of_a_language_is_cut_like_the_language(tmp_path: Path):
    pytest.importorskip("jieba")
    for variant, language, sentence in (
        ("pt_BR", "pt", "O Sr. Silva, 1.000 vezes."),
        ("zh_Hant", "zh", "我来到北京清华大学"),
        ("ca_ES", "ca", "l'il·lusió"),
    ):
        assert run(tmp_path, sentence, (variant,)) == run(tmp_path, sentence, (language,))
    stripped = Text(lowercase=False, strip_accents=False, romanian="stripped")
    assert module.tokenize_line("Şi", "ro_MD", stripped) == "Si"


def test_turkish_and_azeri_have_two_kinds_of_i():
    def tokens(language: str, **settings) -> str:
        return module.tokenize_line("IŞIK İyi ile Iğdır", language, Text(**settings))

    expected = "ışık iyi ile ığdır"
    assert tokens("tr", strip_accents=False) == tokens("az_AZ", strip_accents=False) == expected
    assert tokens("tr") == "ısık iyi ile ıgdır"
    assert tokens("tr", moses="published") == tokens("en") == "isik iyi ile igdır"
    assert tokens("tr", lowercase=False, strip_accents=False) == "IŞIK İyi ile Iğdır"
    assert module.tokenize_line("ISI", "tr", Text(), already_tokenized=True) == "ısı"


def test_a_missing_segmenter_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    module.segmenter.cache_clear()
    with pytest.raises(ConfigError, match=r"language 'zh'.*package jieba.*pip install"):
        run(tmp_path, "我\n", ("zh",))
    assert not (tmp_path / "out.tsv").exists()


def test_tokenized_text_is_only_lower_cased_and_stripped(tmp_path: Path):
    rows, _ = run(tmp_path, "L' Été n' est-ce pas ?\n", ("fr",), PUBLISHED, already_tokenized=True)
    assert rows == [["l' ete n' est-ce pas ?"]]


def test_labels_pass_unchanged(tmp_path: Path):
    rows, _ = run(tmp_path, "A man.\tA Man!\tENTAILMENT\n", ("en", "en"), PUBLISHED, n_fields=3)
    assert rows == [["a man .", "a man !", "ENTAILMENT"]]


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
    rows, counts = run(tmp_path, "".join(f"{en}\t{de}\n" for en, de in lines), ("en", "de"))
    assert rows == [["a good pair", "ein gutes Paar"], ["yes", "ja ja ja ja"]]
    dropped = {"empty": 1, "over-long": 1, "over-long line": 1, "unequal": 1}
    assert counts == {"read": 6, "kept": 2, "dropped": dropped}


def test_evaluation_sets_keep_everything(tmp_path: Path):
    rows, counts = run(
        tmp_path, "\tx\tneutral\n" + "word " * 30 + "\tx\tneutral\n", ("en", "en"), n_fields=3, keep_all=True
    )
    assert len(rows) == 2 and rows[0] == ["", "x", "neutral"] and len(rows[1][0].split()) == 30
    assert counts == {"read": 2, "kept": 2, "dropped": {}}


def test_an_endless_line_costs_no_minutes(tmp_path: Path):
    start = time.monotonic()
    rows, _ = run(tmp_path, ("a,b." * 25_000 + "\n") * 5, ("en",))
    assert rows == [] and time.monotonic() - start < 5


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))))
def test_tokens_are_one_clean_field(text: str):
    tokens = module.tokenize_line(text, "en", PUBLISHED, already_tokenized=False)
    assert tokens == tsv.collapse_blanks(tokens)
    assert module.tokenize_line(tokens, "en", PUBLISHED, already_tokenized=True) == tokens


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("w " * 20, "w " * 20, None),
        ("w " * 21, "w " * 20, "over-long"),
        ("w " * 9, "w " * 3, None),
        ("w " * 10, "w " * 3, "unequal"),
        ("w " * module.SHORT, "w", None),
        ("w " * (module.SHORT + 1), "w", "unequal"),
        ("x" * 20 * module.MAX_CHARS_PER_WORD, "x", None),
        ("x" * (20 * module.MAX_CHARS_PER_WORD + 1), "x", "over-long line"),
        ("w", "\u0301", "empty"),  # only once its accent is gone
    ],
)
def test_what_is_just_kept_and_just_dropped(tmp_path: Path, first: str, second: str, reason: str | None):
    _, counts = run(tmp_path, f"{first}\t{second}\n", ("en", "fr"), PUBLISHED)
    assert counts["dropped"] == ({reason: 1} if reason else {})


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=20))
@settings(max_examples=30)
def test_pairs_stay_together_and_in_order(lengths: list[tuple[int, int]]):
    lines = [f"{number}{' a' * m}\t{number}{' b' * n}\n" for number, (m, n) in enumerate(lengths)]
    with tempfile.TemporaryDirectory() as folder:
        rows, counts = run(Path(folder), "".join(lines), ("en", "fr"))
    numbers = [int(first.split()[0]) for first, _ in rows]
    assert numbers == [int(second.split()[0]) for _, second in rows] == sorted(set(numbers))
    assert counts["read"] == len(lines) and counts["kept"] == len(rows)


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40),
    st.sampled_from(["en", "fr", "sw", "zh", "th"]),
)
def test_cutting_moves_only_blanks(text: str, language: str):
    for package in ("jieba", "pythainlp"):
        pytest.importorskip(package)
    text = module.punctuation_normalizer(language, False)(text)
    cut = "".join(module.segmenter(language, False)(text))
    assert "".join(cut.split()) == "".join(text.split())


@pytest.mark.parametrize("unit", ["word ", "x", ".", "a.", "1,", "'", '"', "( ", "\u0301"])
def test_even_an_evaluation_set_may_have_an_endless_line(tmp_path: Path, unit: str):
    start = time.process_time()
    run(tmp_path, (unit * 100_000)[:100_000] + "\n", ("en",), keep_all=True)
    assert time.process_time() - start < 10


def test_pythainlp_leaves_the_home_directory_alone(tmp_path: Path):
    """In a process of its own, because the package is imported once."""
    pytest.importorskip("pythainlp")
    code = "from xlm_core.text.tokenize import segmenter; print(len(segmenter('th', False)('ฉันรักภาษาไทย')))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHAINLP")}
    environment["HOME"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert list(tmp_path.iterdir()) == []


def test_jieba_is_silent_and_leaves_no_cache(tmp_path: Path):
    """In a process of its own, because the dictionary is read once."""
    pytest.importorskip("jieba")
    code = "from xlm_core.text.tokenize import segmenter; print(len(segmenter('zh', False)('我来到北京')))"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert list(tmp_path.iterdir()) == []
