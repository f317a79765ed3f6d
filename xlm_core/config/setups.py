"""Setups: what the models that read the same text share, from their languages to how they are pretrained.

The sections at the top of the configuration are the setup ``base``. A further one states only what it changes of them,
as the paper has a vocabulary and models of its own for each pair that it translates.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from xlm_core.config.corpora import Text, VocabularyConfig
from xlm_core.config.section import StrictModel, read
from xlm_core.config.training import ModelConfig, Pretraining
from xlm_core.languages import sides

BASE = "base"


class Setup(StrictModel):
    """Languages, their texts and vocabulary, and the shape and the pretraining of their models."""

    languages: list[str] = Field(min_length=1)
    monolingual: dict[str, list[str]]
    parallel: dict[str, list[str]] = Field({})
    text: Text = Text()
    vocabulary: VocabularyConfig
    model: ModelConfig
    pretraining: Pretraining


def expand_setups(data: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which every setup is written out: what it does not name is as in the sections at the top.

    Of the corpora at the top it has those of its own languages.

    Raises:
        ConfigError: a section at the top is wrong; this is said once, not again for every setup.
    """
    base = {key: data[key] for key in Setup.model_fields if key in data}
    setups = data.get("setups")
    if not isinstance(setups, Mapping) or not setups:
        return dict(data)
    read(Setup, base)
    return {**data, "setups": {name: _written_out(base, changes) for name, changes in setups.items()}}


def _written_out(base: Mapping[str, Any], changes: Any) -> Any:
    """A setup in full."""
    return _restricted(base, changes) if changes == {} else _merged(_restricted(base, changes), changes)


def _restricted(base: Mapping[str, Any], changes: Any) -> dict[str, Any]:
    """The base with the corpora of the languages of a setup alone."""
    languages = changes.get("languages") if isinstance(changes, Mapping) else None
    if not isinstance(languages, list):  # left out, or wrong, which is said when the setup is read
        languages = base["languages"]

    def is_spoken(key: str) -> bool:
        return all(language in languages for language in sides(key))

    corpora = {
        place: {key: names for key, names in base.get(place, {}).items() if is_spoken(key)}
        for place in ("monolingual", "parallel")
    }
    return {**base, **corpora}


def _merged(base: Any, changes: Any) -> Any:
    """``base`` with ``changes``, key by key; a list is replaced as a whole, and so is everything by what is empty."""
    if not (isinstance(base, Mapping) and isinstance(changes, Mapping) and changes):
        return changes
    return {**base, **{key: _merged(base.get(key), value) for key, value in changes.items()}}
