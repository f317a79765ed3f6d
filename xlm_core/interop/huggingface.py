"""Write models as folders that Hugging Face's ``transformers`` loads, and read such folders.

Folders are written with ``transformers`` (extra ``interop``) and read without it, because reading is a step of the
workflow, whose environments do not have it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from xlm_core.config import ModelConfig, read
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.interop.huggingface_tokenizer import missing_extra
from xlm_core.interop.original_xlm import from_original_names, language_ids_of, shape_of, to_original_names
from xlm_core.io import atomic, read_json
from xlm_core.languages import language_ids
from xlm_core.model.checkpoint import write_safetensors
from xlm_core.model.heads import Classifier
from xlm_core.model.transformer import NORM_EPSILON, Transformer
from xlm_core.text.vocabulary import BOS, EOS, MASK, PAD, UNK

CONFIG, WEIGHTS = "config.json", "model.safetensors"
BODY = "transformer."  # begins the names of all weights but the heads'
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
}  # values of a folder with a model of the paper, explicit or by default
MLM, CLASSIFIER = "XLMWithLMHeadModel", "XLMForSequenceClassification"


def export_model(model: Transformer, languages: Sequence[str], folder: Path, *, causal: bool) -> None:
    """Write ``model`` as an ``XLMWithLMHeadModel`` into ``folder``.

    Args:
        model: a language model.
        languages: their codes, in any order.
        causal: the model was trained left to right (CLM), and its states are to be computed so.
        folder: the output.

    Raises:
        CheckpointError: the library cannot represent the model: its feed-forward width is always four times ``dim``.
        ConfigError: transformers is not installed.
    """
    tensors = {_their_name(name): tensor for name, tensor in to_original_names(model).items()}
    _export(_config(model, languages, MLM) | {"causal": causal}, tensors, folder)


def export_classifier(classifier: Classifier, languages: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """Write a fine-tuned model as an ``XLMForSequenceClassification``, without the bias of its prediction layer.

    The library's summary of a sequence is configured as ours: the first state, dropout, one linear layer.

    Args:
        classifier: the model; it attends both ways.
        languages: their codes, in any order.
        labels: names of the classes.
        folder: the output.

    Raises:
        CheckpointError: as ``export_model``, and if there are not as many labels as classes.
        ConfigError: transformers is not installed.
    """
    head = classifier.head
    if len(labels) != head.classes.out_features:
        raise CheckpointError(f"{folder}: {len(labels)} labels for {head.classes.out_features} classes; name each one")
    encoder = to_original_names(classifier.encoder)
    tensors = {_their_name(name): tensor for name, tensor in encoder.items() if not name.startswith(HEADS)}
    tensors |= {f"sequence_summary.summary.{name}": tensor for name, tensor in head.classes.state_dict().items()}
    summary = {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "summary_type": "first",
        "summary_use_proj": True,
        "summary_proj_to_labels": True,
        "summary_activation": None,
        "summary_first_dropout": head.dropout.p,
    }
    _export(_config(classifier.encoder, languages, CLASSIFIER) | summary, tensors, folder)


def _config(model: Transformer, languages: Sequence[str], architecture: str) -> dict[str, Any]:
    """Return the arguments of ``transformers.XLMConfig`` that are not its defaults."""
    config, ids = model.config, language_ids(languages)
    if config.feedforward_dim != 4 * config.dim:
        raise CheckpointError(
            f"a model with feedforward_dim {config.feedforward_dim} and dim {config.dim}: "
            f"transformers' XLM knows only feedforward_dim = 4 * dim = {4 * config.dim}; train one of that shape"
        )
    return {
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
    }


def _export(config: Mapping[str, Any], tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Write both files; the configuration last, so that a folder with one is complete.

    The weights are not written by ``save_pretrained``, whose errors do not say that a disk is full.
    """
    try:
        from transformers import XLMConfig
    except ImportError as error:
        raise missing_extra(error) from error
    text = XLMConfig(dtype="float32", **config).to_json_string()
    with atomic(folder / WEIGHTS) as partial:
        write_safetensors(partial, tensors, {"format": "pt"})
    with atomic(folder / CONFIG) as partial:
        partial.write_text(text, encoding="utf-8")


def import_model(folder: Path) -> tuple[Transformer, tuple[str, ...], bool]:
    """Read an ``XLMWithLMHeadModel``; return the model, its languages sorted by code, and whether it is causal.

    Raises:
        CheckpointError: files are missing or damaged, or the model is not one of the paper.
    """
    settings, tensors = _read_settings(folder / CONFIG), _read_weights(folder / WEIGHTS)
    ids = language_ids_of(settings, folder / CONFIG)
    weights = {name.removeprefix(BODY): tensor for name, tensor in tensors.items()}
    if not any(name.startswith(HEADS[0]) for name in weights):
        raise CheckpointError(f"{folder}: a model without prediction layer (pred_layer); expected one of kind {MLM}")
    values = shape_of(weights, str(folder)) | {
        "n_heads": settings.get("n_heads"),
        "language_embeddings": settings.get("use_lang_emb", True),
        "dropout": settings.get("dropout", 0.1),
        "attention_dropout": settings.get("attention_dropout", 0.1),
    }
    try:
        config = read(ModelConfig, values, path=str(folder / CONFIG))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    model = from_original_names(weights, config, ids, str(folder))
    return model, tuple(sorted(ids)), bool(settings.get("causal", False))


def _read_settings(path: Path) -> dict[str, Any]:
    """Read a ``config.json`` and check that it is of a model of the paper."""
    try:
        settings = read_json(path)
        if not isinstance(settings, dict):
            raise ValueError(f"it holds a {type(settings).__name__}")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); expected a transformers folder") from error
    settings = {"model_type": None} | settings
    wrong = [key for key, value in FIXED.items() if settings.get(key, value) != value]
    if wrong:
        listed = [json.dumps({key: values[key] for key in wrong}) for values in (settings, FIXED)]
        raise CheckpointError(f"{path}: found {listed[0]}, expected {listed[1]}; only XLM as in the paper can be read")
    return settings


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is missing or damaged ({error}); expected all weights in this one file; "
            f"where they are in another form, write them again with transformers' save_pretrained"
        ) from error


def _their_name(name: str) -> str:
    return name if name.startswith(HEADS) else BODY + name
