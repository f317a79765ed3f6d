"""Token stores: what goes in comes out, and nothing foreign or damaged is read."""

import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.data import token_store
from xlm_core.data.token_store import TokenStore, TokenStoreWriter
from xlm_core.errors import CorpusError, StoreError
from xlm_core.text import bpe, vocabulary
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.tsv import split_of

SENTENCES = st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=9), st.lists(st.integers(0, 99), max_size=9)))


def words(size: int = 100) -> Vocabulary:
    """A vocabulary of which only the size matters; its digest stands in for the real one."""
    sized = Vocabulary(("x",) * size, np.zeros(size, dtype=np.int64), (), (), {})
    object.__setattr__(sized, "digest", "d1")
    return sized


def write(path: Path, pairs: list, size: int = 100) -> Path:
    with TokenStoreWriter(path, ("de", "en"), words(size)) as writer:
        for pair in pairs:
            writer.add(pair)
    return path


@given(SENTENCES)
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, pairs: list):
    path = write(tmp_path_factory.mktemp("store") / "train.store", pairs)
    opened = TokenStore.open(path, "d1")
    assert len(opened) == len(pairs) and opened.languages == ("de", "en") and opened.labels is None
    for column in (0, 1):
        assert [opened.sentence(column, i).tolist() for i in range(len(pairs))] == [pair[column] for pair in pairs]
        assert opened.lengths(column).tolist() == [len(pair[column]) for pair in pairs]


@pytest.mark.parametrize(("size", "dtype"), [(1 << 16, np.uint16), ((1 << 16) + 1, np.uint32)])
def test_tokens_take_two_bytes_as_long_as_they_fit(tmp_path: Path, size: int, dtype: type):
    last = size - 1
    opened = TokenStore.open(write(tmp_path / "s", [([last], [0])], size), "d1")
    assert opened.tokens[0].dtype == dtype and opened.tokens[0].tolist() == [last]


def test_tokens_are_mapped_not_read(tmp_path: Path):
    opened = TokenStore.open(write(tmp_path / "s", [([1, 2], [3])]), "d1")
    assert isinstance(opened.tokens[0].base, np.memmap) and isinstance(opened.offsets[0].base, np.memmap)


def test_memory_does_not_grow_with_the_text(tmp_path: Path):
    peaks = []
    for n_pairs in (10_000, 100_000):  # arrays larger than what is copied at a time
        tracemalloc.start()
        with TokenStoreWriter(tmp_path / "s", ("de", "en"), words()) as writer:
            for number in range(n_pairs):
                writer.add(([1, 2, 3, number % 100], [4]))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(TokenStore.open(tmp_path / "s", "d1")) == n_pairs
    assert peaks[1] < 1.1 * peaks[0]


def test_the_digest_is_of_the_content(tmp_path: Path):
    first, same, other = (
        TokenStore.open(write(tmp_path / name, [([1, 2], [token])]), "d1").digest
        for name, token in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first == same != other


def test_another_vocabulary_is_refused(tmp_path: Path):
    path = write(tmp_path / "train.store", [([1], [2])])
    with pytest.raises(
        StoreError, match=r"train\.store was built with vocabulary d1, expected d2; remove it and rerun"
    ):
        TokenStore.open(path, "d2")


@pytest.mark.parametrize("keep", [0, 5, -1, -20])
def test_a_store_that_is_cut_off_is_refused(tmp_path: Path, keep: int):
    path = write(tmp_path / "train.store", [([1, 2, 3], [4, 5])])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match="cut off"):
        TokenStore.open(path, "d1")


def test_a_missing_store_is_a_named_error(tmp_path: Path):
    with pytest.raises(StoreError, match="does not exist"):
        TokenStore.open(tmp_path / "absent.store", "d1")


def test_a_failure_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(RuntimeError), TokenStoreWriter(tmp_path / "train.store", ("de", "en"), words()) as writer:
        writer.add(([1], [2]))
        raise RuntimeError("killed")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def encoding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoding")
    (folder / "sample.txt").write_text("le chat numero 0123456789 the cat number\n" * 30)
    bpe.learn(folder / "sample.txt", folder / "model", size=45, character_coverage=1.0)
    vocabulary.build(["en", "fr"], [folder / "model"] * 2, [folder / "sample.txt"] * 2, folder / "vocabulary.json")
    return folder / "vocabulary.json"


def built(tmp_path: Path, pairs: list, encoding: Path, *stored: str) -> dict[str, Path]:
    """Stores of a pair of languages and of a line without English, of which some languages are stored."""
    (tmp_path / "0.tsv").write_text("".join(f"{en}\t{fr}\n" for en, fr in pairs) + "\tle chat\n")
    outputs = {split: tmp_path / f"{split}.store" for split in ("train", "valid", "test")}
    token_store.build(
        tmp_path / "0.tsv",
        outputs,
        languages=("en", "fr"),
        stored=stored,
        vocabulary=encoding,
        valid_fraction=0.1,
        test_fraction=0.1,
        statistics=tmp_path / "statistics.json",
    )
    return outputs


def test_a_corpus_is_split_by_its_lines_and_stays_aligned(tmp_path: Path, encoding: Path):
    pairs = [(f"the cat number {n % 150}", f"le chat numero {n % 150}") for n in range(300)]  # every line twice
    outputs = built(tmp_path, pairs, encoding, "en", "fr")
    encoder = Vocabulary.read(encoding)
    seen = {}
    for split, path in outputs.items():
        opened = TokenStore.open(path, encoder.digest)
        decoded = [
            tuple(encoder.decode(opened.sentence(column, i), language) for column, language in enumerate(("en", "fr")))
            for i in range(len(opened))
        ]
        assert decoded == [pair for pair in pairs if split_of(pair[0], 0.1, 0.1) == split]
        seen[split] = {en for en, _ in decoded}
    assert all(seen.values()) and not seen["train"] & seen["valid"] and not seen["train"] & seen["test"]
    assert json.loads((tmp_path / "statistics.json").read_text()) == {"read": 301, "kept": 300, "dropped": {"empty": 1}}


def test_one_side_of_translations_is_stored_where_the_vocabulary_has_no_other(tmp_path: Path, encoding: Path):
    """French alone; which lines are held out is as for the pair, which goes by the English side."""
    data = json.loads(encoding.read_text())
    del data["languages"]["en"]
    (tmp_path / "french.json").write_text(json.dumps(data))
    encoder = Vocabulary.read(tmp_path / "french.json")
    pairs = [(f"the cat number {n}", f"le chat numero {n}") for n in range(150)]
    for split, path in built(tmp_path, pairs, tmp_path / "french.json", "fr").items():
        opened = TokenStore.open(path, encoder.digest)
        decoded = [encoder.decode(opened.sentence(0, i), "fr") for i in range(len(opened))]
        without_english = ["le chat"] if split == split_of("", 0.1, 0.1) else []
        assert decoded == [fr for en, fr in pairs if split_of(en, 0.1, 0.1) == split] + without_english
        assert opened.languages == ("fr",)
    assert json.loads((tmp_path / "statistics.json").read_text())["kept"] == 151


CLASSES = ("contradiction", "neutral", "entailment")


def labelled(
    tmp_path: Path, encoding: Path, lines: str, classes: Sequence[str] | None = CLASSES, n_sentences: int = 2
) -> Path:
    (tmp_path / "test.en.tsv").write_text(lines)
    token_store.build_labelled(
        tmp_path / "test.en.tsv",
        tmp_path / "test.en.store",
        language="en",
        vocabulary=encoding,
        classes=classes,
        statistics=tmp_path / "statistics.json",
        n_sentences=n_sentences,
    )
    return tmp_path / "test.en.store"


def test_labels_have_the_published_ids_and_nothing_is_dropped(tmp_path: Path, encoding: Path):
    lines = "the cat\tthe\tentailment\nthe cat\tnumber\tneutral\n\tthe\tcontradiction\n"
    opened = TokenStore.open(labelled(tmp_path, encoding, lines), Vocabulary.read(encoding).digest)
    assert opened.labels.tolist() == [2, 1, 0]
    assert len(opened.sentence(0, 2)) == 0


def test_an_unknown_label_is_named_and_leaves_no_store(tmp_path: Path, encoding: Path):
    with pytest.raises(CorpusError, match=r"test\.en\.tsv, line 2: label 'contradictory', expected one of"):
        labelled(tmp_path, encoding, "a\tb\tneutral\na\tb\tcontradictory\n")
    assert not (tmp_path / "test.en.store").exists()


def test_scores_are_stored_as_numbers(tmp_path: Path, encoding: Path):
    path = labelled(tmp_path, encoding, "the cat\tthe\t3.800\nthe\tcat\t0.000\n", classes=None)
    opened = TokenStore.open(path, Vocabulary.read(encoding).digest)
    assert opened.labels.dtype == np.float64 and opened.labels.tolist() == [3.8, 0.0]
    with pytest.raises(CorpusError, match=r"line 1: label 'high', expected a number"):
        labelled(tmp_path, encoding, "the\tcat\thigh\n", classes=None)


def test_single_sentences_are_one_column(tmp_path: Path, encoding: Path):
    path = labelled(tmp_path, encoding, "the cat\t\t1\nthe\t\t0\n", classes=("0", "1"), n_sentences=1)
    opened = TokenStore.open(path, Vocabulary.read(encoding).digest)
    assert opened.languages == ("en",) and opened.labels.tolist() == [1, 0]
    assert opened.lengths(0)[0] > opened.lengths(0)[1] > 0


def test_an_empty_corpus_is_an_empty_store(tmp_path: Path, encoding: Path):
    opened = TokenStore.open(labelled(tmp_path, encoding, ""), Vocabulary.read(encoding).digest)
    assert len(opened) == 0 and opened.labels.tolist() == []
