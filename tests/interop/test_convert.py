"""Folders with vocabularies: from published files, and to and from ``transformers``."""

from pathlib import Path

import pytest
import torch
from published_checkpoint import N_TOKENS, inputs, original_checkpoint, saved, their_model, their_scores
from small_model import TEXT, write_model, write_vocabulary
from transformers import AutoModelForSequenceClassification, AutoTokenizer, XLMWithLMHeadModel

from xlm_core.errors import CheckpointError
from xlm_core.interop.convert import export_huggingface, import_huggingface, import_original
from xlm_core.model import checkpoint
from xlm_core.model.heads import ClassificationHead
from xlm_core.text.special_symbols import EOS, SPECIAL
from xlm_core.text.vocabulary import Vocabulary

CODES = ["t h 9", "th e</w> 8", "c a 7", "ca t</w> 6", "d o 5", "do g</w> 4", "s e 3", "se e 2"]
WORDS = ["the", "cat", "dog", "see@@", "s", "a", "c@@", "ca@@", "t", "d@@", "do@@", "g", "h@@", "e", "th@@", "s@@"]
SENTENCE = "the cat sees a dog"


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path, Path]:
    """A checkpoint, its codes, and its vocabulary, which has more pieces than the checkpoint has embeddings."""
    codes, vocab = tmp_path / "codes", tmp_path / "vocab"
    codes.write_text("".join(f"{line}\n" for line in CODES))
    pieces = WORDS + [f"more{number}" for number in range(10)]
    vocab.write_text("".join(f"{piece} {100 - number}\n" for number, piece in enumerate(pieces)))
    content = original_checkpoint(their_model())
    content["dico_id2word"] = dict(enumerate([*SPECIAL, *pieces]))
    return saved(tmp_path / "model.pth", content), codes, vocab


@pytest.fixture
def ours(tmp_path) -> tuple[Path, Path]:
    """A model and its sentencepiece vocabulary."""
    words = write_vocabulary(tmp_path)
    return write_model(tmp_path / "model.safetensors", words), words


def test_a_published_model_becomes_a_folder_that_says_where_it_is_from(files, tmp_path):
    import_original(*files, tmp_path / "ours")
    model, metadata = checkpoint.load(tmp_path / "ours" / "model.safetensors")
    vocabulary = Vocabulary.read(tmp_path / "ours" / "vocabulary.json")
    batch = inputs()
    with torch.no_grad():
        assert (model.predict(model(batch)) - their_scores(their_model(), batch)).abs().max() <= 1e-5
    assert len(vocabulary) == N_TOKENS and vocabulary.digest == metadata["vocabulary"]
    (ids,) = vocabulary.encode([SENTENCE], "fr")
    assert [vocabulary.pieces[id_] for id_ in ids] == ["the", "cat", "see@@", "s", "a", "dog"]
    assert (metadata["languages"], metadata["objectives"], metadata["seed"]) == (["en", "fr"], ["mlm", "tlm"], None)
    assert metadata["origin"]["file"] == "model.pth" and len(metadata["origin"]["sha256"]) == 64
    assert metadata["config"] and metadata["data"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [lines[1], lines[0], *lines[2:]], "piece 14 is 'cat'; .* with 'the' there"),
        (lambda lines: lines[:10], "has 24 pieces.* trained with 30"),
    ],
)
def test_another_vocabulary_than_the_checkpoints_is_refused(files, tmp_path, change, message):
    vocab = files[2]
    vocab.write_text("".join(change(vocab.read_text().splitlines(keepends=True))))
    with pytest.raises(CheckpointError, match=message):
        import_original(*files, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_a_published_model_goes_on_to_hugging_face_and_back(files, tmp_path):
    first, theirs, second = (tmp_path / name for name in ("first", "theirs", "second"))
    import_original(*files, first)
    export_huggingface(first / "model.safetensors", first / "vocabulary.json", theirs)
    tokenizer, model = AutoTokenizer.from_pretrained(theirs), XLMWithLMHeadModel.from_pretrained(theirs).eval()
    batch = inputs()
    assert (their_scores(model, batch) - their_scores(their_model(), batch)).abs().max() <= 1e-5
    (ids,) = Vocabulary.read(first / "vocabulary.json").encode([SENTENCE], "en")
    assert tokenizer(SENTENCE, lang="en")["input_ids"] == [EOS, *ids, EOS]

    import_huggingface(theirs, [], second)
    before, after = (checkpoint.load(folder / "model.safetensors") for folder in (first, second))
    assert all(
        torch.equal(before[0].state_dict()[name], after[0].state_dict()[name]) for name in before[0].state_dict()
    )
    assert after[1]["languages"] == before[1]["languages"]
    assert Vocabulary.read(second / "vocabulary.json").encode([SENTENCE], "fr") == [ids]


def test_our_model_and_its_tokenizer_read_by_them(ours, tmp_path):
    export_huggingface(*ours, tmp_path / "theirs")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "theirs")
    vocabulary = Vocabulary.read(ours[1])
    for sentence, ids in zip(TEXT[:4], vocabulary.encode(TEXT[:4], "en"), strict=True):
        assert tokenizer(sentence)["input_ids"] == [EOS, *ids, EOS]
    assert XLMWithLMHeadModel.from_pretrained(tmp_path / "theirs").config.vocab_size == len(vocabulary)


def test_a_classifier_is_written_with_its_labels(ours, tmp_path):
    model, metadata = checkpoint.load(ours[0])
    named = metadata | {"labels": ["yes", "no"], "max_tokens": 20}
    checkpoint.save(tmp_path / "classifier", model, named, head=ClassificationHead(16, 2, 0.1))
    export_huggingface(tmp_path / "classifier", ours[1], tmp_path / "theirs")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "theirs")
    assert theirs.config.id2label == {0: "yes", 1: "no"}


def test_what_does_not_belong_together_is_refused(ours, files, tmp_path):
    import_original(*files, tmp_path / "other")
    with pytest.raises(CheckpointError, match="give the file that belongs to the model"):
        export_huggingface(ours[0], tmp_path / "other" / "vocabulary.json", tmp_path / "theirs")
    assert not (tmp_path / "theirs").exists()
    export_huggingface(*ours, tmp_path / "theirs")
    their_model().save_pretrained(tmp_path / "theirs")
    with pytest.raises(CheckpointError, match=r"a tokenizer of \d+ pieces beside a model of 30"):
        import_huggingface(tmp_path / "theirs", [], tmp_path / "mixed")
    assert not (tmp_path / "mixed").exists()
