"""Write and read files of finished models: safetensors, with a description of the model as JSON."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlm_core import digests
from xlm_core.config import ModelConfig, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.io import atomic, read_problem
from xlm_core.model.encoder import Encoder
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import ClassificationHead, Classifier
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.version import VERSION

FORMAT = "xlm-core model 1"
HEAD = "head."  # begins the names of a classification head's weights
TRANSFORMERS = "transformers"  # in the description of an encoder of that library: its config.json


def make_metadata(
    trained: Mapping[str, Any], settings: Mapping[str, Any], seed: int | None, vocabulary: Vocabulary, data: Any
) -> dict[str, Any]:
    """Make the metadata of a model.

    Args:
        trained: "languages" and "objectives", and what else tasks read.
        settings: further settings, of which only a digest is kept: "config".
        vocabulary: of which its digest and its special symbols are kept.
        data: digests of the training data, of which only a digest is kept: "data".
    """
    return {
        **trained,
        "seed": seed,
        "vocabulary": vocabulary.digest,
        "symbols": to_dict(vocabulary.symbols),
        "config": digests.of_value({**trained, **settings}),
        "data": digests.of_value(data),
    }


def save(path: Path, model: Encoder, metadata: dict[str, Any], head: ClassificationHead | None = None) -> None:
    """Write ``model``, its ``head`` if it has one, and ``metadata``, plain data that tasks read with the model."""
    state, shape = model.state_dict(), None
    if head is not None:
        state.update({HEAD + name: tensor for name, tensor in head.state_dict().items()})
        shape = {"n_classes": head.classes.out_features, "dropout": head.dropout.p}
    _save(path, state, model, {"head": shape, "about": metadata})


def save_translator(path: Path, translator: EncoderDecoder, metadata: dict[str, Any]) -> None:
    """Write both halves of ``translator``, and ``metadata`` as in ``save``."""
    _save(path, translator.state_dict(), translator.encoder, {"head": None, "translates": True, "about": metadata})


def _save(path: Path, state: Mapping[str, Tensor], model: Encoder, more: dict[str, Any]) -> None:
    """Write weights, and a description of them: the shape of ``model`` and the items of ``more``."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    description = {
        "format": FORMAT,
        "version": VERSION,
        **model.description,
        "sha256": _checksum(tensors),
        **more,
    }
    metadata = {"xlm": json.dumps(description, ensure_ascii=False, sort_keys=True)}
    with atomic(path) as partial:
        write_safetensors(partial, tensors, metadata)


def load(path: Path) -> tuple[Transformer, dict[str, Any]]:
    """Read a model, on the CPU and in evaluation mode, and its metadata; a classification head is ignored.

    Raises:
        CheckpointError: the file is missing, damaged, a translator, or no model of this program.
    """
    tensors, description = read_encoder(path)
    return build_transformer(path, description, tensors), description["about"]


def read_encoder(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read and check the weights and the description of an encoder, of any architecture.

    Raises:
        CheckpointError: the file is missing, damaged, a translator, or no model of this program.
    """
    tensors, description = _read(path)
    if description.get("translates"):
        raise CheckpointError(f"{path}: found a translator; expected an encoder or a language model")
    return tensors, description


def load_any(path: Path) -> tuple[Transformer, ClassificationHead | None, dict[str, Any]]:
    """Read a model for another program, its classification head where it has one, and its metadata.

    Raises:
        CheckpointError: as in ``load``.
    """
    tensors, description = _read(path)
    if description.get("translates"):
        raise CheckpointError(
            f"{path}: found a translator; expected an encoder, a language model or a classifier, because transformers "
            f"has no decoder of XLM. Share this file with its vocabulary.json; xlm translate reads both"
        )
    encoder = build_transformer(path, description, tensors)
    head = None if description["head"] is None else build_classifier(encoder, description, tensors).head
    return encoder, head, description["about"]


def build_classifier(encoder: Encoder, description: dict[str, Any], tensors: dict[str, Tensor]) -> Classifier:
    """Put the classification head of a file on its encoder."""
    classifier = Classifier(encoder, **description["head"])
    classifier.head.load_state_dict(_part(tensors, HEAD))
    return classifier.eval()


def load_translator(path: Path) -> tuple[EncoderDecoder, dict[str, Any]]:
    """Read a translator, as ``load`` reads a model.

    Raises:
        CheckpointError: as in ``load``, or the model is no translator.
    """
    tensors, description = _read(path)
    if not description.get("translates"):
        raise CheckpointError(f"{path}: found a language model alone; expected a translator, which has a decoder too")
    encoder = build_transformer(path, description, _part(tensors, "encoder."))
    decoder = build_transformer(path, description, _part(tensors, "decoder."), is_decoder=True)
    return EncoderDecoder(encoder, decoder).eval(), description["about"]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Select the tensors whose names begin with ``prefix``, and remove it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def load_vocabulary(path: Path, model: Path, metadata: Mapping[str, Any]) -> Vocabulary:
    """Read the vocabulary of the file ``model``, whose ``metadata`` name its digest.

    Raises:
        CheckpointError: ``path`` holds another vocabulary.
        CorpusError: no such vocabulary.
    """
    vocab = Vocabulary.read(path)
    if vocab.digest != metadata["vocabulary"]:
        raise CheckpointError(
            f"{path} is vocabulary {vocab.digest}, but {model} was trained with {metadata['vocabulary']}; "
            f"give the file that belongs to the model"
        )
    return vocab


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read and check the weights and the description of a file."""
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {}).get("xlm", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        remedy = "expected a model.safetensors; give the file of a finished training, or train it again"
        raise CheckpointError(f"{path} {read_problem(path, error)}; {remedy}") from error
    if description.get("format") != FORMAT:
        raise CheckpointError(f"{path}: format {description.get('format')!r}, expected {FORMAT!r}; train it again")
    if _checksum(tensors) != description.get("sha256"):
        raise CheckpointError(f"{path} is damaged: its weights have another checksum than when written; train it again")
    return tensors, description


def build_transformer(
    path: Path, description: dict[str, Any], tensors: dict[str, Tensor], is_decoder: bool = False
) -> Transformer:
    """Make the Transformer of a description with its weights; a classification head is ignored.

    Raises:
        CheckpointError: they do not agree, or the encoder is of another library.
    """
    if TRANSFORMERS in description:
        raise CheckpointError(
            f"{path}: found an encoder of transformers ({description[TRANSFORMERS]['model_type']}), which can be "
            f"fine-tuned, embed, classify and be scored by retrieval; expected a model that was trained here, or was "
            f"pretrained and is of another format than transformers"
        )
    try:
        config = ModelConfig.model_validate(description["model"])
        with torch.device("meta"):  # no weights are drawn only to be replaced
            model = Transformer(config, description["n_tokens"], description["n_languages"], is_decoder)
        model.load_state_dict(encoder_weights(tensors), assign=True)
    except (KeyError, ValidationError, RuntimeError) as error:
        raise CheckpointError(f"{path}: description and weights do not agree ({error}); train it again") from error
    return model.eval()


def encoder_weights(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the weights of a classification head."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(HEAD)}


def _checksum(tensors: dict[str, Tensor]) -> str:
    """Compute the SHA-256 of all weights, which safetensors itself does not protect."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write float32 tensors on the CPU: the length of the header, the header as JSON, the values of all tensors.

    Written by hand because the library's ``safetensors.torch.save_file`` writes into a temporary file with a name that
    it chooses, and renames it (safetensors pull request #764; issues #792 and #793 report failures of it on FUSE), so
    that a killed process leaves a file that nobody removes; its ``save`` returns bytes, for which it takes twice the
    memory of the tensors (issue #458).
    """
    header, end = dict[str, Any]({"__metadata__": dict(metadata)}), 0
    for name, tensor in sorted(tensors.items()):
        assert tensor.dtype == torch.float32, f"{name} is {tensor.dtype}"
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)  # values begin at a multiple of 8 bytes
    with open(path, "wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for _, tensor in sorted(tensors.items()):
            file.write(tensor.reshape(-1).numpy().data)
