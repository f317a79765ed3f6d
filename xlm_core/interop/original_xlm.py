"""Read the checkpoints (``.pth``) of the original XLM program without running code, and convert names of weights.

Shapes: D dimensions, V tokens in the vocabulary.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xlm_core.config import ModelConfig, read
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import N_SPECIAL, SPECIAL

EMBEDDINGS, OUTPUT = "embeddings.weight", "pred_layer.proj.weight"  # one tensor under two names
POSITIONS, LANGUAGES = "position_embeddings.weight", "lang_embeddings.weight"
OUTER = {
    EMBEDDINGS: "embeddings.weight",
    POSITIONS: "position_embeddings.weight",
    LANGUAGES: "language_embeddings.weight",
    "layer_norm_emb.weight": "embedding_norm.weight",
    "layer_norm_emb.bias": "embedding_norm.bias",
    "pred_layer.proj.bias": "output_bias",
}
INNER = {  # of a layer: its number stands for the braces, and ".weight" or ".bias" follows
    "attentions.{}.out_lin": "attention.out",
    "layer_norm1.{}": "attention_norm",
    "ffns.{}.lin1": "wide",
    "ffns.{}.lin2": "narrow",
    "layer_norm2.{}": "feedforward_norm",
}
QKV = ("attentions.{}.q_lin", "attentions.{}.k_lin", "attentions.{}.v_lin")  # three there, one here
REFUSED = {
    "sinusoidal_embeddings": "sinusoidal positions",
    "asm": "an adaptive softmax",
    "use_memory": "product-key memories",
}  # settings of later or other models, which the paper's do not use
NUMPY = (
    "numpy.ndarray",
    "numpy.dtype",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
)  # what a pickle names to hold numpy's numbers and arrays, before numpy 2 and since


@dataclass(frozen=True)
class OriginalCheckpoint:
    """The contents of a published checkpoint.

    model       in evaluation mode; language embeddings in the alphabetical order of the codes
    languages   their codes, sorted
    objectives  that it was trained with
    pieces      (V,) of the vocabulary, special symbols first, in text form: ``@@`` where a word goes on
    """

    model: Transformer
    languages: tuple[str, ...]
    objectives: tuple[str, ...]
    pieces: tuple[str, ...]


def read_checkpoint(path: Path) -> OriginalCheckpoint:
    """Read a published checkpoint. Nothing in the file is executed; of a translation model the encoder is read.

    Raises:
        CheckpointError: the file is missing, damaged, holds something other than weights and plain data, or a model
            that is not of the paper: ReLU, sinusoidal positions, adaptive softmax, product-key memories.
    """
    data = _load(path)
    weights, params = _encoder_weights(data, path), data.get("params")
    if not isinstance(params, dict):
        raise CheckpointError(f"{path}: found no settings under 'params'; expected a checkpoint as XLM published them")
    config = _config(weights, params, path)
    ids = language_ids_of(params, path)
    model = from_original_names(weights, config, ids, str(path))
    objectives = _objectives(params)
    return OriginalCheckpoint(model, tuple(sorted(ids)), objectives, _pieces(data, model.vocab_size, path))


def to_original_names(model: Transformer) -> dict[str, Tensor]:
    """Return the weights under their original names, without the output's weight (V, D), which is the embeddings'."""
    state = model.state_dict()
    found = {theirs: state[ours] for theirs, ours in OUTER.items() if ours in state}
    for number in range(model.config.n_layers):
        for kind in ("weight", "bias"):
            thirds = state[f"layers.{number}.attention.qkv.{kind}"].chunk(3)
            found |= {f"{name.format(number)}.{kind}": part for name, part in zip(QKV, thirds, strict=True)}
            for theirs, ours in INNER.items():
                found[f"{theirs.format(number)}.{kind}"] = state[f"layers.{number}.{ours}.{kind}"]
    return {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}


def from_original_names(
    weights: Mapping[str, Tensor], config: ModelConfig, languages: Mapping[str, int], location: str
) -> Transformer:
    """Return the model, in evaluation mode and float32, from weights under their original names.

    Args:
        weights: all of them; the output's own weight may be left out.
        config: the model's shape.
        languages: code -> row of the language embeddings; the rows are put into alphabetical order.
        location: begins the messages.

    Raises:
        CheckpointError: weights are missing, left over, of another shape, or the output has weights of its own.
    """
    if OUTPUT in weights and not torch.equal(weights[OUTPUT], weights[EMBEDDINGS]):
        raise CheckpointError(
            f"{location}: the output has weights of its own; expected those of the embeddings (share_inout_emb)"
        )
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, len(weights[EMBEDDINGS]), len(languages))
    renamed = {name: tensor.detach().float() for name, tensor in weights.items() if name != OUTPUT}
    if LANGUAGES in renamed and model.language_embeddings is not None:
        _check_table(renamed[LANGUAGES], languages, location)
        renamed[LANGUAGES] = renamed[LANGUAGES][[languages[code] for code in sorted(languages)]]
    expected = set(_original_names(model))
    if expected != renamed.keys():
        missing, extra = sorted(expected - renamed.keys())[:3], sorted(renamed.keys() - expected)[:3]
        raise CheckpointError(
            f"{location}: weights of another model: missing {missing}, left over {extra}; "
            f"expected those of an XLM encoder with {config.n_layers} layers and its prediction layer"
        )
    try:
        model.load_state_dict(_our_names(renamed, config.n_layers), assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"{location}: weights and settings do not agree ({error}); fetch the file again"
        ) from error
    return model.eval()


def shape_of(weights: Mapping[str, Tensor], location: str) -> dict[str, int]:
    """Return the shape of a model by its weights, as keys of ``ModelConfig``.

    Raises:
        CheckpointError: a weight is missing.
    """
    try:
        positions, wide = weights[POSITIONS].shape, weights["ffns.0.lin1.weight"].shape
        n_layers = sum(name.endswith("q_lin.weight") and name.startswith("attentions.") for name in weights)
        n_tokens, dim = weights[EMBEDDINGS].shape
    except (KeyError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{location}: its weights are not those of an XLM encoder (no {error})") from error
    if n_tokens <= N_SPECIAL:
        raise CheckpointError(f"{location}: {n_tokens} embeddings; expected more than the {N_SPECIAL} special symbols'")
    return {"dim": dim, "n_layers": n_layers, "feedforward_dim": wide[0], "max_positions": positions[0]}


def language_ids_of(params: Mapping[str, Any], location: Path | str) -> dict[str, int]:
    """Return code -> id of its language embedding, from published settings or a Hugging Face configuration.

    Raises:
        CheckpointError: the languages are not named, or ids do not count from zero.
    """
    if params.get("lang2id"):
        ids = dict(params["lang2id"])
    elif params.get("id2lang"):
        ids = {code: int(number) for number, code in params["id2lang"].items()}
    elif params.get("lgs"):
        ids = {code: number for number, code in enumerate(sorted(params["lgs"].split("-")))}
    else:
        raise CheckpointError(
            f"{location}: its languages are not named; expected 'lang2id', 'id2lang' or 'lgs' among its settings"
        )
    if sorted(ids.values()) != list(range(len(ids))):
        raise CheckpointError(f"{location}: ids of languages {ids}; expected 0, 1, 2 ..., each once")
    return ids


def _load(path: Path) -> dict[str, Any]:
    """Load a ``.pth`` file: tensors and plain data; nothing else that it names is called."""
    try:
        with torch.serialization.safe_globals([(_IgnoredObject, name) for name in NUMPY]):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no checkpoint can make an unpickler raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{path} is missing, damaged, or holds more than weights and plain data, which could run code: {reason}; "
            f"expected a checkpoint as XLM published them; fetch it again"
        ) from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} holds a {type(data).__name__}; expected a checkpoint as XLM published them")
    return data


class _IgnoredObject:
    """Replaces numpy's numbers and arrays, which are not needed and which numpy would build from unchecked bytes."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def _encoder_weights(data: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return the encoder's weights, their names without the prefix of training on several GPUs."""
    weights = data.get("model") or data.get("encoder")
    if not isinstance(weights, dict) or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise CheckpointError(f"{path}: found {sorted(map(str, data))}; expected weights under 'model' or 'encoder'")
    if data.get("decoder"):
        logging.warning("%s: a translation model; its encoder is read and its decoder left aside.", path)
    return {name.removeprefix("module."): tensor for name, tensor in weights.items()}


def _config(weights: Mapping[str, Tensor], params: Mapping[str, Any], path: Path) -> ModelConfig:
    for key, what in REFUSED.items():
        if params.get(key):
            raise CheckpointError(f"{path}: a model with {what}, which the paper's do not have; it cannot be used here")
    if not params.get("gelu_activation"):
        raise CheckpointError(f"{path}: a model with ReLU; expected GELU (gelu_activation), as in the paper")
    heads = {"n_heads": params.get("n_heads"), "language_embeddings": bool(params.get("use_lang_emb", True))}
    dropout = {name: params.get(name, 0.1) for name in ("dropout", "attention_dropout")}
    try:
        return read(ModelConfig, shape_of(weights, str(path)) | heads | dropout, path=str(path))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def _check_table(table: Tensor, languages: Mapping[str, int], location: str) -> None:
    if len(table) != len(languages):
        raise CheckpointError(
            f"{location}: {len(table)} language embeddings for the {len(languages)} languages {', '.join(languages)}"
        )


def _objectives(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the objectives of steps such as [("en", None), ("en", "fr")]: with a second language, MLM is TLM."""
    kinds = {"clm" for _ in params.get("clm_steps") or ()}
    kinds |= {"tlm" if second else "mlm" for _, second in params.get("mlm_steps") or ()}
    return tuple(sorted(kinds))


def _pieces(data: Mapping[str, Any], n_tokens: int, path: Path) -> tuple[str, ...]:
    """Return the pieces that have an embedding; the vocabulary may be longer."""
    by_id = data.get("dico_id2word")
    if not isinstance(by_id, dict) or not all(number in by_id for number in range(n_tokens)):
        raise CheckpointError(f"{path}: its vocabulary (dico_id2word) names fewer than its {n_tokens} embeddings")
    pieces: Sequence[str] = [by_id[number] for number in range(n_tokens)]
    if tuple(pieces[:N_SPECIAL]) != SPECIAL:
        raise CheckpointError(f"{path}: special symbols {pieces[:N_SPECIAL]}; expected {list(SPECIAL)}")
    return tuple(pieces)


def _original_names(model: Transformer) -> list[str]:
    """Return the original names of all weights of ``model``."""
    outer = [theirs for theirs, ours in OUTER.items() if ours in model.state_dict()]
    parts = [name.format(number) for name in (*INNER, *QKV) for number in range(model.config.n_layers)]
    return outer + [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]


def _our_names(weights: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Convert original names to those of ``Transformer``; queries, keys and values are joined."""
    state = {ours: weights[theirs] for theirs, ours in OUTER.items() if theirs in weights}
    for number in range(n_layers):
        for kind in ("weight", "bias"):
            parts = [weights[f"{name.format(number)}.{kind}"] for name in QKV]
            state[f"layers.{number}.attention.qkv.{kind}"] = torch.cat(parts)
            for theirs, ours in INNER.items():
                state[f"layers.{number}.{ours}.{kind}"] = weights[f"{theirs.format(number)}.{kind}"]
    return state
