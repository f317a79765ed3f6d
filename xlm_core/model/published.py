"""The published checkpoints: their names of the weights, and reading their files (``.pth``) without running code.

Letters: D dimensions, V tokens in the vocabulary.
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
class Published:
    """What a published checkpoint holds.

    model       in evaluation mode; language embeddings in the alphabetical order of the codes
    languages   their codes, sorted
    objectives  that it was trained with
    pieces      (V,) of the vocabulary, special symbols first, in text form: ``@@`` where a word goes on
    """

    model: Transformer
    languages: tuple[str, ...]
    objectives: tuple[str, ...]
    pieces: tuple[str, ...]


def read_checkpoint(path: Path) -> Published:
    """Read a published checkpoint. Nothing in the file is executed; of a translation model the encoder is read.

    Raises:
        CheckpointError: the file is missing, damaged, holds something other than weights and plain data, or a model
            that is not of the paper: ReLU, sinusoidal positions, adaptive softmax, product-key memories.
    """
    data = _unpickled(path)
    weights, params = _encoder(data, path), data.get("params")
    if not isinstance(params, dict):
        raise CheckpointError(f"{path}: found no settings under 'params'; expected a checkpoint as XLM published them")
    config = _config(weights, params, path)
    ids = language_ids_of(params, path)
    model = from_published(weights, config, ids, str(path))
    objectives = _objectives(params)
    return Published(model, tuple(sorted(ids)), objectives, _pieces(data, model.vocab_size, path))


def to_published(model: Transformer) -> dict[str, Tensor]:
    """The weights under their published names; the output's weight (V, D) is not written twice."""
    state = model.state_dict()
    found = {theirs: state[ours] for theirs, ours in OUTER.items() if ours in state}
    for number in range(model.config.n_layers):
        for kind in ("weight", "bias"):
            thirds = state[f"layers.{number}.attention.qkv.{kind}"].chunk(3)
            found |= {f"{name.format(number)}.{kind}": part for name, part in zip(QKV, thirds, strict=True)}
            for theirs, ours in INNER.items():
                found[f"{theirs.format(number)}.{kind}"] = state[f"layers.{number}.{ours}.{kind}"]
    return {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}


def from_published(
    weights: Mapping[str, Tensor], config: ModelConfig, languages: Mapping[str, int], place: str
) -> Transformer:
    """The model, in evaluation mode and float32, whose weights have these published names.

    Args:
        weights: all of them; the output's own weight may be left out.
        config: the model's shape.
        languages: code -> row of the language embeddings; the rows are put into alphabetical order.
        place: begins the messages.

    Raises:
        CheckpointError: weights are missing, left over, of another shape, or the output has weights of its own.
    """
    if OUTPUT in weights and not torch.equal(weights[OUTPUT], weights[EMBEDDINGS]):
        raise CheckpointError(
            f"{place}: the output has weights of its own; expected those of the embeddings (share_inout_emb)"
        )
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, len(weights[EMBEDDINGS]), len(languages))
    renamed = {name: tensor.detach().float() for name, tensor in weights.items() if name != OUTPUT}
    if LANGUAGES in renamed and model.language_embeddings is not None:
        _same_number(renamed[LANGUAGES], languages, place)
        renamed[LANGUAGES] = renamed[LANGUAGES][[languages[code] for code in sorted(languages)]]
    expected = set(_names(model))
    if expected != renamed.keys():
        missing, extra = sorted(expected - renamed.keys())[:3], sorted(renamed.keys() - expected)[:3]
        raise CheckpointError(
            f"{place}: weights of another model: missing {missing}, left over {extra}; "
            f"expected those of an XLM encoder with {config.n_layers} layers and its prediction layer"
        )
    try:
        model.load_state_dict(_ours(renamed, config.n_layers), assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"{place}: weights and settings do not agree ({error}); fetch the file again") from error
    return model.eval()


def shape_of(weights: Mapping[str, Tensor], place: str) -> dict[str, int]:
    """What the weights alone say about a model, as keys of ``ModelConfig``.

    Raises:
        CheckpointError: those that say it are missing.
    """
    try:
        positions, wide = weights[POSITIONS].shape, weights["ffns.0.lin1.weight"].shape
        n_layers = sum(name.endswith("q_lin.weight") and name.startswith("attentions.") for name in weights)
        n_tokens, dim = weights[EMBEDDINGS].shape
    except (KeyError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{place}: its weights are not those of an XLM encoder (no {error})") from error
    if n_tokens <= N_SPECIAL:
        raise CheckpointError(f"{place}: {n_tokens} embeddings; expected more than the {N_SPECIAL} special symbols'")
    return {"dim": dim, "n_layers": n_layers, "feedforward_dim": wide[0], "max_positions": positions[0]}


def language_ids_of(params: Mapping[str, Any], place: Path | str) -> dict[str, int]:
    """Code -> id of its language embedding, as published settings or a Hugging Face configuration say it.

    Raises:
        CheckpointError: nothing is said, or ids do not count from zero.
    """
    if params.get("lang2id"):
        ids = dict(params["lang2id"])
    elif params.get("id2lang"):
        ids = {code: int(number) for number, code in params["id2lang"].items()}
    elif params.get("lgs"):
        ids = {code: number for number, code in enumerate(sorted(params["lgs"].split("-")))}
    else:
        raise CheckpointError(
            f"{place}: its languages are not named; expected 'lang2id', 'id2lang' or 'lgs' among its settings; add one"
        )
    if sorted(ids.values()) != list(range(len(ids))):
        raise CheckpointError(f"{place}: ids of languages {ids}; expected 0, 1, 2 ..., each once")
    return ids


def _unpickled(path: Path) -> dict[str, Any]:
    """The content of a ``.pth`` file: tensors and plain data; of all else that it may name, nothing is called."""
    try:
        with torch.serialization.safe_globals([(_LeftAside, name) for name in NUMPY]):
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


class _LeftAside:
    """Stands for numpy's numbers and arrays: none is needed, and numpy trusts the bytes that it rebuilds them from."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def _encoder(data: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The encoder's weights, their names without what training on several GPUs put before them."""
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


def _same_number(table: Tensor, languages: Mapping[str, int], place: str) -> None:
    if len(table) != len(languages):
        raise CheckpointError(
            f"{place}: {len(table)} language embeddings for the {len(languages)} languages {', '.join(languages)}"
        )


def _objectives(params: Mapping[str, Any]) -> tuple[str, ...]:
    """From steps such as [("en", None), ("en", "fr")]: with a second language, MLM is TLM."""
    kinds = {"clm" for _ in params.get("clm_steps") or ()}
    kinds |= {"tlm" if second else "mlm" for _, second in params.get("mlm_steps") or ()}
    return tuple(sorted(kinds))


def _pieces(data: Mapping[str, Any], n_tokens: int, path: Path) -> tuple[str, ...]:
    """The pieces that have an embedding: the vocabulary's file is longer where the model was trained with a cut."""
    by_id = data.get("dico_id2word")
    if not isinstance(by_id, dict) or not all(number in by_id for number in range(n_tokens)):
        raise CheckpointError(f"{path}: its vocabulary (dico_id2word) names fewer than its {n_tokens} embeddings")
    pieces: Sequence[str] = [by_id[number] for number in range(n_tokens)]
    if tuple(pieces[:N_SPECIAL]) != SPECIAL:
        raise CheckpointError(f"{path}: special symbols {pieces[:N_SPECIAL]}; expected {list(SPECIAL)}")
    return tuple(pieces)


def _names(model: Transformer) -> list[str]:
    """The published names of all weights of ``model``."""
    outer = [theirs for theirs, ours in OUTER.items() if ours in model.state_dict()]
    parts = [name.format(number) for name in (*INNER, *QKV) for number in range(model.config.n_layers)]
    return outer + [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]


def _ours(weights: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Published names to those of ``Transformer``; queries, keys and values joined."""
    state = {ours: weights[theirs] for theirs, ours in OUTER.items() if theirs in weights}
    for number in range(n_layers):
        for kind in ("weight", "bias"):
            parts = [weights[f"{name.format(number)}.{kind}"] for name in QKV]
            state[f"layers.{number}.attention.qkv.{kind}"] = torch.cat(parts)
            for theirs, ours in INNER.items():
                state[f"layers.{number}.{ours}.{kind}"] = weights[f"{theirs.format(number)}.{kind}"]
    return state
