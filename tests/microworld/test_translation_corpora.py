"""News and its test sets: no sentence is told in two languages, and none of a test set anywhere else."""

import gzip
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import microworld
from microworld import translation_corpora
from microworld.documents import documents
from microworld.lexicon import BE, Frame, Noun
from microworld.render import text
from microworld.translation_corpora import partition_of
from xlm_core.config import GeneratedFile, Microworld
from xlm_core.text import extract

WORLD = Microworld(
    seed=3,
    documents={"en": 3000},
    news={"en": 3000, "fr": 3001},
    parallel={"en-fr": 1500},
    news_valid=30,
    news_test=45,
    nli_train=1,
    nli_valid=1,
    nli_test=1,
)
NEWS_EN, NEWS_FR, PARALLEL, TESTS = FILES = (
    GeneratedFile("news", "en"),
    GeneratedFile("news", "fr"),
    GeneratedFile("parallel", "en-fr"),
    GeneratedFile("tests", "dev"),
)
DOCUMENTS = GeneratedFile("documents", "en")
SIZES = {"news_dev": 30, "news_test": 45}
ANCHORS = re.compile(r"\b(?:Anna|Maria|Sara|Leo|Daniel|David|Berlin|Paris|Lima|Delhi|[2-9])\b")


def write(folder: Path, world: Microworld = WORLD, files: Sequence[GeneratedFile] = FILES) -> dict[GeneratedFile, Path]:
    outputs = {file: folder / ".".join(file) for file in files}
    microworld.write(world, ["en"], outputs)
    return outputs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[GeneratedFile, Path]:
    return write(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def in_english(tmp_path_factory: pytest.TempPathFactory) -> dict[GeneratedFile, Path]:
    """The same files, with every sentence in English."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation_corpora, "text", lambda frame, language: text(frame, "en"))
        return write(tmp_path_factory.mktemp("english"))


def lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def side(path: Path, language: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"microworld.en-fr.{language}").decode().splitlines()


def evaluation(files: dict[GeneratedFile, Path]) -> list[list[str]]:
    """The pairs of both test sets."""
    return [pair for name in SIZES for pair in extract.read_sgm([files[TESTS]], name, "en-fr")]


def anchors(sentence: str) -> Counter[str]:
    return Counter(ANCHORS.findall(sentence))


def frames(n: int) -> list[Frame]:
    return [frame for story in documents(np.random.default_rng(0), n) for frame in story]


def test_the_places_share_all_sentences_in_the_stated_shares():
    counts = Counter(partition_of(frame, ["fr", "de", "en"]) for frame in set(frames(6000)))
    total = counts.total()
    assert counts.keys() == {"tests", "de", "en", "fr"}
    assert abs(counts["tests"] / total - 0.1) < 0.02
    assert all(abs(counts[language] / total - 0.3) < 0.03 for language in ("de", "en", "fr"))


def test_a_place_follows_from_the_english_sentence_alone():
    """A teacher is of a sex in French, and in English of none."""
    woman, man = (Frame(Noun("teacher", sex=sex), BE, location="Berlin") for sex in "fm")
    assert text(woman, "fr") != text(man, "fr") and text(woman, "en") == text(man, "en")
    assert partition_of(woman, ["en", "fr"]) == partition_of(man, ["en", "fr"])


def test_a_place_does_not_depend_on_the_order_of_languages_and_test_sets_on_none():
    for frame in frames(1000):
        assert partition_of(frame, ["en", "fr"]) == partition_of(frame, ["fr", "en"])
        assert (partition_of(frame, ["en", "fr"]) == "tests") == (partition_of(frame, ["de", "es", "hi"]) == "tests")


def test_the_sizes_asked_for(files: dict[GeneratedFile, Path]):
    assert {language: len(lines(files["news", language])) for language in WORLD.news} == WORLD.news
    assert [len(side(files[PARALLEL], language)) for language in ("en", "fr")] == [1500, 1500]
    assert {name: len(list(extract.read_sgm([files[TESTS]], name, "en-fr"))) for name in SIZES} == SIZES


def test_the_french_news_says_the_same_in_english(
    files: dict[GeneratedFile, Path], in_english: dict[GeneratedFile, Path]
):
    """What the next tests compare is a translation indeed."""
    assert lines(in_english[NEWS_EN]) == lines(files[NEWS_EN])
    french, english = lines(files[NEWS_FR]), lines(in_english[NEWS_FR])
    assert list(map(anchors, french)) == list(map(anchors, english))
    assert not set(french) & set(english)


def test_no_sentence_of_news_is_told_in_both_languages(
    files: dict[GeneratedFile, Path], in_english: dict[GeneratedFile, Path]
):
    english, translated = set(lines(files[NEWS_EN])), set(lines(in_english[NEWS_FR]))
    assert len(english) > 1000 and len(translated) > 1000
    assert not english & translated


def test_stories_which_have_no_such_rule_share_sentences(files: dict[GeneratedFile, Path], tmp_path: Path):
    """So that news has none is no matter of chance."""
    told = set(lines(write(tmp_path, files=[DOCUMENTS])[DOCUMENTS]))
    assert len(told & set(lines(files[NEWS_EN]))) > 100
    assert len(told & {english for english, _ in evaluation(files)}) > 5


def test_no_test_sentence_is_told_anywhere(files: dict[GeneratedFile, Path], in_english: dict[GeneratedFile, Path]):
    english, french = map(set, zip(*evaluation(files), strict=True))
    assert len(english) == len(french) == sum(SIZES.values())  # all different, so the two sets are disjoint
    assert not english & {*lines(files[NEWS_EN]), *lines(in_english[NEWS_FR]), *side(files[PARALLEL], "en")}
    assert not french & {*lines(files[NEWS_FR]), *side(files[PARALLEL], "fr")}


def test_bitext_and_news_do_share_sentences(files: dict[GeneratedFile, Path], in_english: dict[GeneratedFile, Path]):
    english = set(side(files[PARALLEL], "en"))
    assert english & set(lines(files[NEWS_EN])) and english & set(lines(in_english[NEWS_FR]))


def test_pairs_say_the_same(files: dict[GeneratedFile, Path]):
    pairs = [*evaluation(files), *zip(*(side(files[PARALLEL], code) for code in ("en", "fr")), strict=True)]
    assert all(anchors(english) == anchors(french) for english, french in pairs)
    assert sum(bool(anchors(english)) for english, _ in pairs) > 0.2 * len(pairs)
    assert all(("not" in english.split()) == bool(re.search(r"\b[Nn](e |')", french)) for english, french in pairs)


def test_test_sets_have_the_layout_of_wmt(files: dict[GeneratedFile, Path]):
    with tarfile.open(files[TESTS], "r:gz") as archive:
        members = {info.name: archive.extractfile(info).read() for info in archive}
    assert list(members) == [f"dev/{name}-ref.{language}.sgm" for name in SIZES for language in ("en", "fr")]
    places = list(extract.sgm_segments(members["dev/news_test-ref.fr.sgm"].decode().split("\n"), ""))
    assert Counter(place.split()[-1] for place in places) == {f"world.{n}": 10 for n in (1, 2, 3, 4)} | {"world.5": 5}
    assert places[9:11] == ["10 of document world.1", "1 of document world.2"]


def test_two_runs_write_the_same_bytes(files: dict[GeneratedFile, Path], tmp_path: Path):
    again = write(tmp_path)
    assert {file: path.read_bytes() for file, path in again.items()} == {f: p.read_bytes() for f, p in files.items()}


def test_another_size_of_news_leaves_the_other_files_as_they_are(files: dict[GeneratedFile, Path], tmp_path: Path):
    changed = write(tmp_path, WORLD.model_copy(update={"news": {"en": 100, "fr": 3001}}))
    alike = {file for file, path in changed.items() if path.read_bytes() == files[file].read_bytes()}
    assert alike == {NEWS_FR, PARALLEL, TESTS}
    assert lines(changed[NEWS_EN]) == lines(files[NEWS_EN])[:100]


def test_a_world_without_news_has_no_test_sets():
    assert TESTS not in WORLD.model_copy(update={"news": {}}).files
