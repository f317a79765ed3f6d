"""Filters: which lines pass, by eye, and what is counted of those that do not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core import tsv
from xlm_core.config import Text
from xlm_core.languages import NAMES, SCRIPTS
from xlm_core.report.notes import on_dropped_text
from xlm_core.text.tokenize import has_letters, is_in_script, text_filter_reason, token_filter_reason, tokenize
from xlm_core.tsv import FilterStats

PLAIN = {"lowercase": False, "strip_accents": False}
STRICT = Text(min_words=3, max_words=6, min_letter_ratio=0.5, min_script_ratio=0.5, **PLAIN)
SENTENCES = {
    "ar": "القط ينام في البيت.", "bg": "Котката спи в къщата.", "de": "Die Kätzchen schlafen im Haus.",
    "el": "Η γάτα κοιμάται στο σπίτι.", "en": "The cat sleeps in the house.", "es": "El niño duerme en la casa.",
    "fr": "L'élève dort à la maison.", "hi": "बिल्ली घर में सोती है।", "ne": "बिरालो घरमा सुत्छ।",
    "ro": "Pisica doarme în casă, știți.", "ru": "Кошка спит в доме.", "sw": "Paka analala ndani ya nyumba.",
    "th": "แมวนอนอยู่ในบ้าน", "tr": "Kedi evde uyuyor, şimdi.", "ur": "بلی گھر میں سوتی ہے۔",
    "vi": "Con mèo ngủ trong nhà.", "zh": "猫在房子里睡觉。", "ja": "猫は家でネムる。", "ko": "고양이는 집에서 잔다.",
}  # fmt: skip


def run(folder: Path, lines: list[str], text: Text, language: str = "en", keep_all: bool = False) -> tuple[list, dict]:
    """The lines that are kept, and what is counted."""
    tsv.write(([line] for line in lines), [folder / "in.tsv"])
    tokenize(
        folder / "in.tsv",
        folder / "out.tsv",
        languages=[language],
        n_fields=1,
        text=text,
        already_tokenized=True,
        keep_all=keep_all,
        statistics=folder / "statistics.json",
    )
    kept = [line for (line,) in tsv.read(folder / "out.tsv", 1)]
    return kept, json.loads((folder / "statistics.json").read_text())


LINES = {
    "The cat sleeps .": None,
    "Кошка спит .": "other script",
    "The cat said : « да ! »": "over-long",
    "Cat sleeps": "too short",
    "1904 : 12 , 7": "few letters",
    "word " * 61: "over-long line",
    "café à la carte": None,
}


def test_each_line_is_dropped_for_one_reason_which_is_counted(tmp_path: Path):
    kept, counts = run(tmp_path, [line.strip() for line in LINES], STRICT)
    assert kept == [line for line, reason in LINES.items() if reason is None]
    reasons = [reason for reason in LINES.values() if reason]
    assert counts == {"read": 7, "kept": 2, "dropped": dict.fromkeys(sorted(reasons), 1)}


def test_evaluation_sets_are_not_filtered(tmp_path: Path):
    lines = [line.strip() for line in LINES]
    assert run(tmp_path, lines, STRICT, keep_all=True) == (lines, {"read": 7, "kept": 7, "dropped": {}})


def test_nothing_is_filtered_by_default(tmp_path: Path):
    kept, _ = run(tmp_path, ["Кошка", "1904 : 12 , 7"], Text(**PLAIN))
    assert kept == ["Кошка", "1904 : 12 , 7"]


def test_a_pair_is_dropped_for_either_of_its_sides():
    text = Text(min_script_ratio=0.5)
    assert text_filter_reason(["The cat", "Кошка"], ["en", "ru"], text) is None
    assert text_filter_reason(["The cat", "The cat"], ["en", "ru"], text) == "other script"
    assert text_filter_reason(["Кошка", "Кошка"], ["en", "ru"], text) == "other script"
    assert token_filter_reason(["a b c", "a b"], ["en", "ru"], Text(min_words=3)) == "too short"


@pytest.mark.parametrize(
    ("english", "other", "language", "reason"),
    [
        ("The weather in the north is very cold in winter .", "北部の天気は冬にとても寒いです 。", "ja", None),
        ("The weather in the north is very cold in winter .", "寒い 。", "ja", "unequal"),
        ("Yes .", "北部の天気は冬にとても寒いです 。" * 3, "ja", "unequal"),
        ("The weather in the north is very cold .", "བྱང་ཕྱོགས་ཀྱི་གནམ་གཤིས་དགུན་ཁ་ཧ་ཅང་གྲང་མོ་ཡིན།", "bo", None),
        ("The weather in the north is very cold .", "北部の天気は冬に 。", "zh", "unequal"),  # a segmenter cuts Chinese
    ],
)
def test_words_of_languages_without_blanks_are_counted_by_characters(english, other, language, reason):
    assert token_filter_reason([english, other], ["en", language], Text()) == reason


def test_a_filter_that_drops_much_is_a_warning(tmp_path: Path, caplog):
    lines = ["a good line of text"] * 89 + ["word " * 30] * 11
    run(tmp_path, lines, Text(max_words=20, **PLAIN))
    (warning,) = caplog.records
    assert "11 of 100 records (11 %) are dropped as 'over-long'" in warning.getMessage() and warning.is_shown
    caplog.clear()
    run(tmp_path, [*lines[:-1], "a"], Text(max_words=20, **PLAIN))
    assert not caplog.records


def test_a_filter_that_drops_much_is_a_note_of_the_tables(tmp_path: Path):
    """Shards count together: 8 and 14 of 100 records are 11 % of the corpus, and 20 of 200 no more than a tenth."""
    files = []
    for corpus, dropped in {
        "web": ({"over-long": 8}, {"over-long": 14, "empty": 1}),
        "news": ({"empty": 20}, {}),
    }.items():
        for shard, counts in enumerate(dropped):
            path = tmp_path / "base" / corpus / "en-fr" / f"{shard}.statistics.json"
            stats = FilterStats()
            stats.kept = 100 - sum(counts.values())
            for reason, count in counts.items():
                for _ in range(count):
                    stats.drop(reason)
            stats.write(path)
            files.append(path)
    (note,) = on_dropped_text(files)
    assert note == "Text that the section 'text' dropped before training: 11% of web (en-fr) as 'over-long'."
    assert on_dropped_text(files[2:]) == on_dropped_text([]) == []


@pytest.mark.parametrize(("language", "sentence"), SENTENCES.items())
def test_a_language_is_in_its_script_and_has_letters(language: str, sentence: str):
    assert is_in_script(sentence, language, 1.0) and has_letters(sentence, 0.8)
    others = [other for other in SENTENCES if not set(SCRIPTS[other]) & set(SCRIPTS[language])]
    assert others and not any(is_in_script(sentence, other, 0.2) for other in others)


@pytest.mark.parametrize(
    ("side", "share", "passes"),
    [
        ("ab12", 0.5, True),
        ("ab123", 0.5, False),
        ("a b 1 2", 0.5, True),  # blanks do not count
        ("हिन्दी", 1.0, True),  # nor do vowel signs count as anything but letters
        ("e\u0301", 1.0, True),
        ("", 1.0, True),  # dropped as empty
        ("😀😀a", 0.5, False),
    ],
)
def test_share_of_letters(side: str, share: float, passes: bool):
    assert has_letters(side, share) is passes


@pytest.mark.parametrize(
    ("side", "language", "share", "passes"),
    [
        ("abгд", "en", 0.5, True),
        ("abгде", "en", 0.5, False),
        ("12 : 30", "en", 1.0, True),  # no letters, no script
        ("cafe\u0301", "en", 1.0, True),
        ("Добар dan", "sr", 1.0, True),  # written in both
        ("東京タワーへ", "ja", 1.0, True),
    ],
)
def test_share_of_the_script(side: str, language: str, share: float, passes: bool):
    assert is_in_script(side, language, share) is passes


@given(side=st.text(), share=st.floats(0, 1))
def test_any_text_has_a_share_between_none_and_all(side: str, share: float):
    assert has_letters(side, 0.0)
    for language in ("en", "zh", "ja"):
        assert is_in_script(side, language, 0.0)
        if is_in_script(side, language, 1.0):
            assert is_in_script(side, language, share)


def test_every_language_of_the_paper_has_a_script():
    assert set(NAMES) <= set(SCRIPTS)
