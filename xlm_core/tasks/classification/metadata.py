"""Labelled sets of a model: opened as it reads them, and what is said of a model that has learned from them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlm_core import digests
from xlm_core.data.labelled import Examples
from xlm_core.data.token_store import TokenStore
from xlm_core.languages import language_ids
from xlm_core.tasks.classification import training

LOG = logging.getLogger(__name__)


def all_of_each(stores: Mapping[str, Path], model: Mapping[str, Any]) -> dict[str, Examples]:
    """All examples of each store by itself."""
    return {name: training.choose(*opened(path, model), None, seed=0) for name, path in stores.items()}


def opened(path: Path, model: Mapping[str, Any]) -> tuple[TokenStore, int]:
    """A store and the id of its language, for a ``model`` of which this is said.

    Raises:
        StoreError: the store is damaged, or was built with another vocabulary than the model's.
    """
    store = TokenStore.open(path, model["vocabulary"])
    return store, language_ids(model["languages"])[store.languages[0]]


def about(encoder: Mapping[str, Any], examples: Examples, settings: list[Any]) -> dict[str, Any]:
    """What is said about a fine-tuned model: of its ``encoder``, training set (``en:1000+fr:100``) and settings."""
    languages = sorted(encoder["languages"])
    return {
        **encoder,
        "config": digests.of_value([encoder["config"], *settings]),
        "data": data(encoder, examples),
        "training": "+".join(f"{languages[part.language]}:{len(part.rows)}" for part in examples.parts),
    }


def data(model: Mapping[str, Any], examples: Examples) -> str:
    """Digest of all data behind a number."""
    return digests.of_value([model["data"], *(part.store.digest for part in examples.parts)])


def warn_of_cuts(what: str, examples: Examples, max_tokens: int) -> int:
    """How many examples lose their ends; logged where there are any."""
    n_cut = examples.n_too_long(max_tokens)
    if n_cut:
        LOG.warning(
            "%s: %d of %d examples have more than %d tokens and are cut", what, n_cut, len(examples), max_tokens
        )
    return n_cut
