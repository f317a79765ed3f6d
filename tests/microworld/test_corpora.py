"""The files of the microworld: their formats, and that they are the same from run to run."""

import gzip
import re
import zipfile
from pathlib import Path

import pytest

import microworld
from xlm_core.config import GeneratedFile, Microworld
from xlm_core.errors import ConfigError

LANGUAGES = ["en", "fr", "hi"]
WORLD = Microworld(
    seed=3,
    documents={"en": 500, "fr": 501},
    translations={"en-fr": 200, "en-hi": 100},
    news={"en": 400, "fr": 401},
    parallel={"en-fr": 150},
    news_valid=30,
    news_test=45,
    nli_train=100,
    nli_valid=40,
    nli_test=50,
)


def write(
    folder: Path, world: Microworld = WORLD, languages: list[str] = LANGUAGES, keys: tuple[GeneratedFile, ...] = ()
) -> dict:
    outputs = {file: folder / ".".join(file) for file in keys or world.files}
    microworld.write(world, languages, outputs)
    return outputs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[GeneratedFile, Path]:
    return write(tmp_path_factory.mktemp("world"))


def members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(table: str) -> list[dict[str, str]]:
    header, *lines = [line.split("\t") for line in table.splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_two_runs_write_the_same_bytes(files: dict[GeneratedFile, Path], tmp_path: Path):
    again = write(tmp_path)
    assert {key: path.read_bytes() for key, path in again.items()} == {k: p.read_bytes() for k, p in files.items()}


def test_another_seed_writes_other_text(files: dict[GeneratedFile, Path], tmp_path: Path):
    other = write(tmp_path, WORLD.model_copy(update={"seed": 4}), keys=(GeneratedFile("documents", "en"),))
    assert other["documents", "en"].read_bytes() != files["documents", "en"].read_bytes()


def test_a_further_language_changes_no_other_file(files: dict[GeneratedFile, Path], tmp_path: Path):
    world = WORLD.model_copy(update={"documents": {"de": 300, **WORLD.documents}})
    same = [GeneratedFile("documents", "en"), GeneratedFile("documents", "fr"), GeneratedFile("translations", "en-fr")]
    changed = [GeneratedFile("documents", "de"), GeneratedFile("xnli", "training")]
    more = write(tmp_path, world, ["de", *LANGUAGES], (*same, *changed))
    assert all(more[file].read_bytes() == files[file].read_bytes() for file in same)
    old, new = members(files["xnli", "training"]), members(more["xnli", "training"])
    assert all(new[name] == content for name, content in old.items())


def test_monolingual_text_has_the_sentences_asked_for(files: dict[GeneratedFile, Path]):
    for language, n_sentences in WORLD.documents.items():
        lines = gzip.decompress(files["documents", language].read_bytes()).decode().splitlines()
        assert len(lines) == n_sentences and all(line.endswith(".") for line in lines)


def test_pairs_are_aligned_members(files: dict[GeneratedFile, Path]):
    archive = members(files["translations", "en-hi"])
    assert list(archive) == ["README", "LICENSE", "microworld.en-hi.en", "microworld.en-hi.hi"]
    english, hindi = archive["microworld.en-hi.en"].splitlines(), archive["microworld.en-hi.hi"].splitlines()
    assert len(english) == len(hindi) == WORLD.translations["en-hi"]
    anchors = {"Anna", "Leo", "Berlin", "Paris", "Lima", "Delhi", "2", "3", "4"}
    for source, target in zip(english, hindi, strict=True):
        assert anchors & set(source.replace(".", "").split()) == anchors & set(target.replace("।", "").split())
        assert ("not" in source.split()) == ("नहीं" in target.split())


def test_a_line_of_parallel_text_holds_one_sentence(files: dict[GeneratedFile, Path]):
    lines = members(files["translations", "en-fr"])["microworld.en-fr.en"].splitlines()
    assert {len(line.split(". ")) for line in lines} == {1}


def test_monolingual_texts_are_no_translations_of_the_parallel_ones(files: dict[GeneratedFile, Path]):
    alone = gzip.decompress(files["documents", "en"].read_bytes()).decode().splitlines()
    parallel = members(files["translations", "en-fr"])["microworld.en-fr.en"].splitlines()
    assert len(set(alone) & set(parallel)) < 0.2 * len(set(parallel))


def test_monolingual_texts_are_no_translations_of_each_other(files: dict[GeneratedFile, Path]):
    names = re.compile(r"\b(?:Anna|Maria|Sara|Laura|Eva|Nina|Lena|Clara|Leo|Daniel|David|Martin|Simon|Max|Oscar)\b")
    english, french = (
        [names.findall(line) for line in gzip.decompress(files["documents", code].read_bytes()).decode().splitlines()]
        for code in ("en", "fr")
    )
    both = [first == second for first, second in zip(english, french, strict=False) if first and second]
    assert len(both) > 20 and sum(both) < 0.25 * len(both)


def test_the_evaluation_archive_has_the_published_layout(files: dict[GeneratedFile, Path]):
    archive = members(files["xnli", "evaluation"])
    assert list(archive) == ["XNLI-1.0/xnli.dev.tsv", "XNLI-1.0/xnli.test.tsv"]
    for table, n_rows in zip(archive.values(), (WORLD.nli_valid, WORLD.nli_test), strict=True):
        by_language = {code: [row for row in rows(table) if row["language"] == code] for code in LANGUAGES}
        english = by_language["en"]
        for translated in by_language.values():
            assert len(translated) == n_rows
            for key in ("pairID", "gold_label"):
                assert [row[key] for row in translated] == [row[key] for row in english]
            for translation, original in zip(translated, english, strict=True):
                assert {c for c in translation["sentence1"] if c.isdigit()} == {
                    c for c in original["sentence1"] if c.isdigit()
                }


def test_the_training_archive_has_the_published_layout(files: dict[GeneratedFile, Path]):
    archive = members(files["xnli", "training"])
    training = [f"XNLI-MT-1.0/multinli/multinli.train.{language}.tsv" for language in LANGUAGES]
    translated = {
        f"XNLI-MT-1.0/xnli/xnli.{split}.{language}.en.tsv": n_rows
        for split, n_rows in (("dev", WORLD.nli_valid), ("test", WORLD.nli_test))
        for language in ("fr", "hi")
    }
    assert list(archive) == training + list(translated)
    assert {name: len(rows(archive[name])) for name in translated} == translated
    for table in map(archive.get, training):
        assert len(rows(table)) == WORLD.nli_train
        assert {row["label"] for row in rows(table)} == {"entailment", "neutral", "contradictory"}
        assert all(row["premise"].endswith((" .", " ।")) for row in rows(table))


def test_translations_have_errors_and_the_original_has_none(files: dict[GeneratedFile, Path], tmp_path: Path):
    right = members(write(tmp_path, WORLD.model_copy(update={"translation_errors": 0.0}))["xnli", "training"])
    archive = members(files["xnli", "training"])
    for name, table in archive.items():
        alike = [translation == expected for translation, expected in zip(rows(table), rows(right[name]), strict=True)]
        assert all(alike) if name.endswith("train.en.tsv") else 0.1 < sum(alike) / len(alike) < 0.7
    test = [row["sentence1"] for row in rows(members(files["xnli", "evaluation"])["XNLI-1.0/xnli.test.tsv"])]
    english = test[: WORLD.nli_test]  # the first in the alphabet
    assert [row["premise"] for row in rows(right["XNLI-MT-1.0/xnli/xnli.test.fr.en.tsv"])] == english


def test_training_validation_and_test_pairs_are_disjoint(files: dict[GeneratedFile, Path]):
    valid, test = (
        {(row["sentence1_tokenized"], row["sentence2_tokenized"]) for row in rows(table) if row["language"] == "en"}
        for table in members(files["xnli", "evaluation"]).values()
    )
    train = {(r["premise"], r["hypo"]) for r in rows(next(iter(members(files["xnli", "training"]).values())))}
    assert len(valid | test | train) == WORLD.nli_valid + WORLD.nli_test + WORLD.nli_train


@pytest.mark.parametrize(
    ("languages", "collection", "key"),
    [(["en"], "documents", "xx"), (["en", "xx"], "xnli", "evaluation"), (["en"], "translations", "en-xx")],
)
def test_an_unknown_language_is_refused(tmp_path: Path, languages: list[str], collection: str, key: str):
    world = WORLD.model_copy(update={"documents": {"xx": 3}, "translations": {"en-xx": 3}})
    with pytest.raises(ConfigError, match="'xx'; it speaks de, en, es, fr, hi"):
        microworld.write(world, languages, {GeneratedFile(collection, key): tmp_path / "file"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "section"), [("de", "documents"), ("de-en", "translations"), ("de", "news"), ("de-en", "parallel")]
)
def test_a_corpus_without_a_size_is_refused(tmp_path: Path, key: str, section: str):
    with pytest.raises(ConfigError, match=rf"microworld\.{section}: no number of sentences for '{key}'"):
        microworld.write(WORLD, LANGUAGES, {GeneratedFile(section, key): tmp_path / "file"})
    assert not list(tmp_path.iterdir())
