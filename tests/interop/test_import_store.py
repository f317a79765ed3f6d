"""Given stores: the same sentences arrive, and what does not fit is refused in words."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from small_model import TEXT, write_vocabulary

from xlm_core.data import token_store
from xlm_core.data.token_store import TokenStore, TokenStoreWriter
from xlm_core.errors import PretrainedError
from xlm_core.interop.pretrained import import_store
from xlm_core.text.vocabulary import Vocabulary

SPLITS = ("train", "valid", "test")


@pytest.fixture
def words(tmp_path) -> Path:
    return write_vocabulary(tmp_path)


@pytest.fixture
def built(tmp_path, words) -> dict[str, Path]:
    """The stores of a text of English and French, as building makes them."""
    tokens = tmp_path / "tokens.tsv"
    tokens.write_text("".join(f"{first}\t{second}\n" for first, second in zip(TEXT, TEXT[::-1], strict=True)))
    paths = {split: tmp_path / "built" / f"{split}.store" for split in SPLITS}
    shares = {"valid_fraction": 0.2, "test_fraction": 0.2}
    more = {"stored": ("en", "fr"), "vocabulary": words, "statistics": tmp_path / "built" / "statistics.json"}
    token_store.build(tokens, paths, languages=("en", "fr"), **shares, **more)
    return paths


def imported(tmp_path, paths, words, languages=("en", "fr"), sums=None) -> dict[str, Path]:
    outputs = {split: tmp_path / "out" / f"{split}.store" for split in paths}
    known = sums or {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths.values()}
    statistics = tmp_path / "out" / "statistics.json"
    import_store(known, list(outputs.values()), languages=languages, vocabulary=words, statistics=statistics)
    return outputs


def test_the_same_sentences_arrive(built, words, tmp_path):
    digest = Vocabulary.read(words).digest
    n_records = 0
    for split, path in imported(tmp_path, built, words).items():
        store, before = TokenStore.open(path, digest), TokenStore.open(built[split], digest)
        n_records += len(store)
        assert store.digest == before.digest and all(map(np.array_equal, store.tokens, before.tokens))
    counts = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert (counts["read"], counts["kept"], counts["dropped"]) == (n_records, len(TEXT), {})
    assert counts["origin"]["vocabulary"] == digest and set(counts["origin"]["sha256"]) == {
        "train.store",
        "valid.store",
        "test.store",
    }


def test_another_vocabulary_is_refused(built, words, tmp_path):
    other = Vocabulary.read(words)
    changed = tmp_path / "other.json"
    Vocabulary(other.pieces[:-1], other.counts[:-1], other.models, other.offsets, other.model_of).write(changed)
    with pytest.raises(PretrainedError, match=r"built with vocabulary \w+, expected \w+: .*as vocabulary\.pretrained"):
        imported(tmp_path, built, changed)
    assert not (tmp_path / "out").exists()


def test_another_file_is_refused(built, words, tmp_path):
    with pytest.raises(PretrainedError, match=r"train\.store: found SHA-256 .*, expected 0{64}"):
        imported(tmp_path, built, words, sums=dict.fromkeys(built.values(), "0" * 64))
    built["test"].write_bytes(b"no store at all")
    with pytest.raises(PretrainedError, match=r"test\.store is no token store.*: this is not a token store"):
        imported(tmp_path, built, words)


def test_other_languages_and_labels_are_refused(built, words, tmp_path):
    with pytest.raises(PretrainedError, match=r"found text in en-fr, expected plain text in en"):
        imported(tmp_path, built, words, languages=("en",))
    with TokenStoreWriter(built["train"], ("en", "fr"), Vocabulary.read(words), labels="classes") as writer:
        writer.add(([20], [21]), 0)
    with pytest.raises(PretrainedError, match=r"found labelled text in en-fr"):
        imported(tmp_path, built, words)
