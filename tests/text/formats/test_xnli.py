"""XNLI's two archives to labelled pairs."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.text.formats import xnli

LABELS = ("contradiction", "neutral", "entailment")
HEADER = "language\tgold_label\tparse\tsentence1\tsentence2\tgenre"
DEV = [
    "ar\tneutral\t(X)\tأهلا\tسلام\tg",
    'en\tneutral\t(X)\tHe said "hi.\tHello  there\tg',
    "ar\tentailment\t(X)\tنعم\t\tg",
    "en\tentailment\t(X)\tYes\t\tg",
    "ar\t-\t(X)\tلا\tلا\tg",
    "en\t-\t(X)\tNo\tNo\tg",
]
TRAIN = ["premise\thypo\tlabel", 'You said " yes .\tYes\u200b .\tcontradictory', "a b\tc d\tneutral"]


def build(folder: Path, dev: list[str] | None = None, train: list[str] | None = None) -> tuple[Path, Path]:
    """The two archives, with the files that other systems leave in them."""
    evaluation, training = folder / "XNLI-1.0.zip", folder / "XNLI-MT-1.0.zip"
    dev, train = dev or [HEADER, *DEV], train or TRAIN
    with zipfile.ZipFile(evaluation, "w") as file:
        file.writestr("XNLI-1.0/README.md", "about")
        file.writestr("XNLI-1.0/xnli.dev.tsv", "\n".join(dev) + "\n")
        file.writestr("__MACOSX/XNLI-1.0/._xnli.dev.tsv", b"\x00\xff")
        file.writestr("XNLI-1.0/xnli.test.tsv", "\r\n".join([HEADER, *DEV[:2]]) + "\r\n")
    with zipfile.ZipFile(training, "w") as file:
        file.writestr("XNLI-MT-1.0/multinli/multinli.train.en.tsv", "\n".join(train) + "\n")
        file.writestr("XNLI-MT-1.0/xnli/xnli.test.ar.en.tsv", "premise\thypo\tlabel\nHi.\tHello.\tneutral\n")
    return evaluation, training


def run(folder: Path, archives: tuple[Path, Path], *keys: str) -> dict:
    for key in keys:
        extract(folder, archives, key)
    paths = {key: folder / "out" / f"{key}.tsv" for key in keys}
    return {key: path.read_text(encoding="utf-8").split("\n")[:-1] for key, path in paths.items()}


def extract(folder: Path, archives: tuple[Path, Path], key: str, labels: Sequence[str] = LABELS) -> None:
    split, language = key.split(".")
    archive = archives[split in ("train", "translated")]
    outputs = (folder / "out" / f"{key}.{kind}" for kind in ("tsv", "json"))
    xnli.extract(archive, split, language, *outputs, labels)


def test_pairs_come_in_the_order_of_the_rows_with_labels_as_words(tmp_path):
    texts = run(tmp_path, build(tmp_path), "train.en", "valid.en", "valid.ar", "test.en", "translated.ar")
    assert texts == {
        "train.en": ['You said " yes .\tYes .\tcontradiction', "a b\tc d\tneutral"],
        "valid.en": ['He said "hi.\tHello there\tneutral', "Yes\t\tentailment"],
        "valid.ar": ["أهلا\tسلام\tneutral", "نعم\t\tentailment"],
        "test.en": ['He said "hi.\tHello there\tneutral'],
        "translated.ar": ["Hi.\tHello.\tneutral"],
    }
    counts = {key: json.loads((tmp_path / "out" / f"{key}.json").read_text()) for key in texts}
    whole = {"read": 2, "kept": 2, "dropped": {}}
    missing = {"read": 3, "kept": 2, "dropped": {"no gold label": 1}}
    one = {"read": 1, "kept": 1, "dropped": {}}
    expected = {"train.en": whole, "valid.en": missing, "valid.ar": missing, "test.en": one, "translated.ar": one}
    assert counts == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"dev": [HEADER, *DEV[:1], "en\tmaybe\t\ta\tb\tg"]},
            r"xnli\.dev\.tsv, line 3: label 'maybe', expected one",
        ),
        ({"dev": [HEADER.replace("gold_label", "gold"), *DEV]}, r"xnli\.dev\.tsv, line 1: no column gold_label"),
        ({"dev": [HEADER, *DEV[:2], "en\tneutral\ta\tb"]}, r"xnli\.dev\.tsv, line 4: 4 fields, expected 6"),
        ({"dev": [HEADER, DEV[0]]}, r"xnli\.dev\.tsv: 0 labelled pairs in en"),
        ({"dev": [HEADER, *DEV[:3]]}, r"1 labelled pairs in en, expected the same number"),
        ({"train": ["premise\thypo", "a\tb"]}, r"multinli\.train\.en\.tsv, line 1: no column label"),
        ({"train": TRAIN[:1]}, "multinli.train.en.tsv: no labelled pair; mend the file"),
        ({"train": [*TRAIN, "a\tb\tc\tneutral"]}, r"multinli\.train\.en\.tsv, line 4: 4 fields, expected 3"),
    ],
)
def test_bad_tables_are_named_by_place_and_leave_nothing(tmp_path, change, message):
    with pytest.raises(CorpusError, match=message):
        run(tmp_path, build(tmp_path, **change), "train.en" if "train" in change else "valid.en")
    assert not list((tmp_path / "out").iterdir())


def test_another_task_has_labels_of_its_own(tmp_path):
    dev = [HEADER, "en\tyes\t\ta\tb\tg", "en\tcontradictory\t\tc\td\tg"]
    archives = build(tmp_path, dev, [TRAIN[0], "a\tb\tyes"])
    extract(tmp_path, archives, "valid.en", ["yes", "contradictory"])
    assert (tmp_path / "out" / "valid.en.tsv").read_text() == "a\tb\tyes\nc\td\tcontradictory\n"
    with pytest.raises(CorpusError, match=r"label 'contradictory', expected one of yes, no \(xnli\.labels\)"):
        extract(tmp_path, archives, "valid.en", ["yes", "no"])


def test_a_language_without_a_training_table_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match=r"0 members multinli\.train\.fr\.tsv, expected 1"):
        run(tmp_path, build(tmp_path), "train.fr")


def test_a_cut_off_archive_is_an_error(tmp_path):
    evaluation, training = build(tmp_path)
    evaluation.write_bytes(evaluation.read_bytes()[:-40])
    with pytest.raises(ArchiveError, match=r"XNLI-1\.0\.zip: broken"):
        run(tmp_path, (evaluation, training), "valid.en")
    assert not list((tmp_path / "out").iterdir())


def test_official_archives(mirror, tmp_path):
    folder = mirror / "dl.fbaipublicfiles.com" / "XNLI"
    keys = ["valid.zh", "valid.sw", "test.zh", "test.sw", "train.zh"]
    texts = run(tmp_path, (folder / "XNLI-1.0.zip", folder / "XNLI-MT-1.0.zip"), *keys)
    assert [len(texts[key]) for key in keys] == [2490, 2490, 5010, 5010, 10000]
    labels = {key: [line.split("\t")[2] for line in texts[key]] for key in keys}
    assert labels["valid.zh"] == labels["valid.sw"] and labels["test.zh"] == labels["test.sw"]
    assert {label: labels["test.sw"].count(label) for label in LABELS} == dict.fromkeys(LABELS, 1670)
