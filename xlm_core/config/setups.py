"""Setups: what the models that read the same text share, from their languages to how they are pretrained.

The sections at the top of the configuration are the setup ``base``. A further one states only what it changes of them,
as the paper has a vocabulary and models of its own for each pair that it translates.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from xlm_core.config.corpora import Text, VocabularyConfig
from xlm_core.config.strict_model import CorpusName, StrictModel, check_exists, read
from xlm_core.config.training import ModelConfig, Pretraining
from xlm_core.languages import SCRIPTS, is_pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

BASE = "base"


class Setup(StrictModel):
    """Languages, their texts and vocabulary, and the shape and the pretraining of their models."""

    languages: list[str] = Field(min_length=1)
    monolingual: dict[str, list[CorpusName]]
    parallel: dict[str, list[CorpusName]] = Field({})
    text: Text = Text()
    vocabulary: VocabularyConfig
    model: ModelConfig
    pretraining: Pretraining

    @property
    def language_summary(self) -> str:
        """The language, or how many there are."""
        return self.languages[0] if len(self.languages) == 1 else f"{len(self.languages)} languages"


def expand_setups(data: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which every setup is written out: what it does not name is as in the sections at the top.

    Of the corpora at the top it has those of its own languages.

    Raises:
        ConfigError: a section at the top is wrong; this is said once, not again for every setup.
    """
    base = {key: data[key] for key in Setup.model_fields if key in data}
    setups = data.get("setups")
    if not isinstance(setups, Mapping) or not setups:
        return dict(data)
    read(Setup, base, names=names)
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


def check_setups(config: "Config") -> None:
    """Refuse a setup whose languages, corpora and sizes do not fit together."""
    if BASE in config.setups:
        raise ValueError(f"setups.{BASE}: the sections at the top have this name; take another")
    languages = config.all_languages
    for name in (BASE, *config.setups):
        setup, path = config.setup(name), "" if name == BASE else f"setups.{name}."
        _check_texts(config, setup, path)
        _check_stores(config, name)
        if setup.pretraining.seq_len > setup.model.max_positions:
            raise ValueError(
                f"{path}pretraining.seq_len is {setup.pretraining.seq_len}, but {path}model.max_positions is "
                f"{setup.model.max_positions}"
            )
        if setup.text.min_script_ratio and (unknown := [code for code in languages if code not in SCRIPTS]):
            raise ValueError(
                f"{path}text.min_script_ratio: the script of {', '.join(unknown)} is not known; set it to 0.0, or add "
                "the language to those of xlm_core/languages.py"
            )
        if setup.text.n_shards != config.text.n_shards:
            raise ValueError(
                f"{path}text.n_shards is {setup.text.n_shards}, but all setups read the same {config.text.n_shards} "
                "shards"
            )


def _check_texts(config: "Config", setup: Setup, path: str) -> None:
    """Check that each corpus of pretraining holds the language or pair that it is used for."""
    for section, corpora in (("monolingual", setup.monolingual), ("parallel", setup.parallel)):
        for key, names in corpora.items():
            if is_pair(key) != (section == "parallel"):
                expected = "a pair" if section == "parallel" else "one language"
                raise ValueError(f"{path}{section}.{key}: expected {expected}")
            for language in sides(key):
                check_exists(language, setup.languages, f"{path}{section}.{key}")
            check_training_corpora(config, key, names, f"{path}{section}.{key}")
    for language in setup.languages:
        if language not in setup.monolingual:
            raise ValueError(f"{path}monolingual: no corpus for language '{language}'")


def check_training_corpora(config: "Config", key: str, names: Sequence[str], path: str) -> None:
    """Check that corpora hold a language or pair, and are not for evaluation."""
    for name in names:
        corpus = config.corpora[name]
        if key not in corpus.keys and not any(key in sides(other) for other in corpus.keys):
            raise ValueError(f"{path}: corpus '{name}' holds {', '.join(corpus.keys)}, but not {key}")
        if corpus.eval_only:
            raise ValueError(f"{path}: corpus '{name}' is for evaluation; take one to train on")


def _check_stores(config: "Config", name: str) -> None:
    """Check that a setup which reads stores has their vocabulary, and no table that needs their text."""
    setup = config.setup(name)
    names = {corpus for names in (*setup.monolingual.values(), *setup.parallel.values()) for corpus in names}
    stores = sorted(corpus for corpus in names if config.corpora[corpus].format == "store")
    if stores and setup.vocabulary.pretrained is None:
        path = "" if setup is config else f"setups.{name}."
        raise ValueError(
            f"corpora.{stores[0]} is a store of token ids, from which no vocabulary can be learned: give the one "
            f"that it was built with, as {path}vocabulary.pretrained"
        )
    if stores and config.embeddings and config.embeddings.setup == name:
        raise ValueError(
            f"embeddings.setup: '{name}' reads the store corpora.{stores[0]}, but vectors of words are learned from "
            "text; take a setup that has text"
        )
