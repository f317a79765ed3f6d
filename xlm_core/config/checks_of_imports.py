"""Checks of finished artifacts: what they are used with is there, and nothing is asked of them that they have not."""

from typing import TYPE_CHECKING

from xlm_core.config.setups import BASE

if TYPE_CHECKING:
    from xlm_core.config import Config


def check_imports(config: "Config") -> None:
    """Refuse imports that do not fit the other sections, with a ValueError as ``checks.check`` has."""
    _check_seeds(config)
    _check_stores(config)


def _check_seeds(config: "Config") -> None:
    """A finished model is one model, not one for each seed."""
    for name, run in config.runs.items():
        seeds = config.pretraining_seeds(name)
        if run.imported and len(seeds) != 1:
            raise ValueError(
                f"runs.{name}: imported is one model, seeds are {seeds}; say which it stands for: seeds: [0]"
            )


def _check_stores(config: "Config") -> None:
    """Stores of token ids have a folder for each shard, and are read with the vocabulary that they were built with."""
    stores = {name: corpus for name, corpus in config.corpora.items() if corpus.format == "store"}
    n_shards = config.text.n_shards
    for name, corpus in stores.items():
        if n_shards > 1 and "{shard}" not in corpus.place:
            raise ValueError(
                f"corpora.{name}.path: there are {n_shards} shards (text.n_shards): put '{{shard}}' where their "
                "numbers stand"
            )
        _check_sums(name, config, n_shards)
    for name in (BASE, *config.setups):
        setup = config.setup(name)
        read = {corpus for names in (*setup.monolingual.values(), *setup.parallel.values()) for corpus in names}
        if (found := sorted(read & stores.keys())) and setup.vocabulary.imported is None:
            path = "" if name == BASE else f"setups.{name}."
            raise ValueError(
                f"corpora.{found[0]} is a store of token ids, from which no vocabulary can be learned: give the one "
                f"that it was built with, as {path}vocabulary.imported"
            )
        if found and config.embeddings and config.embeddings.setup == name:
            raise ValueError(
                f"embeddings.setup: '{name}' reads the store corpora.{found[0]}, but vectors of words are learned from "
                "text; take a setup that has text"
            )


def _check_sums(name: str, config: "Config", n_shards: int) -> None:
    """Every file of a store has a sum."""
    corpus = config.corpora[name]
    for key in corpus.keys:
        for file in corpus.store_files(key, n_shards):
            if file not in corpus.sha256:
                raise ValueError(f"corpora.{name}.sha256: no sum of {file}; sha256sum prints it")
