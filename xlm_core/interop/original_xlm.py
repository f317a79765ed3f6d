"""Read the checkpoints (``.pth``) of the original XLM program without running code, and convert names of weights.

Shapes: D dimensions, V tokens in the vocabulary.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xlm_core.config import ModelConfig, read
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.model.encoder import Encoder
from xlm_core.model.heads import ClassificationHead
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import N_SPECIAL, SPECIAL

EMBEDDINGS, OUTPUT = "embeddings.weight", "pred_layer.proj.weight"  # one tensor under two names
POSITIONS, LANGUAGES = "position_embeddings.weight", "lang_embeddings.weight"
ORIGINAL_NAMES = {
    "embeddings.weight": EMBEDDINGS,
    "position_embeddings.weight": POSITIONS,
    "language_embeddings.weight": LANGUAGES,
    "embedding_norm.weight": "layer_norm_emb.weight",
    "embedding_norm.bias": "layer_norm_emb.bias",
    "output_bias": "pred_layer.proj.bias",
}  # name of a weight here -> there
ORIGINAL_LAYER_NAMES = {
    "attention.qkv": ("attentions.{}.q_lin", "attentions.{}.k_lin", "attentions.{}.v_lin"),
    "attention.out": ("attentions.{}.out_lin",),
    "attention_norm": ("layer_norm1.{}",),
    "wide": ("ffns.{}.lin1",),
    "narrow": ("ffns.{}.lin2",),
    "feedforward_norm": ("layer_norm2.{}",),
}  # part of a layer here -> its parts there; the layer's number stands for the braces
PAPER_SETTINGS = {"gelu_activation": True, "sinusoidal_embeddings": False, "asm": False, "use_memory": False}
NORM_EPSILON = 1e-12  # of all published checkpoints, whose settings do not name it
NUMPY = (
    "numpy.ndarray",
    "numpy.dtype",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
)  # what a pickle names to hold numpy's numbers and arrays, before numpy 2 and since


class ImportedModel(NamedTuple):
    """A model of another program.

    model       in evaluation mode; its language embeddings are in the order of ``languages``
    languages   codes, sorted; none where the model does not tell languages apart, and reads any
    objectives  that it was trained with
    pieces      (V,) of the vocabulary, special symbols first, in text form: ``@@`` where a word goes on; empty if the
                checkpoint does not hold them
    head        a classification head, if it has one
    labels      names of its classes
    model_type  of transformers
    """

    model: Encoder
    languages: Sequence[str]
    objectives: Sequence[str]
    pieces: Sequence[str] = ()
    head: ClassificationHead | None = None
    labels: Sequence[str] = ()
    model_type: str = "xlm"


def read_checkpoint(path: Path) -> ImportedModel:
    """Read a published checkpoint. Nothing in the file is executed; of a translation model the encoder is read.

    Raises:
        CheckpointError: the file is missing, damaged, holds something other than weights and plain data, or a model
            that is not of the paper: ReLU, sinusoidal positions, adaptive softmax, product-key memories.
    """
    data = _load(path)
    weights, params = _encoder_weights(data, path), data.get("params")
    if not isinstance(params, dict):
        raise CheckpointError(f"{path}: found no settings under 'params'; expected a checkpoint as XLM published them")
    check_settings({"gelu_activation": False} | params, PAPER_SETTINGS, path)  # the program's default is ReLU
    model, languages = from_original_names(weights, params, str(path))
    return ImportedModel(model, languages, _objectives(params), _pieces(data, model.vocab_size, path))


def check_settings(settings: Mapping[str, Any], expected: Mapping[str, Any], path: Path) -> None:
    """Refuse a model that is not of the paper; settings that are not there have their expected value.

    Raises:
        CheckpointError: a setting in the file ``path`` differs from its ``expected`` value.
    """
    if wrong := {key: settings[key] for key, value in expected.items() if settings.get(key, value) != value}:
        listed = {key: expected[key] for key in wrong}
        raise CheckpointError(f"{path}: found {wrong}, expected {listed}; only XLM as in the paper can be read")


def to_original_names(model: Transformer) -> dict[str, Tensor]:
    """Return the weights under their original names, without the output's weight (V, D), which is the embeddings'."""
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    return {
        theirs: part.contiguous()
        for ours, names in _original_names(state).items()
        for theirs, part in zip(names, state[ours].chunk(len(names)), strict=True)
    }


def from_original_names(
    weights: Mapping[str, Tensor], settings: Mapping[str, Any], location: str
) -> tuple[Transformer, tuple[str, ...]]:
    """Return the model, in evaluation mode and float32, and its languages, which are sorted.

    Args:
        weights: all of them under their original names; the output's own weight may be left out.
        settings: published ones, or a Hugging Face configuration.
        location: begins the messages.

    Raises:
        CheckpointError: weights are missing, left over, of another shape, or the output has weights that differ from
            the embeddings; a setting is wrong, or the languages are not named.
    """
    config, ids = _config(weights, settings, location), _language_ids(settings, location)
    if OUTPUT in weights and not torch.equal(weights[OUTPUT], weights[EMBEDDINGS]):
        raise CheckpointError(
            f"{location}: the output has weights of its own; expected those of the embeddings (share_inout_emb)"
        )
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, len(weights[EMBEDDINGS]), len(ids))
    renamed = {name: tensor.detach().float() for name, tensor in weights.items() if name != OUTPUT}
    names = _original_names(model.state_dict())
    expected = set(chain.from_iterable(names.values()))
    if expected != renamed.keys():
        missing, extra = sorted(expected - renamed.keys())[:3], sorted(renamed.keys() - expected)[:3]
        raise CheckpointError(
            f"{location}: weights of another model: missing {missing}, left over {extra}; "
            f"expected those of an XLM encoder with {config.n_layers} layers and its prediction layer"
        )
    try:
        state = {ours: renamed[theirs] for ours, (theirs, *more) in names.items() if not more}
        state |= {ours: torch.cat([renamed[theirs] for theirs in parts]) for ours, parts in names.items() if parts[1:]}
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"{location}: weights and settings do not agree ({error}); take a whole copy of the file"
        ) from error
    if model.language_embeddings is not None:
        table = model.language_embeddings.weight
        table.data = table.data[[ids[code] for code in sorted(ids)]]
    return model.eval(), tuple(sorted(ids))


def _original_names(state: Iterable[str]) -> dict[str, list[str]]:
    """Return the original names of each of our weights: three for the joined queries, keys and values, else one."""
    names = {}
    for ours in state:
        match ours.split("."):
            case ["layers", number, *part, kind]:
                names[ours] = [f"{name.format(number)}.{kind}" for name in ORIGINAL_LAYER_NAMES[".".join(part)]]
            case _:
                names[ours] = [ORIGINAL_NAMES[ours]]
    return names


def _config(weights: Mapping[str, Tensor], settings: Mapping[str, Any], location: str) -> ModelConfig:
    """Return the shape of a model by its weights, and what only the settings say."""
    try:
        positions, wide = weights[POSITIONS].shape, weights["ffns.0.lin1.weight"].shape
        n_layers = sum(name.endswith("q_lin.weight") and name.startswith("attentions.") for name in weights)
        n_tokens, dim = weights[EMBEDDINGS].shape
    except (KeyError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{location}: its weights are not those of an XLM encoder (no {error})") from error
    if n_tokens <= N_SPECIAL:
        raise CheckpointError(f"{location}: {n_tokens} embeddings; expected more than the {N_SPECIAL} special symbols'")
    values = {
        "dim": dim,
        "n_layers": n_layers,
        "feedforward_dim": wide[0],
        "max_positions": positions[0],
        "n_heads": settings.get("n_heads"),
        "language_embeddings": settings.get("use_lang_emb", True),
        "norm_epsilon": settings.get("layer_norm_eps", NORM_EPSILON),
        **{key: settings[key] for key in ("dropout", "attention_dropout") if key in settings},
    }
    try:
        return read(ModelConfig, values, path=location)
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def _language_ids(settings: Mapping[str, Any], location: str) -> dict[str, int]:
    """Return code -> id of its language embedding; the ids must count from zero."""
    codes = settings.get("id2lang") or dict(enumerate(sorted(filter(None, (settings.get("lgs") or "").split("-")))))
    ids = dict(settings.get("lang2id") or {code: int(number) for number, code in codes.items()})
    if not ids:
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
            f"expected a checkpoint as XLM published them; take a whole copy of it"
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
