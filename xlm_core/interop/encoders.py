"""Encoders of any architecture: those that ``transformers`` computes, and files of models that hold one or ours.

An encoder that is not a Transformer of ours (rotary or relative positions, normalization before the layers) is run by
the library itself. It is fine-tuned, embeds, classifies and is scored by retrieval through the interface of ours. Its
file has the weights under the library's names, and the ``config.json`` that they belong to.

The library is imported where it is needed alone, because nothing else needs it (extra ``interop``).
"""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xlm_core.config import ModelConfig
from xlm_core.config.pretrained import SHAPE
from xlm_core.data.batch import EncoderInput, from_arrays
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.io import read_json, read_problem
from xlm_core.model import checkpoint
from xlm_core.model.encoder import Encoder, padding_of
from xlm_core.model.heads import Classifier

CONFIG = "config.json"
UNUSED = ("dtype", "torch_dtype", "auto_map")  # settings: weights are float32 here, and no code of a folder is run
POOLER = "pooler."  # begins the names of the weights behind the first state, which some models have


class TransformersEncoder(Encoder):
    """An encoder that ``transformers`` computes, with the dropout of its own settings.

    It reads tokens, segments if it knows them, and what is padding; positions are its own, and languages it has none.
    """

    def __init__(self, config: ModelConfig, n_languages: int, settings: Mapping[str, Any], has_pooler: bool) -> None:
        """Make a random model.

        Args:
            config: its shape, and how much text it reads (``max_positions``).
            n_languages: that it is used for.
            settings: of its ``config.json``.
            has_pooler: whether a classification head reads a transformed first state, or that state itself.

        Raises:
            CheckpointError: the settings are of no encoder that the library knows.
            ConfigError: the library is not installed.
        """
        super().__init__()
        self.config, self.n_languages, self.settings = config, n_languages, dict(settings)
        parsed = _parse(settings)
        self.model: Any = _transformers().AutoModel.from_config(parsed)
        self.vocab_size: int = parsed.vocab_size
        if not has_pooler and hasattr(self.model, "pooler"):
            self.model.pooler = None
        self._has_segments = "token_type_ids" in inspect.signature(self.model.forward).parameters

    @property
    def description(self) -> dict[str, Any]:
        """As of every encoder, with the settings of the architecture."""
        return super().description | {checkpoint.TRANSFORMERS: self.settings}

    def forward(self, batch: EncoderInput, causal: bool = False, output_positions: Tensor | None = None) -> Tensor:
        """Compute the last layer's states, after the normalization that ends the model where it has one."""
        assert not causal, "an encoder of transformers attends both ways"
        last: Tensor = self._outputs(batch).last_hidden_state
        if output_positions is not None:
            return last.flatten(0, 1).index_select(0, output_positions)
        return last.masked_fill(padding_of(batch)[:, :, None], 0.0)

    def states(self, batch: EncoderInput, causal: bool = False) -> Iterator[Tensor]:
        """Yield what the library calls hidden states: after the embeddings, then after each layer."""
        assert not causal, "an encoder of transformers attends both ways"
        padding = padding_of(batch)[:, :, None]
        for hidden in self._outputs(batch, output_hidden_states=True).hidden_states:
            yield hidden.masked_fill(padding, 0.0)

    def _outputs(self, batch: EncoderInput, **options: Any) -> Any:
        if self._has_segments and batch.segments is not None:
            options["token_type_ids"] = batch.segments
        return self.model(input_ids=batch.tokens, attention_mask=(~padding_of(batch)).long(), **options)

    def pool(self, first: Tensor) -> Tensor:
        """Apply the model's pooler, where it has a trained one."""
        pooler = getattr(self.model, "pooler", None)
        pooled: Tensor = first if pooler is None else pooler(first[:, None])
        return pooled

    def freeze(self, n_layers: int) -> None:
        """Leave the embeddings and the first ``n_layers`` layers out of training.

        Raises:
            ConfigError: the model has no list of so many layers, because they share weights, for instance.
        """
        lists = [each for each in self.model.modules() if isinstance(each, nn.ModuleList)]
        layers = next((each for each in lists if len(each) == self.config.n_layers), None)
        if layers is None:
            raise ConfigError(
                f"n_frozen_layers: a model of type {self.settings['model_type']} does not have {self.config.n_layers} "
                f"layers that can be frozen one by one; write null"
            )
        embeddings = getattr(self.model, "embeddings", None) or self.model.get_input_embeddings()
        for module in [embeddings, *layers[:n_layers]]:
            module.requires_grad_(False)

    def average_language_embeddings(self) -> None:
        """Do nothing: there are none."""


def read_folder(folder: Path, config: ModelConfig, n_languages: int) -> TransformersEncoder:
    """Read the encoder of a folder of ``transformers``: of one alone, of a language model or of a classifier.

    Args:
        folder: with ``config.json`` and ``model.safetensors``.
        config: the shape that is expected; where the settings say another, the encoder has theirs.
        n_languages: that it is used for.

    Raises:
        CheckpointError: it is missing, damaged, no encoder that the library knows, or cannot read ``max_positions``.
        ConfigError: the library is not installed.
    """
    try:
        given: dict[str, Any] = {"model_type": None} | read_json(folder / CONFIG)
    except (OSError, ValueError, TypeError) as error:
        problem = read_problem(folder / CONFIG, error)
        raise CheckpointError(f"{folder / CONFIG} {problem}; expected a whole transformers folder") from error
    settings = {key: value for key, value in given.items() if key not in UNUSED}
    parsed = _parse(settings, str(folder / CONFIG))
    try:
        loaded, report = _transformers().AutoModel.from_pretrained(
            folder, config=parsed, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # the library raises many kinds where weights and settings do not fit
        raise CheckpointError(
            f"{folder}: weights are missing or do not fit the settings ({' '.join(str(error).split())}); take a whole "
            f"copy, with all weights in one model.safetensors"
        ) from error
    missing = {*report["missing_keys"], *(str(key) for key, *_ in report["mismatched_keys"])}
    has_pooler = hasattr(loaded, "pooler") and not any(name.startswith(POOLER) for name in missing)
    if lacking := sorted(name for name in missing if not name.startswith(POOLER)):
        raise CheckpointError(
            f"{folder}: found no weights {', '.join(lacking[:3])} of {len(lacking)} that its settings ask for; take a "
            f"whole copy of it"
        )
    found = {key: value for key, name in SHAPE.items() if (value := getattr(parsed, name, None)) is not None}
    found["max_positions"] = min(config.max_positions, getattr(parsed, "max_position_embeddings", config.max_positions))
    encoder = TransformersEncoder(config.model_copy(update=found), n_languages, settings, has_pooler)
    weights = {name: tensor.float() for name, tensor in loaded.state_dict().items()}
    encoder.model.load_state_dict({name: weights[name] for name in encoder.model.state_dict()})
    encoder.eval()
    _check_states(encoder, folder)
    return encoder


@torch.inference_mode()
def _check_states(encoder: TransformersEncoder, folder: Path) -> None:
    """Compute the states of one sentence of ``max_positions`` tokens."""
    config = encoder.config
    token = 0 if encoder.model.config.pad_token_id else 1  # padding may have no position
    batch = from_arrays(np.full((1, config.max_positions), token), np.arange(config.max_positions), np.array(0))
    try:
        shapes = [tuple(states.shape) for states in encoder.states(batch)]
    except (RuntimeError, IndexError, ValueError) as error:
        raise CheckpointError(
            f"{folder}: a text of {config.max_positions} tokens cannot be computed "
            f"({' '.join(str(error).split())}); lower the max_positions of the section 'model' of its setup"
        ) from error
    expected = [(1, config.max_positions, config.dim)] * (config.n_layers + 1)
    if shapes != expected:
        raise CheckpointError(
            f"{folder}: found states of shapes {sorted(set(shapes))} after {len(shapes) - 1} layers, expected "
            f"{expected[0]} after {config.n_layers}; models whose layers differ in width or length cannot be used"
        )


def load(path: Path) -> tuple[Encoder, dict[str, Any]]:
    """Read a model of any architecture, on the CPU and in evaluation mode, and its metadata.

    A classification head is ignored.

    Raises:
        CheckpointError: the file is missing, damaged, a translator, or no model of this program.
        ConfigError: it needs a library that is not installed.
    """
    tensors, description = checkpoint.read_encoder(path)
    return _build(path, description, tensors), description["about"]


def load_classifier(path: Path) -> tuple[Classifier, dict[str, Any]]:
    """Read a model with its classification head, as ``load`` reads one without.

    Raises:
        CheckpointError: as in ``load``, or the model has no head.
        ConfigError: as in ``load``.
    """
    tensors, description = checkpoint.read_encoder(path)
    if description["head"] is None:
        raise CheckpointError(f"{path}: found a model without a classification head; expected a fine-tuned one")
    encoder = _build(path, description, tensors)
    return checkpoint.build_classifier(encoder, description, tensors), description["about"]


def _build(path: Path, description: dict[str, Any], tensors: dict[str, Tensor]) -> Encoder:
    """Make the encoder of a description with its weights."""
    if checkpoint.TRANSFORMERS not in description:
        return checkpoint.build_transformer(path, description, tensors)
    weights = checkpoint.encoder_weights(tensors)
    has_pooler = any(name.startswith(f"model.{POOLER}") for name in weights)
    config, settings = ModelConfig.model_validate(description["model"]), description[checkpoint.TRANSFORMERS]
    try:
        encoder = TransformersEncoder(config, description["n_languages"], settings, has_pooler)
        encoder.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: the weights are not those of transformers {_transformers().__version__} for "
            f"{settings['model_type']} ({' '.join(str(error).split())}); import it again with this version"
        ) from error
    return encoder.eval()


def _parse(settings: Mapping[str, Any], location: str = CONFIG) -> Any:
    """Return the library's configuration of an encoder that was trained to tell hidden tokens.

    Others, which read from left to right or have a decoder, have no first state that stands for the whole input.
    """
    library = _transformers()
    known, model_type = library.CONFIG_MAPPING, settings["model_type"]
    if model_type not in known:
        raise CheckpointError(
            f"{location}: found an architecture {model_type!r} that transformers {library.__version__} does not know; "
            f"code that comes with a model is not run: install a version that has it, or take another model"
        )
    parsed = known[model_type].from_dict(dict(settings))
    is_encoder = type(parsed) in library.MODEL_FOR_MASKED_LM_MAPPING
    if not is_encoder or parsed.is_encoder_decoder or settings.get("is_decoder"):
        raise CheckpointError(
            f"{location}: found a model of type {model_type}, expected an encoder that attends both ways and was "
            f"trained by masked language modeling; take another model"
        )
    return parsed


def _transformers() -> Any:
    """Import the library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise ConfigError(
            f"models of format transformers are run by the package {error.name}, which is not installed; install it "
            "with: pip install -e '.[interop]'"
        ) from error
    return transformers
