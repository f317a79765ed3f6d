"""Pretrained vocabularies: the same text has the same ids, and what does not fit is refused in words."""

import hashlib
import json
from pathlib import Path

import published_codes
import pytest
from small_model import TEXT, write_vocabulary

from xlm_core.config import Text
from xlm_core.config.pretrained import PretrainedVocabulary
from xlm_core.errors import CorpusError, PretrainedError
from xlm_core.interop.pretrained import import_vocabulary
from xlm_core.interop.tokenizer_files import write_tokenizer
from xlm_core.text.vocabulary import Vocabulary


def imported(tmp_path, paths, kind, size, languages=("en", "fr"), sums=None, **files) -> tuple[Vocabulary, dict]:
    known = sums or {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    names = {key: path.name for key, path in files.items()}
    pretrained = PretrainedVocabulary(format=kind, path=str(paths[0].parent), sha256=known, **names)
    output, origin = tmp_path / "out" / "vocabulary.json", tmp_path / "out" / "origin.json"
    text = Text()
    import_vocabulary(pretrained, paths, languages=languages, size=size, text=text, output=output, origin=origin)
    return Vocabulary.read(output), json.loads(origin.read_text())


@pytest.fixture
def ours(tmp_path) -> Path:
    return write_vocabulary(tmp_path)


def test_our_own_vocabulary_stays_as_it_is(ours, tmp_path):
    vocabulary, origin = imported(tmp_path, [ours], "xlm_core", 60)
    assert (tmp_path / "out" / "vocabulary.json").read_bytes() == ours.read_bytes()
    assert origin["vocabulary"] == vocabulary.digest and list(origin["sha256"]) == ["vocabulary.json"]


def test_the_published_files_encode_as_the_published_program_does(tmp_path):
    codes, vocab = published_codes.write(tmp_path)
    size = len(vocab.read_text().splitlines()) + 14
    whole, _ = imported(tmp_path, [codes, vocab], "published", size, codes=codes, vocab=vocab)
    cut, _ = imported(tmp_path, [codes, vocab], "published", 100, codes=codes, vocab=vocab)
    text = published_codes.lines()["en"][:50]
    assert whole.decode(whole.encode(text, "en")[0], "en") == text[0]
    assert cut.pieces == whole.pieces[:100]
    assert set(whole.model_of) == {"en", "fr"}


def test_the_tokenizer_of_a_folder(ours, tmp_path):
    before = Vocabulary.read(ours)
    write_tokenizer(before, tmp_path / "folder", ["en", "fr"])
    vocabulary, _ = imported(tmp_path, sorted((tmp_path / "folder").iterdir()), "huggingface", 60)
    assert vocabulary.digest == before.digest and vocabulary.encode(TEXT, "fr") == before.encode(TEXT, "fr")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 61}, r"has 60 pieces, special symbols included, expected 61; write vocabulary\.size: 60"),
        ({"languages": ["en", "sw"]}, "encodes en, fr, but not sw; give a vocabulary of all languages"),
    ],
)
def test_what_does_not_fit_is_refused(ours, tmp_path, change, message):
    with pytest.raises(PretrainedError, match=message):
        imported(tmp_path, [ours], "xlm_core", **({"size": 60} | change))
    assert not (tmp_path / "out").exists()


def test_another_file_and_another_format_are_refused(ours, tmp_path):
    with pytest.raises(PretrainedError, match=r"vocabulary\.json: found SHA-256 .*, expected 0{64}"):
        imported(tmp_path, [ours], "xlm_core", 60, sums={ours.name: "0" * 64})
    (tmp_path / "text").write_text("no vocabulary\n")
    with pytest.raises(CorpusError, match="is not a vocabulary"):
        imported(tmp_path, [tmp_path / "text"], "xlm_core", 60)
    with pytest.raises(CorpusError, match="found no line 'piece count'"):
        codes, vocab = published_codes.write(tmp_path)
        imported(tmp_path, [codes, vocab], "published", 100, codes=vocab, vocab=codes)


def test_a_folder_without_a_sum_for_each_file_that_is_read_is_refused(ours, tmp_path):
    write_tokenizer(Vocabulary.read(ours), tmp_path / "folder", ["en", "fr"])
    with pytest.raises(PretrainedError, match=r"vocabulary\.json would be read"):
        imported(tmp_path, [tmp_path / "folder" / "tokenizer.json"], "huggingface", 60)
