"""The vocabulary encodes text, knows its counts, and can hold an encoding per language."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlm_core.errors import CorpusError
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import N_SPECIAL, UNK
from xlm_core.text.vocabulary import Vocabulary

TEXT = {
    "en": ["the cat sees the dog", "the dog sees a cat"] * 20,
    "fr": ["le chat voit le chien", "un chien dort"] * 20,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocabulary")
    for name, lines in {**TEXT, "all": TEXT["en"] + TEXT["fr"]}.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        bpe.learn(folder / f"{name}.txt", folder / f"{name}.model", size=40, character_coverage=1.0)
    vocabulary.build(["en", "fr"], [folder / "all.model"] * 2, [folder / "all.txt"] * 2, folder / "shared.json")
    models, samples = ([folder / f"{lang}.{end}" for lang in ("en", "fr")] for end in ("model", "txt"))
    vocabulary.build(["en", "fr"], models, samples, folder / "separate.json")
    return folder


@pytest.fixture(scope="module")
def shared(folder: Path) -> Vocabulary:
    return Vocabulary.read(folder / "shared.json")


@pytest.fixture(scope="module")
def separate(folder: Path) -> Vocabulary:
    return Vocabulary.read(folder / "separate.json")


@given(
    st.lists(st.sampled_from(["the", "cat", "sees", "dog", "chien", "voit", "le", "un", "dort", "attache"]), min_size=1)
)
def test_decoding_undoes_encoding(shared: Vocabulary, separate: Vocabulary, words: list[str]):
    text = " ".join(words)
    assert shared.decode(shared.encode([text], "fr")[0], "fr") == text
    known = set("the cat sees dog a".replace(" ", ""))
    if set(text) - {" "} <= known:
        assert separate.decode(separate.encode([text], "en")[0], "en") == text


def test_special_symbols_in_text_are_text(shared: Vocabulary):
    (ids,) = shared.encode(["</s> <special1> <pad> the"], "en")
    assert all(id_ >= N_SPECIAL or id_ == UNK for id_ in ids)


def test_counts_are_those_of_the_sample(shared: Vocabulary):
    ids = [id_ for language in TEXT for sentence in shared.encode(TEXT[language], language) for id_ in sentence]
    assert shared.counts.sum() == len(ids)
    assert shared.counts[:N_SPECIAL].sum() == 0
    most = int(shared.counts.argmax())
    assert shared.counts[most] == ids.count(most)


def test_a_shared_vocabulary_gives_every_language_the_same_ids(shared: Vocabulary):
    assert len(shared) == 40
    assert shared.encode(["the cat"], "en") == shared.encode(["the cat"], "fr")


def test_separate_vocabularies_share_only_the_special_symbols(separate: Vocabulary):
    assert len(separate) == 2 * (40 - N_SPECIAL) + N_SPECIAL
    english, french = (separate.encode(TEXT[language], language) for language in ("en", "fr"))
    first, second = ({id_ for ids in sentences for id_ in ids} for sentences in (english, french))
    assert not first & second and max(first) < min(second)
    assert separate.decode(french[0], "fr") == TEXT["fr"][0]
    assert separate.pieces[french[0][0]].startswith("▁l")


def test_the_digest_tells_vocabularies_apart(shared: Vocabulary, separate: Vocabulary, folder: Path):
    assert shared.digest != separate.digest
    assert Vocabulary.read(folder / "shared.json").digest == shared.digest


EMPTY = {"pieces": [], "counts": [], "models": [], "offsets": [], "languages": {}}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"pieces": []}).encode(),
        b'{"pieces": [',
        b"\xff\xfe",
        b"[" * 100_000,
        *(
            json.dumps(EMPTY | changes).encode()
            for changes in (
                {"models": ["abc"], "offsets": [0]},
                {"models": ["YWJj"], "offsets": [0]},
                {"counts": [1]},
                {"pieces": [1], "counts": [1]},
                {"pieces": ["a"], "counts": [10**20]},
                {"languages": {"en": 0}},
                {"offsets": [0]},
                {"kind": "other"},
            )
        ),
    ],
    ids=[
        "a key is missing",
        "cut off",
        "not text",
        "nested",
        "not base64",
        "no model",
        "more counts than pieces",
        "piece no text",
        "count too large",
        "language without encoding",
        "offset without encoding",
        "other kind",
    ],
)
def test_a_file_that_is_no_vocabulary_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"vocabulary\.json is not a vocabulary"):
        Vocabulary.read(path)


@given(words=st.lists(st.sampled_from(sorted(set(" ".join(TEXT["en"] + TEXT["fr"]).split())))))
def test_each_word_begins_once_and_the_pieces_between_are_the_word(shared: Vocabulary, words: list[str]):
    (ids,) = shared.encode([" ".join(words)], "fr")
    begins = shared.begins_word(np.array(ids, dtype=np.int64))
    parts = np.split(np.array(ids), np.flatnonzero(begins)[1:]) if words else []
    assert [shared.decode(part.tolist(), "fr") for part in parts] == words
