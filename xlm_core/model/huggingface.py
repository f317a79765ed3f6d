"""Folders of Hugging Face's ``transformers``: a ``config.json`` and a ``model.safetensors``, written without it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlm_core.config import ModelConfig, read
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.io import atomic, read_json, write_json
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.heads import Classifier
from xlm_core.model.published import from_published, language_ids_of, shape_of, to_published
from xlm_core.model.transformer import NORM_EPSILON, Transformer
from xlm_core.text.vocabulary import BOS, EOS, MASK, PAD, UNK

CONFIG, WEIGHTS = "config.json", "model.safetensors"
BODY = "transformer."  # begins the name of every weight but the heads'
HEADS = ("pred_layer.", "sequence_summary.")
FIXED = {
    "model_type": "xlm",
    "gelu_activation": True,
    "sinusoidal_embeddings": False,
    "asm": False,
    "is_encoder": True,
    "layer_norm_eps": NORM_EPSILON,
    "bos_index": BOS,  # older folders have these three, newer ones those with _token_id
    "eos_index": EOS,
    "pad_index": PAD,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "unk_index": UNK,
    "mask_index": MASK,
}  # what a folder says, or leaves to the same default, that holds a model of the paper
MLM, CLASSIFIER = "XLMWithLMHeadModel", "XLMForSequenceClassification"


def export_model(model: Transformer, languages: Sequence[str], folder: Path, *, causal: bool) -> None:
    """Write ``model`` as an ``XLMWithLMHeadModel`` into ``folder``.

    Args:
        languages: their codes, in any order.
        causal: it was trained left to right (CLM), and its states are to be computed so.

    Raises:
        CheckpointError: the library cannot represent the model: its feed-forward width is always four times ``dim``.
    """
    tensors = {_theirs(name): tensor for name, tensor in to_published(model).items()}
    _write(folder, _config(model, languages, MLM) | {"causal": causal}, tensors)


def export_classifier(classifier: Classifier, languages: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """Write a fine-tuned model as an ``XLMForSequenceClassification``, without the bias of its prediction layer.

    The library's summary of a sequence is then ours: the first state, dropout, one linear layer.

    Args:
        classifier: the model; it attends both ways.
        languages: their codes, in any order.
        labels: names of the classes.

    Raises:
        CheckpointError: as ``export_model``, and where there are not as many labels as classes.
    """
    head = classifier.head
    if len(labels) != head.classes.out_features:
        raise CheckpointError(f"{folder}: {len(labels)} labels for {head.classes.out_features} classes; name each one")
    tensors = {BODY + name: tensor for name, tensor in to_published(classifier.encoder).items() if _is_body(name)}
    tensors |= {f"sequence_summary.summary.{name}": tensor for name, tensor in head.classes.state_dict().items()}
    summary = {
        "causal": False,
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
        "summary_type": "first",
        "summary_use_proj": True,
        "summary_proj_to_labels": True,
        "summary_activation": None,
        "summary_first_dropout": head.dropout.p,
    }
    _write(folder, _config(classifier.encoder, languages, CLASSIFIER) | summary, tensors)


def import_model(folder: Path) -> tuple[Transformer, tuple[str, ...], bool]:
    """Read an ``XLMWithLMHeadModel``: the model, its languages sorted by code, and whether it is causal.

    Raises:
        CheckpointError: files are missing or damaged, or the model is not one of the paper.
    """
    settings, tensors = _settings(folder / CONFIG), _weights(folder / WEIGHTS)
    ids = language_ids_of(settings, folder / CONFIG)
    body = {name.removeprefix(BODY): tensor for name, tensor in tensors.items()}
    if not any(name.startswith(HEADS[0]) for name in body):
        raise CheckpointError(f"{folder}: a model without prediction layer (pred_layer); expected one of kind {MLM}")
    shape = shape_of(body, str(folder))
    found = {
        "n_heads": settings.get("n_heads"),
        "language_embeddings": settings.get("use_lang_emb", True),
        "dropout": settings.get("dropout", 0.1),
        "attention_dropout": settings.get("attention_dropout", 0.1),
    }
    try:
        config = read(ModelConfig, shape | found, path=str(folder / CONFIG))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    model = from_published(body, config, ids, str(folder))
    return model, tuple(sorted(ids)), bool(settings.get("causal", False))


def _config(model: Transformer, languages: Sequence[str], architecture: str) -> dict[str, Any]:
    config, ids = model.config, language_ids(languages)
    if config.feedforward_dim != 4 * config.dim:
        raise CheckpointError(
            f"a model with feedforward_dim {config.feedforward_dim} and dim {config.dim}: "
            f"transformers' XLM knows only feedforward_dim = 4 * dim = {4 * config.dim}; train one of that shape"
        )
    return FIXED | {
        "architectures": [architecture],
        "vocab_size": model.vocab_size,
        "emb_dim": config.dim,
        "n_layers": config.n_layers,
        "n_heads": config.n_heads,
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "max_position_embeddings": config.max_positions,
        "embed_init_std": config.dim**-0.5,
        "n_langs": model.n_languages,
        "use_lang_emb": config.language_embeddings,
        "lang2id": ids,
        "id2lang": {str(number): code for code, number in ids.items()},
        "mask_token_id": MASK,
        "dtype": "float32",
        "tie_word_embeddings": True,
    }


def _write(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Both files; the configuration last, so that a folder with one is whole."""
    with atomic(folder / WEIGHTS) as partial:
        checkpoint.write(partial, tensors, {"format": "pt"})
    write_json(folder / CONFIG, config)


def _settings(path: Path) -> dict[str, Any]:
    """A ``config.json``, checked to be of a model of the paper."""
    try:
        settings = read_json(path)
        if not isinstance(settings, dict):
            raise ValueError(f"it holds a {type(settings).__name__}")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); expected a transformers folder") from error
    found = {"model_type": None} | settings
    wrong = [key for key, value in FIXED.items() if found.get(key, value) != value]
    if wrong:
        shown = [json.dumps({key: values[key] for key in wrong}) for values in (found, FIXED)]
        raise CheckpointError(f"{path}: found {shown[0]}, expected {shown[1]}; only XLM as in the paper can be read")
    return settings


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is missing or damaged ({error}); expected all weights in this one file; "
            f"where they are in another form, write them again with transformers' save_pretrained"
        ) from error


def _is_body(name: str) -> bool:
    return not name.startswith(HEADS)


def _theirs(name: str) -> str:
    return BODY + name if _is_body(name) else name
