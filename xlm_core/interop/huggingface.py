"""Write models into folders that Hugging Face's ``transformers`` loads, and read models of such folders.

All settings are written, so that no version of the library fills one in. The library itself is not needed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from xlm_core.config.pretrained import saving_call
from xlm_core.errors import CheckpointError
from xlm_core.interop import bert, original_xlm
from xlm_core.interop.bert import ExportedModel
from xlm_core.interop.original_xlm import ImportedModel
from xlm_core.io import atomic, read_json, read_problem
from xlm_core.languages import language_ids
from xlm_core.model.checkpoint import write_safetensors
from xlm_core.model.heads import ClassificationHead
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import BOS, EOS, MASK, PAD, UNK
from xlm_core.version import VERSION

CONFIG, WEIGHTS = "config.json", "model.safetensors"
BODY, PREDICTION = "transformer.", "pred_layer."  # begin the names of the encoder's weights, and of the output's
SUMMARY, BUFFER = "sequence_summary.summary.", "position_ids"  # of a classification head; and no weight, in old folders
INDICES = {"bos": BOS, "eos": EOS, "pad": PAD, "unk": UNK, "mask": MASK}
FIXED = {
    **original_xlm.PAPER_SETTINGS,
    "model_type": "xlm",
    "is_encoder": True,
    **{f"{symbol}_index": index for symbol, index in INDICES.items()},  # older folders have all of them
    **{f"{symbol}_token_id": INDICES[symbol] for symbol in ("bos", "eos", "pad")},  # newer folders have these instead
}  # values of a folder with a model of the paper, explicit or by default
HEADS = {
    "summary_type": "first", "summary_use_proj": True, "summary_proj_to_labels": True, "summary_activation": None,
    "summary_first_dropout": 0.1, "start_n_top": 5, "end_n_top": 5,
}  # fmt: skip  # a summary of the sequence like our classification head; and the library's values of what is not here
MLM, CLASSIFIER = "XLMWithLMHeadModel", "XLMForSequenceClassification"


def export_model(
    model: Transformer,
    languages: Sequence[str],
    *,
    causal: bool = False,
    head: ClassificationHead | None = None,
    labels: Sequence[str] = (),
) -> ExportedModel:
    """Return a model as an ``XLMWithLMHeadModel``, or with its head as an ``XLMForSequenceClassification``.

    The library's summary of a sequence is configured as our head: the first state, dropout, one linear layer. A
    classifier is written without the bias of its prediction layer.

    Args:
        model: a language model, or the encoder of a classifier.
        languages: their codes, in any order.
        causal: the model was trained left to right (CLM), and its states are to be computed so.
        head: of a classifier, which attends both ways.
        labels: names of its classes.

    Raises:
        CheckpointError: the library cannot represent the model: its feed-forward width is always four times ``dim``;
            or there are not as many labels as classes.
    """
    config = model.config
    if config.feedforward_dim != 4 * config.dim:
        raise CheckpointError(
            f"a model with feedforward_dim {config.feedforward_dim} and dim {config.dim}: "
            f"transformers' XLM knows only feedforward_dim = 4 * dim = {4 * config.dim}; train one of that shape"
        )
    settings: dict[str, Any] = {"architectures": [MLM], "causal": causal}
    weights = {f"{PREDICTION}proj.bias": model.output_bias.detach().cpu()}
    if head is not None:
        weights = {f"{SUMMARY}{name}": tensor.detach().cpu() for name, tensor in head.classes.state_dict().items()}
        settings = {"architectures": [CLASSIFIER], "causal": False, "summary_first_dropout": head.dropout.p}
        settings |= bert.label_settings(labels, head.classes.out_features)
    original = original_xlm.to_original_names(model)
    body = {BODY + name: tensor for name, tensor in original.items() if not name.startswith(PREDICTION)}
    written = {
        **{key: value for key, value in FIXED.items() if key != "use_memory"},  # which no version knows
        "vocab_size": model.vocab_size,
        "emb_dim": config.dim,
        **config.model_dump(include={"n_layers", "n_heads", "dropout", "attention_dropout"}),
        "max_position_embeddings": config.max_positions,
        "embed_init_std": config.embedding_init_std or config.dim**-0.5,
        "init_std": 0.02,
        "layer_norm_eps": config.norm_epsilon,
        "n_langs": len(languages),
        "use_lang_emb": config.language_embeddings,
        "lang_id": 0,
        "mask_token_id": MASK,
        **language_settings(languages),
        **HEADS,
        **bert.ALWAYS,
        **settings,
    }
    return ExportedModel(written, body | weights)


def language_settings(languages: Sequence[str]) -> dict[str, Any]:
    """Return the ids of languages as settings of XLM's models and tokenizers."""
    ids = language_ids(languages)
    return {"lang2id": ids, "id2lang": {str(number): language for language, number in ids.items()}}


def write_weights(weights: Mapping[str, Tensor], folder: Path) -> None:
    """Write weights, not by ``save_pretrained``, whose errors do not say that a disk is full."""
    with atomic(folder / WEIGHTS) as partial:
        write_safetensors(partial, weights, {"format": "pt", "xlm_core": VERSION})


def import_model(folder: Path) -> ImportedModel:
    """Read a model of XLM or of the BERT family: an encoder alone, a language model or a classifier.

    The configuration does not tell MLM from TLM. Without a prediction layer the output's bias is zero.

    Raises:
        CheckpointError: files are missing or damaged, or the model is not one of the paper.
    """
    settings, tensors = _read_settings(folder / CONFIG), read_weights(folder / WEIGHTS)
    if settings["model_type"] in bert.MODEL_TYPES:
        return bert.read_model(settings, tensors, str(folder))
    weights = {name.removeprefix(BODY): tensor for name, tensor in tensors.items() if not name.endswith(BUFFER)}
    head = {name.removeprefix(SUMMARY): weights.pop(name) for name in list(weights) if name.startswith(SUMMARY)}
    if original_xlm.EMBEDDINGS in weights:
        weights.setdefault(
            f"{PREDICTION}proj.bias", weights[original_xlm.EMBEDDINGS].new_zeros(len(weights[original_xlm.EMBEDDINGS]))
        )
    model, languages = original_xlm.from_original_names(weights, settings, str(folder))
    imported = ImportedModel(model, languages, ["clm" if settings.get("causal") else "mlm"])
    if not head:
        return imported
    labels = bert.labels_of(settings)
    classes = bert.head_of(head, model.config.dim, len(labels), settings.get("summary_first_dropout", 0.1), str(folder))
    return imported._replace(head=classes, labels=labels)


def _read_settings(path: Path) -> dict[str, Any]:
    """Read a ``config.json`` and check that it is of a model of the paper or of the BERT family."""
    try:
        settings: dict[str, Any] = {"model_type": None} | read_json(path)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} {read_problem(path, error)}; expected a whole transformers folder") from error
    if (model_type := settings["model_type"]) not in (*bert.MODEL_TYPES, "xlm", None):
        raise CheckpointError(
            f"{path}: found a model of type {model_type}, expected one of {', '.join(bert.MODEL_TYPES)}, xlm; an "
            f"encoder of another type can be a row of xnli, glue and the ablation: give its run pretrained.format: "
            f"transformers"
        )
    if model_type not in bert.MODEL_TYPES:
        original_xlm.check_settings(settings, FIXED, path)
    return settings


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a ``model.safetensors``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} {read_problem(path, error)}; expected all weights in this one file; "
            f"where they are in another form, this writes it: {saving_call('AutoModelForMaskedLM', path.parent)}"
        ) from error
