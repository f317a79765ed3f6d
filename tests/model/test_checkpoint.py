import pytest
import torch
from safetensors.torch import save as serialized
from safetensors.torch import save_file

from xlm_core.config import ModelConfig
from xlm_core.errors import CheckpointError
from xlm_core.interop import encoders
from xlm_core.model import checkpoint
from xlm_core.model.checkpoint import write_safetensors
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import Transformer

ABOUT = {"languages": ["de", "en"], "vocabulary": "abc", "objectives": ["mlm"], "seed": 3}


@pytest.fixture
def saved(tmp_path):
    model = Transformer(ModelConfig(dim=8, n_layers=1, n_heads=2, feedforward_dim=16, max_positions=10), 30, 2)
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, model, ABOUT)
    return model, path


def test_a_model_comes_back_as_it_was(saved):
    model, path = saved
    loaded, metadata = checkpoint.load(path)
    assert metadata == ABOUT
    assert (loaded.config, loaded.vocab_size, loaded.n_languages) == (model.config, 30, 2)
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_file_is_as_the_library_writes_it(tmp_path):
    tensors = {"b": torch.randn(3, 5), "a": torch.randn(7), "none": torch.empty(0, 4), "one": torch.tensor(2.0)}
    write_safetensors(tmp_path / "w", tensors, {"xlm": 'Größe "1"'})
    assert (tmp_path / "w").read_bytes() == serialized(tensors, {"xlm": 'Größe "1"'})


def test_loading_leaves_the_random_generator_alone(saved):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    checkpoint.load(saved[1])
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_truncated_file_is_refused(saved, keep):
    path = saved[1]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"is damaged .*; expected a model\.safetensors; give the file"):
        checkpoint.load(path)


def test_a_flipped_bit_is_noticed(saved):
    path = saved[1]
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="another checksum"):
        checkpoint.load(path)


def test_a_classifier_comes_back_as_it_was_and_its_encoder_alone_too(saved, tmp_path):
    classifier = Classifier(saved[0], n_classes=3, dropout=0.2)
    checkpoint.save(tmp_path / "classifier", classifier.encoder, ABOUT, head=classifier.head)
    loaded, metadata = encoders.load_classifier(tmp_path / "classifier")
    assert (metadata, loaded.head.dropout.p, loaded.training) == (ABOUT, 0.2, False)
    for name, value in classifier.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    encoder, _ = checkpoint.load(tmp_path / "classifier")
    assert torch.equal(encoder.embeddings.weight, saved[0].embeddings.weight)


def test_an_encoder_is_no_classifier(saved):
    with pytest.raises(CheckpointError, match="without a classification head"):
        encoders.load_classifier(saved[1])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="missing"):
        checkpoint.load(tmp_path / "none")


def test_a_foreign_file_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="expected 'xlm-core model 1'"):
        checkpoint.load(tmp_path / "foreign")


def test_weights_that_do_not_fit_their_description_are_refused(saved, tmp_path):
    model, path = saved
    model.vocab_size = 31
    checkpoint.save(path, model, ABOUT)
    with pytest.raises(CheckpointError, match="do not agree"):
        checkpoint.load(path)


def test_a_translator_comes_back_as_it_was(tmp_path):
    config = ModelConfig(dim=8, n_layers=1, n_heads=2, feedforward_dim=16, max_positions=10)
    model = EncoderDecoder(Transformer(config, 30, 2), Transformer(config, 30, 2, is_decoder=True))
    checkpoint.save_translator(tmp_path / "t", model, ABOUT)
    loaded, metadata = checkpoint.load_translator(tmp_path / "t")
    assert metadata == ABOUT and not loaded.training
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    with pytest.raises(CheckpointError, match="found a translator"):
        checkpoint.load(tmp_path / "t")


def test_a_language_model_is_no_translator(saved):
    with pytest.raises(CheckpointError, match="found a language model alone; expected a translator"):
        checkpoint.load_translator(saved[1])
