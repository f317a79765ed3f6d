"""Files of finished models: one safetensors file, which holds its own description as JSON."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlm_core.config import ModelConfig, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.io import atomic
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import ClassificationHead, Classifier
from xlm_core.model.safetensors_writer import write_safetensors
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary

FORMAT = "xlm-core model 1"
HEAD = "head."  # begins the names of a classification head's weights


def save(path: Path, model: Transformer, about: dict[str, Any], head: ClassificationHead | None = None) -> None:
    """Write ``model``, its ``head`` if it has one, and ``about`` it what else a reader must know, as plain data."""
    state = model.state_dict()
    if head is not None:
        state.update({HEAD + name: tensor for name, tensor in head.state_dict().items()})
    shape = None if head is None else {"n_classes": head.classes.out_features, "dropout": head.dropout.p}
    _save(path, state, model, {"head": shape, "about": about})


def save_translator(path: Path, translator: EncoderDecoder, about: dict[str, Any]) -> None:
    """Write both halves of ``translator``, and ``about`` it as ``save`` does."""
    _save(path, translator.state_dict(), translator.encoder, {"head": None, "translates": True, "about": about})


def _save(path: Path, state: Mapping[str, Tensor], model: Transformer, more: dict[str, Any]) -> None:
    """Write weights, and with them the shape of ``model`` and what ``more`` is said."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    description = {
        "format": FORMAT,
        "model": to_dict(model.config),
        "n_tokens": model.vocab_size,
        "n_languages": model.n_languages,
        "sha256": _checksum(tensors),
        **more,
    }
    metadata = {"xlm": json.dumps(description, ensure_ascii=False, sort_keys=True)}
    with atomic(path) as partial:
        write_safetensors(partial, tensors, metadata)


def load(path: Path) -> tuple[Transformer, dict[str, Any]]:
    """Read a model, on the CPU and in evaluation mode, and what was said ``about`` it; a head is left aside.

    Raises:
        CheckpointError: the file is missing, damaged, a translator, or no model of this program.
    """
    tensors, description = _read(path)
    if description.get("translates"):
        raise CheckpointError(f"{path}: found a translator; expected an encoder or a language model")
    encoder = {name: tensor for name, tensor in tensors.items() if not name.startswith(HEAD)}
    return _build(path, description, encoder), description["about"]


def load_classifier(path: Path) -> tuple[Classifier, dict[str, Any]]:
    """Read a model with its classification head, as ``load`` reads one without.

    Raises:
        CheckpointError: as ``load``, and where the model has no head.
    """
    tensors, description = _read(path)
    if description["head"] is None:
        raise CheckpointError(f"{path}: found a model without a classification head; expected a fine-tuned one")
    encoder = {name: tensor for name, tensor in tensors.items() if not name.startswith(HEAD)}
    classifier = Classifier(_build(path, description, encoder), **description["head"])
    head = {name.removeprefix(HEAD): tensor for name, tensor in tensors.items() if name.startswith(HEAD)}
    classifier.head.load_state_dict(head)
    return classifier.eval(), description["about"]


def load_translator(path: Path) -> tuple[EncoderDecoder, dict[str, Any]]:
    """Read a translator, as ``load`` reads a model.

    Raises:
        CheckpointError: as ``load``, and where the model is no translator.
    """
    tensors, description = _read(path)
    if not description.get("translates"):
        raise CheckpointError(f"{path}: found a language model alone; expected a translator, which has a decoder too")
    halves = [
        _build(path, description, {n.removeprefix(half): t for n, t in tensors.items() if n.startswith(half)}, reads)
        for half, reads in (("encoder.", False), ("decoder.", True))
    ]
    return EncoderDecoder(*halves).eval(), description["about"]


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
    """The weights and the description of a file, checked."""
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {}).get("xlm", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); expected a model; train it again") from error
    if description.get("format") != FORMAT:
        raise CheckpointError(f"{path}: format {description.get('format')!r}, expected {FORMAT!r}; train it again")
    if _checksum(tensors) != description.get("sha256"):
        raise CheckpointError(f"{path} is damaged: its weights have another checksum than when written; train it again")
    return tensors, description


def _build(
    path: Path, description: dict[str, Any], tensors: dict[str, Tensor], is_decoder: bool = False
) -> Transformer:
    """The Transformer of a description with its weights."""
    try:
        config = ModelConfig.model_validate(description["model"])
        with torch.device("meta"):  # no weights are drawn only to be replaced
            model = Transformer(config, description["n_tokens"], description["n_languages"], is_decoder)
        model.load_state_dict(tensors, assign=True)
    except (KeyError, ValidationError, RuntimeError) as error:
        raise CheckpointError(f"{path}: description and weights do not agree ({error}); train it again") from error
    return model.eval()


def _checksum(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of all weights, which safetensors itself does not protect."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()
