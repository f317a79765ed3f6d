"""Checks across sections: names that must exist, sizes and seeds that must fit together."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from xlm_core.config.checks_of_imports import check_imports
from xlm_core.config.checks_of_tables import check_corpora, check_tables
from xlm_core.config.corpora import TEST_SETS
from xlm_core.config.section import check_exists
from xlm_core.config.setups import BASE, Setup
from xlm_core.languages import SCRIPTS, is_pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config


def check(config: "Config") -> None:
    """Refuse a configuration whose sections do not fit together.

    Raises:
        ValueError: one line that names the key, what was found and what is allowed.
    """
    _check_languages(config)
    for name, path in _setups(config):
        _check_streams(config, config.setup(name), path)
        _check_lengths(config, config.setup(name), path)
    _check_runs(config)
    _check_layer(config)
    _check_seeds(config)
    _check_microworld(config)
    check_imports(config)
    check_tables(config)


def _setups(config: "Config") -> Iterator[tuple[str, str]]:
    """Every setup with the path that its keys begin with."""
    yield BASE, ""
    yield from ((name, f"setups.{name}.") for name in config.setups)


def _check_languages(config: "Config") -> None:
    """Every language that is used is one of ``languages``, and no setup takes the name of the sections at the top."""
    if BASE in config.setups:
        raise ValueError(f"setups.{BASE}: the sections at the top have this name; take another")
    spoken = list(dict.fromkeys(language for name, _ in _setups(config) for language in config.setup(name).languages))
    for name, corpus in config.corpora.items():
        for key in corpus.keys:
            for language in sides(key):
                check_exists(language, spoken, f"corpora.{name}.keys")
    for language in (*config.xnli.languages, config.xnli.train_language):
        check_exists(language, config.languages, "xnli.languages")
    for name, path in _setups(config):
        if config.setup(name).text.min_script_ratio and (unknown := [one for one in spoken if one not in SCRIPTS]):
            raise ValueError(
                f"{path}text.min_script_ratio: the script of {', '.join(unknown)} is not known; set it to 0.0, or add "
                "the language to those of xlm_core/languages.py"
            )


def _check_streams(config: "Config", setup: Setup, path: str) -> None:
    """Every corpus that pretraining draws from exists and holds the language or pair it is drawn for."""
    for place, wanted in (("monolingual", setup.monolingual), ("parallel", setup.parallel)):
        for key, names in wanted.items():
            if is_pair(key) != (place == "parallel"):
                expected = "a pair" if place == "parallel" else "one language"
                raise ValueError(f"{path}{place}.{key}: expected {expected}")
            for language in sides(key):
                check_exists(language, setup.languages, f"{path}{place}.{key}")
            check_corpora(config, key, names, f"{path}{place}.{key}")
    for language in setup.languages:
        if language not in setup.monolingual:
            raise ValueError(f"{path}monolingual: no corpus for language '{language}'")
    if setup.text.n_shards != config.text.n_shards:
        raise ValueError(
            f"{path}text.n_shards is {setup.text.n_shards}, but all setups read the same {config.text.n_shards} shards"
        )


def _check_lengths(config: "Config", setup: Setup, path: str) -> None:
    """No input is longer than the model has positions."""
    lengths = {f"{path}pretraining.seq_len": setup.pretraining.seq_len}
    if setup is config:
        lengths["xnli.finetuning.max_tokens"] = config.xnli.finetuning.max_tokens
    for key, length in lengths.items():
        if length > setup.model.max_positions:
            raise ValueError(f"{key} is {length}, but {path}model.max_positions is {setup.model.max_positions}")


def _check_runs(config: "Config") -> None:
    """The runs of the tables exist, and skip-gram vectors are trained by nothing else."""
    for run in config.xnli.runs:
        check_exists(run, config.runs, "xnli.runs")
    for path, runs in config.xnli.run_lists.items():
        for run in runs:
            check_exists(run, config.xnli.runs, f"xnli.{path}")
    for name, run in config.runs.items():
        if "skipgram" in run.objectives and run.objectives != ["skipgram"]:
            raise ValueError(f"runs.{name}.objectives: skipgram trains no Transformer, and stands alone")


def _check_layer(config: "Config") -> None:
    """The layer whose states are compared is one that the models have."""
    layer = config.retrieval.layer
    if layer is not None and layer > config.model.n_layers:
        raise ValueError(f"retrieval.layer is {layer}, but model.n_layers is {config.model.n_layers}")


def _check_seeds(config: "Config") -> None:
    """Every run is pretrained with some of the seeds, and has one for each protocol that it is listed for."""
    for name, run in config.runs.items():
        if unknown := set(run.seeds or []) - set(config.seeds.pretraining):
            raise ValueError(
                f"runs.{name}.seeds: {sorted(unknown)} are no seeds.pretraining ({config.seeds.pretraining})"
            )
    for path, runs in config.xnli.run_lists.items():
        for run in runs:
            if path != "selected_per_language" and not config.pretraining_seeds(run, "few_shot"):
                raise ValueError(
                    f"xnli.{path}: {run} has none of the seeds.other_protocols ({config.seeds.other_protocols})"
                )


def _check_microworld(config: "Config") -> None:
    """Whatever shall be generated has a size."""
    xnli = {"xnli.evaluation": config.xnli.evaluation, "xnli.training": config.xnli.training}
    glue = {f"glue.tasks.{task}": source for task, source in config.glue.tasks.items()} if config.glue else {}
    sources = xnli | glue | {f"corpora.{name}": corpus for name, corpus in config.corpora.items()}
    for path, source in sources.items():
        if source.microworld is None:
            continue
        if config.microworld is None:
            raise ValueError(f"{path} is of the microworld, but there is no section 'microworld'")
        if (source.microworld == "xnli") != (path in xnli) or (source.microworld == "glue") != (path in glue):
            raise ValueError(
                f"{path}.microworld: the collections 'xnli' and 'glue' are for the sections of these names, the others "
                "for corpora"
            )
        if source.microworld == "glue" and not config.microworld.glue_train:
            raise ValueError(
                f"{path} is of the microworld, but microworld.glue_train is 0; say how many there shall be"
            )
        if source.microworld in ("dictionaries", "similarity"):
            raise ValueError(f"{path}.microworld: '{source.microworld}' is for the section embeddings")
    _check_generated(config)


def _check_generated(config: "Config") -> None:
    """Every key of a generated corpus is one that is generated."""
    for name, corpus in config.corpora.items():
        if corpus.microworld is None:
            continue
        if corpus.microworld == "tests":
            _check_test_languages(config, name)
            continue
        for key in corpus.keys:
            sizes: Mapping[str, int] = getattr(config.microworld, corpus.microworld)
            if key not in sizes:
                held = ", ".join(sizes) or "nothing"
                raise ValueError(
                    f"corpora.{name}.keys: microworld.{corpus.microworld} has no size for '{key}', only for {held}"
                )


def _check_test_languages(config: "Config", name: str) -> None:
    """A generated test set is one of those that there are, in languages that have news."""
    corpus, world = config.corpora[name], config.microworld
    assert world is not None
    check_exists(str(corpus.set), TEST_SETS, f"corpora.{name}.set")
    for language in (language for key in corpus.keys for language in sides(key)):
        check_exists(language, world.news, f"corpora.{name}.keys, languages of microworld.news")
