"""Read and write models of the BERT family as ``transformers`` has them: ``bert``, ``roberta`` and ``xlm-roberta``.

Their architecture is XLM's with other options of our ``Transformer``:

| | XLM | BERT | RoBERTa, XLM-R |
|---|---|---|---|
| embedding of a language | yes | no | no |
| embedding of a segment | no | two | one, which is added to the positions here |
| positions | from 0 | from 0 | from 2, whose table begins there here |
| before tokens are predicted | nothing | linear layer, GELU, normalization | the same |
| before classes | nothing | linear layer and tanh (the pooler) | of a classifier the same |

Fine-tuning drops out what a classifier's pooler gives, as BERT's; RoBERTa's own drops out what the pooler reads, too.

Every classifier of theirs has a pooler. One that was fine-tuned here without is written with the pooler
``tanh(LINEAR * x)``, whose scale the weights of the classes undo; read again, it has none.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xlm_core.config import ModelConfig, read
from xlm_core.config.pretrained import SHAPE
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.interop.original_xlm import ImportedModel
from xlm_core.model.heads import ClassificationHead
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import SpecialSymbols

MODEL_TYPES = ("bert", "roberta", "xlm-roberta")
CLASSES_OF = {"bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta"}  # begin the names of classes there
BODY_OF = {"bert": "bert.", "roberta": "roberta.", "xlm-roberta": "roberta."}  # begin the names of an encoder's weights
HEAD_PREFIXES = ("cls.", "lm_head.", "classifier.")  # begin the names of other weights
FIXED = {"hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}
POSITIONS = "position_embeddings.weight"
PREDICTED, CLASSES = "output_bias", "classes"
NAMES = {
    "embeddings": "embeddings.word_embeddings",
    "position_embeddings": "embeddings.position_embeddings",
    "segment_embeddings": "embeddings.token_type_embeddings",
    "embedding_norm": "embeddings.LayerNorm",
}  # module here -> there
LAYER_NAMES = {
    "attention.qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention.out": ("attention.output.dense",),
    "attention_norm": ("attention.output.LayerNorm",),
    "wide": ("intermediate.dense",),
    "narrow": ("output.dense",),
    "feedforward_norm": ("output.LayerNorm",),
}  # module of a layer here -> there, below ``encoder.layer.<number>``
HEADS = {
    "bert": {
        "prediction_transform.0": "cls.predictions.transform.dense",
        "prediction_transform.2": "cls.predictions.transform.LayerNorm",
        "output_bias": "cls.predictions.bias",
        "output": "cls.predictions.decoder",
        "pooler": "pooler.dense",
        "classes": "classifier",
    },
    "roberta": {
        "prediction_transform.0": "lm_head.dense",
        "prediction_transform.2": "lm_head.layer_norm",
        "output_bias": "lm_head.bias",
        "output": "lm_head.decoder",
        "pooler": "classifier.dense",
        "classes": "classifier.out_proj",
    },
}  # module here -> there
HEADS["xlm-roberta"] = HEADS["roberta"]
# A power of two, by which nothing is rounded; so small that the hyperbolic tangent of it is linear to seven digits.
LINEAR = 2.0**-13
OPTIONS = SHAPE | {
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "norm_epsilon": "layer_norm_eps",
}  # key of the section ``model`` -> setting there
ALWAYS = {"dtype": "float32", "tie_word_embeddings": True}


class ExportedModel(NamedTuple):
    """A model in the form of ``transformers``: its ``config.json``, and its weights by their names there."""

    settings: dict[str, Any]
    weights: dict[str, Tensor]


def read_model(settings: Mapping[str, Any], weights: Mapping[str, Tensor], location: str) -> ImportedModel:
    """Read a model: an encoder alone, a language model, or a classifier.

    Without a prediction layer the output's bias is zero, and nothing comes before it.

    Args:
        settings: of ``config.json``.
        weights: under their names in the folder.
        location: begins the messages.

    Raises:
        CheckpointError: weights are missing or of another shape, or an option is not known here.
    """
    if wrong := {key: settings[key] for key, value in FIXED.items() if settings.get(key, value) != value}:
        expected = {key: FIXED[key] for key in wrong}
        raise CheckpointError(
            f"{location}: found {wrong}, expected {expected}; other models of its kind cannot be read"
        )
    renamed = {_renamed(name): tensor.detach().float() for name, tensor in weights.items()}
    names = HEADS[settings["model_type"]]
    try:
        return _build(settings, renamed, names, location)
    except KeyError as error:
        raise CheckpointError(f"{location}: found no weights or setting {error}; take a whole copy of it") from error
    except (RuntimeError, ConfigError) as error:
        raise CheckpointError(
            f"{location}: weights and settings do not agree ({error}); take a whole copy of it"
        ) from error


def _build(
    settings: Mapping[str, Any], weights: dict[str, Tensor], names: Mapping[str, str], location: str
) -> ImportedModel:
    """Build the model from weights of an encoder, or of an encoder with a head."""
    is_predictor, is_pooled = names[PREDICTED] in weights, f"{names['pooler']}.weight" in weights
    is_linear = is_pooled and _is_linear(_tensors(weights, names, "pooler"))
    state = _encoder_state(weights, settings)
    n_tokens, n_positions = len(state["embeddings.weight"]), len(state[POSITIONS])
    output = weights.get(f"{names['output']}.weight", state["embeddings.weight"])
    if not torch.equal(output, state["embeddings.weight"]):
        raise CheckpointError(f"{location}: the output has weights of its own; expected those of the embeddings")
    if is_predictor:
        state |= _tensors(weights, names, "prediction_transform.0") | _tensors(weights, names, "prediction_transform.2")
        state[PREDICTED] = weights[names[PREDICTED]]
    else:
        state[PREDICTED] = torch.zeros(n_tokens)
    if is_pooled and not is_linear:
        state |= _tensors(weights, names, "pooler")
    values = {key: settings[theirs] for key, theirs in OPTIONS.items()} | {
        "max_positions": n_positions,
        "language_embeddings": False,
        "n_segments": len(state.get("segment_embeddings.weight", ())),
        "prediction_transform": is_predictor,
        "pooler": is_pooled and not is_linear,
    }
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(read(ModelConfig, values, path=location), n_tokens, 1)
    model.load_state_dict(state, assign=True)
    imported = ImportedModel(model.eval(), (), ["mlm"], model_type=settings["model_type"])
    if f"{names[CLASSES]}.weight" not in weights:
        return imported
    labels, dropout = labels_of(settings), settings.get("classifier_dropout") or settings["hidden_dropout_prob"]
    if not is_pooled:
        raise CheckpointError(
            f"{location}: found a head that reads every token; expected one that classifies sentences"
        )
    head = {kind: weights[f"{names[CLASSES]}.{kind}"] for kind in ("weight", "bias")}
    head["weight"] = head["weight"] * (LINEAR if is_linear else 1)
    return imported._replace(head=head_of(head, model.config.dim, len(labels), dropout, location), labels=labels)


def export_model(
    model: Transformer,
    symbols: SpecialSymbols,
    model_type: str,
    head: ClassificationHead | None = None,
    labels: Sequence[str] = (),
) -> ExportedModel:
    """Return a model as its own type: a classifier, a language model, or without a transform an encoder alone.

    A classifier is written without its prediction layer.

    Args:
        model: an encoder without language embeddings.
        symbols: of its vocabulary.
        model_type: one of ``MODEL_TYPES``.
        head: of a classifier.
        labels: names of its classes.

    Raises:
        CheckpointError: the model tells languages apart, or there are not as many labels as classes.
    """
    if model.language_embeddings is not None:
        raise CheckpointError(
            f"a model of type {model_type} has no language embeddings, but this one has; name the language of the "
            f"text with --language, whose embedding is then added to those of the positions"
        )
    config, offset = model.config, 0 if model_type == "bert" else symbols.pad + 1
    kind = "ForSequenceClassification" if head else "ForMaskedLM" if config.prediction_transform else "Model"
    settings = {
        "model_type": model_type,
        "architectures": [f"{CLASSES_OF[model_type]}{kind}"],
        "vocab_size": model.vocab_size,
        **{theirs: getattr(config, ours) for ours, theirs in OPTIONS.items()},
        "max_position_embeddings": config.max_positions + offset,
        "type_vocab_size": config.n_segments or 1,
        "initializer_range": config.embedding_init_std or 0.02,
        "pad_token_id": symbols.pad,
        "bos_token_id": symbols.begin,
        "eos_token_id": symbols.end,
        "use_cache": True,
        "classifier_dropout": head.dropout.p if head else None,
        **FIXED,
        **ALWAYS,
    }
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    if head is not None:
        settings |= label_settings(labels, head.classes.out_features)
        state = _classifier_state(state, head)
    elif not config.prediction_transform:
        del state[PREDICTED]
    return ExportedModel(settings, _their_weights(state, model_type, offset))


def type_of(symbols: SpecialSymbols) -> str:
    """Return the type of a model that was trained here from random weights, by its special symbols."""
    return "bert" if symbols.has_segments else "xlm-roberta"


def label_settings(labels: Sequence[str], n_classes: int) -> dict[str, Any]:
    """Return the settings that name a classifier's classes.

    Raises:
        CheckpointError: there are not as many names.
    """
    if len(labels) != n_classes:
        raise CheckpointError(f"found {len(labels)} labels for {n_classes} classes; name each one")
    return {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
        "problem_type": "regression" if n_classes == 1 else "single_label_classification",
    }


def labels_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of a classifier's classes; of two that have none, the library's."""
    names = settings.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    return [str(label) for _, label in sorted((int(id_), label) for id_, label in names.items())]


def head_of(
    weights: Mapping[str, Tensor], dim: int, n_classes: int, dropout: float, location: str
) -> ClassificationHead:
    """Return the classification head with this "weight" (n_classes, D) and "bias" (n_classes,).

    Raises:
        CheckpointError: they have another shape.
    """
    head = ClassificationHead(dim, n_classes, dropout)
    try:
        head.classes.load_state_dict({name: tensor.detach().float() for name, tensor in weights.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{location}: its head does not fit its settings ({reason}); take a whole copy"
        ) from error
    return head.eval()


def _renamed(name: str) -> str:
    """Return the name of a weight without the name of the encoder, and with today's name of a normalization's."""
    name = next((name.removeprefix(body) for body in BODY_OF.values() if name.startswith(body)), name)
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _tensors(weights: Mapping[str, Tensor], names: Mapping[str, str], ours: str) -> dict[str, Tensor]:
    """Return weight and bias of a module under our name."""
    return {f"{ours}.{kind}": weights[f"{names[ours]}.{kind}"] for kind in ("weight", "bias")}


def _encoder_state(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the encoder's weights under our names."""
    state = {f"{ours}.weight": weights[f"{theirs}.weight"] for ours, theirs in NAMES.items()}
    state["embedding_norm.bias"] = weights[f"{NAMES['embedding_norm']}.bias"]
    if settings["model_type"] != "bert":  # positions follow the id of the padding symbol
        state[POSITIONS] = state[POSITIONS][settings["pad_token_id"] + 1 :]
    if len(state["segment_embeddings.weight"]) == 1:
        state[POSITIONS] = state[POSITIONS] + state.pop("segment_embeddings.weight")
    for number in range(settings["num_hidden_layers"]):
        for ours, theirs in LAYER_NAMES.items():
            for kind in ("weight", "bias"):
                parts = [weights[f"encoder.layer.{number}.{each}.{kind}"] for each in theirs]
                state[f"layers.{number}.{ours}.{kind}"] = torch.cat(parts)
    return state


def _is_linear(pooler: Mapping[str, Tensor]) -> bool:
    """Return whether a pooler is the one of classifiers that have none here."""
    weight, bias = pooler.values()
    return torch.equal(weight, LINEAR * torch.eye(len(weight))) and not bias.any()


def _classifier_state(state: Mapping[str, Tensor], head: ClassificationHead) -> dict[str, Tensor]:
    """Return the weights of an encoder without its prediction layer, of a pooler, and of classes that read it."""
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(("prediction_transform", PREDICTED))}
    classes = {f"{CLASSES}.{kind}": tensor.detach().cpu() for kind, tensor in head.classes.state_dict().items()}
    if "pooler.weight" not in kept:
        dim = head.classes.in_features
        kept |= {"pooler.weight": LINEAR * torch.eye(dim), "pooler.bias": torch.zeros(dim)}
        classes[f"{CLASSES}.weight"] = classes[f"{CLASSES}.weight"] / LINEAR
    return kept | classes


def _their_weights(state: Mapping[str, Tensor], model_type: str, offset: int) -> dict[str, Tensor]:
    """Return weights under their names; ``offset`` rows before the first position are unused there."""
    body, modules = BODY_OF[model_type], NAMES | HEADS[model_type]
    positions = state[POSITIONS]
    unused = positions.new_zeros(offset, positions.shape[1])
    renamed = {f"{NAMES['segment_embeddings']}.weight": positions.new_zeros(1, positions.shape[1])}  # where it has none
    for name, tensor in (dict(state) | {POSITIONS: torch.cat([unused, positions])}).items():
        match name.split("."):
            case ["layers", number, *module, kind]:
                parts = [f"encoder.layer.{number}.{part}.{kind}" for part in LAYER_NAMES[".".join(module)]]
                renamed |= dict(zip(parts, tensor.chunk(len(parts)), strict=True))
            case [*module, kind] if module:
                renamed[f"{modules['.'.join(module)]}.{kind}"] = tensor
            case _:
                renamed[modules[name]] = tensor
    if "lm_head.bias" in renamed:  # transformers 4.50 reads the bias under this name, newer versions under either
        renamed["lm_head.decoder.bias"] = renamed["lm_head.bias"]
    return {(name if name.startswith(HEAD_PREFIXES) else body + name): tensor for name, tensor in renamed.items()}
