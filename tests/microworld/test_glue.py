"""Generated examples of GLUE: their files read back, labels that are true, and no word that tells them."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

import microworld
from microworld import lexicon
from microworld.entailment import similarity
from microworld.glue_examples import BAD, GOOD, TASKS, Example, examples
from microworld.lexicon import BE, Frame, Noun
from xlm_core.config import GLUE_FILES, GeneratedFile, Microworld
from xlm_core.errors import ConfigError
from xlm_core.text.formats import glue

WORLD = Microworld(documents={}, nli_train=1, nli_valid=1, nli_test=1, glue_train=30, glue_valid=12, glue_test=9)
N_TRAIN, N_TEST = 800, 400
CLASSIFIED = [task for task in TASKS if task not in ("STS-B", "MNLI, mismatched")]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("glue")
    microworld.write(WORLD, [], {file: folder / file.key for file in WORLD.files if file.collection == "glue"})
    return {task: [folder / name for name in names] for task, names in GLUE_FILES.items()}


def drawn(task: str, n: int = 200) -> list[Example]:
    return examples(np.random.default_rng(7), task, n)


def extracted(folder: Path, files: list[Path], task: str, part: str) -> list[list[str]]:
    glue.extract(task, part, files, folder / "r", folder / "s")
    return [line.split("\t") for line in (folder / "r").read_text().splitlines()]


@pytest.mark.parametrize("task", [task for task in GLUE_FILES if task not in ("MNLI", "AX")])
def test_files_are_read_as_official_ones(files, tmp_path: Path, task: str):
    splits = [extracted(tmp_path, files[task], task, part) for part in ("train", "valid", "test")]
    assert [len(rows) for rows in splits] == [30, 12, 9]
    assert {row[2] for row in splits[2]} == {"-"} and all(row[0] for rows in splits for row in rows)
    assert {bool(row[1]) for rows in splits for row in rows} == {len(glue.GLUE_TASKS[task].sentences) == 2}
    sentences = [tuple(row[:2]) for rows in splits for row in rows]
    assert len(set(sentences)) == len(sentences)  # nothing to train on is tested


def test_those_of_inference_have_two_halves_and_diagnostics(files, tmp_path: Path):
    parts = {"train": 30, "valid_matched": 12, "valid_mismatched": 12, "test_matched": 9, "test_mismatched": 9}
    assert {part: len(extracted(tmp_path, files["MNLI"], "MNLI", part)) for part in parts} == parts
    assert len(extracted(tmp_path, files["AX"], "AX", "test")) == 9


def test_two_runs_write_the_same_bytes(files, tmp_path: Path):
    names = ("CoLA.zip", "mrpc_dev_ids.tsv", "msr_paraphrase_train.txt")
    microworld.write(WORLD, [], {GeneratedFile("glue", name): tmp_path / name for name in names})
    for name in names:
        (official,) = [path for paths in files.values() for path in paths if path.name == name]
        assert official.read_bytes() == (tmp_path / name).read_bytes()
    with zipfile.ZipFile(files["CoLA"][0]) as archive:
        assert archive.namelist() == ["CoLA/train.tsv", "CoLA/dev.tsv", "CoLA/test.tsv"]


@pytest.mark.parametrize("task", CLASSIFIED)
def test_labels_are_equally_frequent(task: str):
    counts = Counter(example.label for example in drawn(task))
    assert set(counts) == set(TASKS[task][1]) and max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("task", CLASSIFIED)
def test_words_alone_do_not_tell_the_label(task: str):
    """What a linear model reads off the words of either sentence, counted; the best guess without any is 50 or 33."""
    sampled = drawn(task, N_TRAIN + N_TEST)
    lines = [
        " ".join(f"{word}_{side}" for side, text in enumerate(pair.sentences) for word in text.split())
        for pair in sampled
    ]
    labels = [example.label for example in sampled]
    features = CountVectorizer(token_pattern=r"\S+").fit_transform(lines)
    model = LogisticRegression(max_iter=300).fit(features[:N_TRAIN], labels[:N_TRAIN])
    assert model.score(features[N_TRAIN:], labels[N_TRAIN:]) < 0.8


def test_what_is_good_and_not_denied_is_good():
    for (sentence,), label in drawn("SST-2"):
        *words, end = sentence.split(" ")
        assert end == ""  # as in the official files
        (telling,) = [word for word in words if word in (*GOOD, *BAD)]
        is_denied = "not" in words and words[-2] == telling
        assert label == str(int((telling in GOOD) != is_denied))


def test_a_pronoun_stands_for_whom_it_agrees_with():
    pronouns = {"f": "she", "m": "he"}
    for (said, replaced), label in drawn("WNLI"):
        named, because = said.split(" because ")
        who = replaced.split(" is ")[0]
        assert who.lower() in named.lower()
        agrees = because.split()[0] == pronouns.get(lexicon.NAMES.get(who), "it")
        assert label == str(int(agrees))


def test_no_acceptable_sentence_is_called_wrong():
    """All that are acceptable can be said of a frame, and so none that is not may be among them."""
    sampled = examples(np.random.default_rng(1), "CoLA", 1500)
    right = {example.sentences for example in sampled if example.label == "1"}
    assert not right & {example.sentences for example in sampled if example.label == "0"}


DOG = Frame(Noun("dog"), "sleep", location="Berlin")


@pytest.mark.parametrize(
    ("other", "score"),
    [
        (DOG, 5.0),
        (DOG._replace(location=None), 5 * 2 / 3),  # one of three parts is gone
        (DOG._replace(location="Bonn"), 5 * 2.5 / 3),  # of the same country
        (DOG._replace(location="Paris"), 5 * 2 / 3),
        (DOG._replace(subject=Noun("cat")), 5 * 2.5 / 3),  # both are mammals
        (DOG._replace(subject=Noun("dog", adjective="big")), 5 * 2.75 / 3),
        (DOG._replace(negated=True), 3.0),
        (Frame(Noun("piano"), BE, adjective="red"), 0.0),
    ],
)
def test_similarity_counts_what_is_shared(other: Frame, score: float):
    assert similarity(DOG, other) == similarity(other, DOG) == pytest.approx(score)


def test_more_examples_than_there_are_is_an_error(monkeypatch):
    monkeypatch.setitem(TASKS, "WNLI", (lambda rng, wanted: Example(("one",), wanted), ("0", "1")))
    with pytest.raises(ConfigError, match="ask for 9 examples of WNLI, but no more than 1 different ones"):
        examples(np.random.default_rng(0), "WNLI", 9)
