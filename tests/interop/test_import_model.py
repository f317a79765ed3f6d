"""Given models instead of pretrained ones: the same weights arrive, and what does not fit is refused in words."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from published_checkpoint import N_TOKENS, inputs, original_checkpoint, saved, their_model, their_scores
from small_model import CONFIG, LANGUAGES, write_model, write_vocabulary

from xlm_core.config import ModelConfig
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.errors import CheckpointError, PretrainedError
from xlm_core.interop.convert import export_huggingface, import_model
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import SPECIAL
from xlm_core.text.vocabulary import Vocabulary

PUBLISHED = ModelConfig(dim=16, n_layers=2, n_heads=4, feedforward_dim=64, max_positions=12, dropout=0.3)


def sums(*paths: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture
def ours(tmp_path) -> tuple[Path, Path]:
    """A model and its vocabulary."""
    words = write_vocabulary(tmp_path)
    return write_model(tmp_path / "model.safetensors", words), words


@pytest.fixture
def theirs(tmp_path) -> tuple[Path, Path]:
    """A published checkpoint and its vocabulary."""
    codes, vocab = tmp_path / "codes", tmp_path / "vocab"
    codes.write_text("t h 9\nth e</w> 8\n")
    pieces = ["the", "t@@", *(f"more{number}" for number in range(N_TOKENS - len(SPECIAL) - 2))]
    vocab.write_text("".join(f"{piece} {100 - number}\n" for number, piece in enumerate(pieces)))
    content = original_checkpoint(their_model())
    content["dico_id2word"] = dict(enumerate([*SPECIAL, *pieces]))
    Vocabulary.from_fastbpe(codes, vocab, LANGUAGES).write(tmp_path / "published.json")
    return saved(tmp_path / "model.pth", content), tmp_path / "published.json"


def imported(tmp_path, paths, vocabulary, kind="xlm_core", languages=LANGUAGES, model=CONFIG):
    output = tmp_path / "imported" / "model.safetensors"
    wanted = paths if isinstance(paths, dict) else sums(*paths)
    known = {path.name: digest for path, digest in wanted.items()}
    pretrained = PretrainedModel(format=kind, path=str(next(iter(wanted)).parent), sha256=known)
    import_model(pretrained, list(wanted), vocabulary=vocabulary, languages=languages, model=model, output=output)
    return checkpoint.load(output)


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    weights, expected = first.state_dict(), second.state_dict()
    return weights.keys() == expected.keys() and all(torch.equal(weights[name], expected[name]) for name in weights)


def test_our_own_model_comes_back_and_says_where_it_is_from(ours, tmp_path):
    model, metadata = imported(tmp_path, ours[:1], ours[1])
    before, said = checkpoint.load(ours[0])
    assert same(model, before)
    assert metadata["origin"]["about"] == said
    assert metadata["origin"]["sha256"] == {"model.safetensors": sums(ours[0])[ours[0]]}
    assert (metadata["languages"], metadata["objectives"]) == (["en", "fr"], ["mlm"])
    assert metadata["vocabulary"] == Vocabulary.read(ours[1]).digest


def test_a_model_that_went_to_hugging_face_comes_back(ours, tmp_path):
    export_huggingface(*ours, tmp_path / "folder")
    model, _ = imported(tmp_path, list((tmp_path / "folder").iterdir()), ours[1], "huggingface")
    assert same(model, checkpoint.load(ours[0])[0])


def test_a_published_model_gives_the_scores_of_another_implementation(theirs, tmp_path):
    model, metadata = imported(tmp_path, theirs[:1], theirs[1], "published", model=PUBLISHED)
    with torch.no_grad():
        batch = inputs()
        assert (model.predict(model(batch)) - their_scores(their_model(), batch)).abs().max() <= 1e-5
    assert model.config.dropout == 0.3  # of the setup, not of the checkpoint
    assert metadata["objectives"] == ["mlm", "tlm"]


def test_languages_that_the_setup_has_not_are_left_aside(ours, tmp_path):
    digest, before = Vocabulary.read(ours[1]).digest, Transformer(CONFIG, 60, 3).eval()
    metadata = {"languages": ["de", "en", "fr"], "objectives": ["mlm"], "vocabulary": digest}
    checkpoint.save(ours[0], before, metadata)
    batch = inputs()  # languages are numbers 0 and 1, of the table of three 1 and 2, of a single one 0
    for languages, then, now in ((["en", "fr"], batch.languages + 1, batch.languages), (["fr"], 2, 0)):
        model, metadata = imported(tmp_path, ours[:1], ours[1], languages=languages)
        assert (metadata["languages"], metadata["origin"]["languages"]) == (languages, ["de", "en", "fr"])
        with torch.no_grad():
            expected = before(replace(batch, languages=torch.zeros_like(batch.languages) + then))
            states = model(replace(batch, languages=torch.zeros_like(batch.languages) + now))
        assert (states - expected).abs().max() <= 1e-5


def test_another_file_than_the_one_that_was_named_is_refused(ours, tmp_path):
    with pytest.raises(PretrainedError, match=r"model\.safetensors: found SHA-256 [0-9a-f]{64}, expected 0{64}; take"):
        imported(tmp_path, {ours[0]: "0" * 64}, ours[1])
    with pytest.raises(PretrainedError, match=r"none\.safetensors does not exist"):
        imported(tmp_path, {tmp_path / "none.safetensors": "0" * 64}, ours[1])
    assert not (tmp_path / "imported").exists()


def test_a_file_of_a_folder_that_has_no_sum_is_refused(ours, tmp_path):
    export_huggingface(*ours, tmp_path / "folder")
    known = [tmp_path / "folder" / name for name in ("config.json", "model.safetensors")]
    with pytest.raises(PretrainedError, match=r"vocabulary\.json would be read, but its SHA-256 is not in the conf"):
        imported(tmp_path, known, ours[1], "huggingface")


@pytest.mark.parametrize("kind", ["xlm_core", "huggingface"])
def test_another_vocabulary_is_refused(ours, theirs, tmp_path, kind):
    export_huggingface(*ours, tmp_path / "folder")
    paths = list((tmp_path / "folder").iterdir()) if kind == "huggingface" else ours[:1]
    with pytest.raises(CheckpointError, match=r"vocabulary [0-9a-f]{16}"):
        imported(tmp_path, paths, theirs[1], kind)


def test_a_published_model_with_another_vocabulary_is_refused(ours, theirs, tmp_path):
    with pytest.raises(CheckpointError, match=r"vocabulary\.json has 60 pieces.* trained with 30"):
        imported(tmp_path, theirs[:1], ours[1], "published", model=PUBLISHED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "published"}, "expected weights under 'model' or 'encoder'"),
        ({"languages": ["de", "en", "fr"]}, r"a model of en, fr, but not of de; .*leave these out"),
        (
            {"model": CONFIG.model_copy(update={"n_layers": 3, "dropout": 0.5})},
            r"found a model of n_layers: 2; expected n_layers: 3, as the section 'model'",
        ),
        ({"model": CONFIG.model_copy(update={"language_embeddings": False})}, "language_embeddings: True; expected"),
    ],
)
def test_what_does_not_fit_is_refused(ours, tmp_path, change, message):
    with pytest.raises(CheckpointError, match=message):
        imported(tmp_path, ours[:1], ours[1], **change)
    assert not (tmp_path / "imported").exists()
