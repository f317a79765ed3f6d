"""Tokenizers in Hugging Face's form give our ids, and come back."""

import json

import published_codes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_codes import LANGUAGES
from transformers import AutoTokenizer

from xlm_core.errors import CorpusError
from xlm_core.interop.pretrained import read_tokenizer
from xlm_core.interop.tokenizer_files import write_tokenizer
from xlm_core.text import bpe, vocabulary
from xlm_core.text.special_symbols import EOS, UNK
from xlm_core.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tokenizers")


def learn(folder, languages, name):
    """A sentencepiece model of some languages; rare characters have no piece."""
    sample, model = folder / f"{name}.txt", folder / f"{name}.model"
    sample.write_text("".join(f"{line}\n" for lang in languages for line in published_codes.lines()[lang]))
    bpe.learn(sample, model, size=500, character_coverage=0.999)
    return model, sample


@pytest.fixture(scope="module")
def ours(folder) -> Vocabulary:
    model, sample = learn(folder, LANGUAGES, "shared")
    vocabulary.build(LANGUAGES, [model] * 5, [sample] * 5, folder / "shared.json")
    return Vocabulary.read(folder / "shared.json")


@pytest.fixture(scope="module")
def theirs(folder, ours):
    """Beside a model's configuration, which alone would make it another tokenizer."""
    write_tokenizer(ours, folder / "theirs", LANGUAGES)
    (folder / "theirs" / "config.json").write_text('{"model_type": "xlm"}')
    return AutoTokenizer.from_pretrained(folder / "theirs")


def test_ten_thousand_lines_in_five_languages_have_our_ids(ours, theirs):
    n_unknown = 0
    for language, lines in published_codes.lines().items():
        expected = ours.encode(lines, language)
        assert theirs(lines)["input_ids"] == [[EOS, *ids, EOS] for ids in expected]
        n_unknown += sum(ids.count(UNK) for ids in expected)
    assert n_unknown > 0


def test_any_text_has_our_ids(ours, theirs):
    """But for the names of special symbols, which mean the symbols there, and the mark that stands for a blank."""

    @settings(max_examples=300)
    @given(st.text(st.sampled_from("thecat sees é本ß/"), max_size=30))
    def check(text):
        (ids,) = ours.encode([text], "en")
        assert theirs(text)["input_ids"] == [EOS, *ids, EOS]

    check()


def test_a_pair_is_joined_as_in_fine_tuning(ours, theirs):
    first, second = ours.encode(["the cat sees", "a dog"], "en")
    assert theirs("the cat sees", "a dog")["input_ids"] == [EOS, *first, EOS, *second, EOS]


def test_their_text_is_ours(ours, theirs):
    line = published_codes.lines()["en"][0]
    assert theirs.decode(ours.encode([line], "en")[0]).strip() == line


def test_an_unshared_vocabulary_is_refused(folder):
    parts = [learn(folder, [language], language) for language in ("de", "en")]
    vocabulary.build(
        ["de", "en"], *(list(sentences) for sentences in zip(*parts, strict=True)), folder / "separate.json"
    )
    with pytest.raises(CorpusError, match="found 2 encodings in the vocabulary, but"):
        write_tokenizer(Vocabulary.read(folder / "separate.json"), folder / "none", ["de", "en"])
    assert not (folder / "none").exists()


@pytest.fixture
def published(tmp_path):
    """A folder with an XLMTokenizer as the library writes it, and the vocabulary it was made from."""
    words = Vocabulary.from_fastbpe(*published_codes.write(tmp_path), LANGUAGES)
    write_tokenizer(words, tmp_path / "ours", LANGUAGES)
    AutoTokenizer.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    return words, tmp_path / "theirs"


def test_a_published_tokenizer_comes_back(published):
    words, folder = published
    assert not (folder / "vocabulary.json").exists()
    vocabulary = read_tokenizer(folder, LANGUAGES)
    assert vocabulary.pieces == words.pieces
    lines = published_codes.lines()["hi"]
    assert vocabulary.encode(lines, "hi") == words.encode(lines, "hi")


def test_our_own_tokenizer_comes_back_with_everything(folder, ours, theirs):
    assert read_tokenizer(folder / "theirs", LANGUAGES).digest == ours.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ids: dict(list(ids.items())[1:]), "expected ids 0 to"),
        (lambda ids: ids | {"more": 10**6}, "expected ids 0 to"),
        (lambda ids: ids | {"<s>": 1, "</s>": 0}, "the vocabulary of another model"),
        (list, "does not hold ids"),
    ],
)
def test_other_vocabularies_are_refused(published, change, message):
    path = published[1] / "vocab.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(CorpusError, match=message):
        read_tokenizer(published[1], LANGUAGES)


def test_a_folder_without_tokenizer_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="found no tokenizer"):
        read_tokenizer(tmp_path, LANGUAGES)
