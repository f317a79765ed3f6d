"""Files of finished models: one safetensors file, which holds its own description as JSON."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from xlm_core.config import ModelConfig, plain
from xlm_core.errors import CheckpointError
from xlm_core.files import atomic
from xlm_core.model.transformer import Transformer

FORMAT = "xlm-core model 1"


def save(path: Path, model: Transformer, about: dict[str, Any]) -> None:
    """Write ``model``, and ``about`` it what else a reader must know: languages, vocabulary digest, objectives, seed."""
    description = {
        "format": FORMAT,
        "model": plain(model.config),
        "n_tokens": model.n_tokens,
        "n_languages": model.n_languages,
        "about": about,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with atomic(path) as partial:
        save_file(tensors, partial, metadata={"xlm": json.dumps(description, ensure_ascii=False, sort_keys=True)})


def load(path: Path) -> tuple[Transformer, dict[str, Any]]:
    """Read a model, on the CPU and in evaluation mode, and what was said ``about`` it.

    Raises:
        CheckpointError: the file is missing, damaged, or no model of this program.
    """
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {}).get("xlm", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is missing or damaged ({error}); expected a model; train it again") from error
    if description.get("format") != FORMAT:
        raise CheckpointError(f"{path}: format {description.get('format')!r}, expected {FORMAT!r}; train it again")
    try:
        config = ModelConfig.model_validate(description["model"])
        model = Transformer(config, description["n_tokens"], description["n_languages"])
        model.load_state_dict(tensors)
    except (KeyError, ValidationError, RuntimeError) as error:
        raise CheckpointError(f"{path}: description and weights do not agree ({error}); train it again") from error
    return model.eval(), description["about"]
