"""Checks across sections: names that must exist, sizes and seeds that must fit together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from xlm_core.config.corpora import TEST_SETS
from xlm_core.config.glue import GLUE_LANGUAGE
from xlm_core.config.section import known
from xlm_core.config.setups import BASE, Setup
from xlm_core.languages import is_pair, pair, sides

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
    _check_translation(config)
    _check_perplexity(config)
    _check_ablation(config)
    _check_claims(config)

    _check_glue(config)


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
                known(language, spoken, f"corpora.{name}.keys")
    for language in (*config.xnli.languages, config.xnli.train_language):
        known(language, config.languages, "xnli.languages")


def _check_streams(config: "Config", setup: Setup, path: str) -> None:
    """Every corpus that pretraining draws from exists and holds the language or pair it is drawn for."""
    for place, wanted in (("monolingual", setup.monolingual), ("parallel", setup.parallel)):
        for key, names in wanted.items():
            if is_pair(key) != (place == "parallel"):
                expected = "a pair" if place == "parallel" else "one language"
                raise ValueError(f"{path}{place}.{key}: expected {expected}")
            for language in sides(key):
                known(language, setup.languages, f"{path}{place}.{key}")
            _check_corpora(config, key, names, f"{path}{place}.{key}")
    for language in setup.languages:
        if language not in setup.monolingual:
            raise ValueError(f"{path}monolingual: no corpus for language '{language}'")
    if setup.text.n_shards != config.text.n_shards:
        raise ValueError(
            f"{path}text.n_shards is {setup.text.n_shards}, but all setups read the same {config.text.n_shards} shards"
        )


def _check_corpora(config: "Config", key: str, names: Sequence[str], path: str) -> None:
    """Corpora to train on that hold a language or pair."""
    for name in names:
        known(name, config.corpora, path)
        held = config.corpora[name].keys
        if key not in held and not any(key in sides(other) for other in held):
            raise ValueError(f"{path}: corpus '{name}' holds {', '.join(held)}, but not {key}")
        if config.corpora[name].evaluation:
            raise ValueError(f"{path}: corpus '{name}' is for evaluation; take one to train on")


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
        known(run, config.runs, "xnli.runs")
    for path, runs in config.xnli.run_lists.items():
        for run in runs:
            known(run, config.xnli.runs, f"xnli.{path}")
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
                raise ValueError(f"xnli.{path}: {run} has none of the seeds.protocols ({config.seeds.protocols})")


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
    known(str(corpus.set), TEST_SETS, f"corpora.{name}.set")
    for language in (language for key in corpus.keys for language in sides(key)):
        known(language, world.news, f"corpora.{name}.keys, languages of microworld.news")


def _check_translation(config: "Config") -> None:
    """Test sets, setups, runs and corpora of both tables exist and speak the languages of their pair."""
    if config.translation is None:
        return
    for key, sets in config.translation.pairs.items():
        path = f"translation.pairs.{key}"
        known(sets.setup, (BASE, *config.setups), f"{path}.setup")
        for language in sides(key):
            known(language, config.setup(sets.setup).languages, f"{path}, languages of setup '{sets.setup}'")
        for split in ("valid", "test"):
            _check_test_set(config, key, getattr(sets, split), f"{path}.{split}")
    if unsupervised := config.translation.unsupervised:
        for key in unsupervised.pairs:
            known(key, config.translation.pairs, "translation.unsupervised.pairs")
        for run in (run for row in unsupervised.rows for run in row):
            known(run, config.runs, "translation.unsupervised.rows")
    if supervised := config.translation.supervised:
        key = pair(supervised.source, supervised.target)
        known(key, config.translation.pairs, "translation.supervised, source and target")
        _check_corpora(config, key, supervised.corpora, "translation.supervised.corpora")
        for run in supervised.columns:
            known(run, config.runs, "translation.supervised.columns")
    _check_translation_lengths(config)


def _check_test_set(config: "Config", key: str, name: str, path: str) -> None:
    """A test set exists, is one, and holds the pair."""
    known(name, config.corpora, path)
    corpus = config.corpora[name]
    if not corpus.evaluation:
        raise ValueError(f"{path}: corpus '{name}' is cut into shards; mark a test set with 'evaluation: true'")
    if key not in corpus.keys:
        raise ValueError(f"{path}: corpus '{name}' holds {', '.join(corpus.keys)}, but not {key}")


def _check_translation_lengths(config: "Config") -> None:
    """No sentence that a translator learns from is longer than its model has positions."""
    translation = config.translation
    assert translation is not None
    for name, table in (("unsupervised", translation.unsupervised), ("supervised", translation.supervised)):
        if table is None:
            continue
        keys = table.pairs if name == "unsupervised" else [pair(table.source, table.target)]
        for setup in (translation.pairs[key].setup for key in keys):
            positions = config.setup(setup).model.max_positions
            if table.training.max_tokens + 2 > positions:
                raise ValueError(
                    f"translation.{name}.training.max_tokens is {table.training.max_tokens}, which with two end "
                    f"symbols is more than the {positions} positions of setup '{setup}'"
                )


def _check_perplexity(config: "Config") -> None:
    """Setups that know the language and are trained and tested alike, and a run that learns to go on with a text."""
    table = config.perplexity
    if table is None:
        return
    for setup in table.setups:
        known(setup, (BASE, *config.setups), "perplexity.setups")
        known(table.language, config.setup(setup).languages, f"perplexity.language, languages of setup '{setup}'")
    known(table.run, config.runs, "perplexity.run")
    if "clm" not in config.runs[table.run].objectives:
        raise ValueError(f"perplexity.run: {table.run} has not the objective clm, without which there is no perplexity")
    first, *others = (config.setup(setup) for setup in table.setups)
    labels = [table.label(config.setup(setup).languages) for setup in table.setups]
    if len(set(labels)) < len(labels):
        raise ValueError(f"perplexity.setups: two of them have the same languages ({', '.join(labels)})")
    for name, other in zip(table.setups[1:], others, strict=True):
        for key in ("pretraining", "text"):
            if getattr(other, key) != getattr(first, key):
                raise ValueError(
                    f"perplexity.setups: {name} has another section '{key}' than {table.setups[0]}; let them be equal"
                )
        if other.monolingual[table.language] != first.monolingual[table.language]:
            raise ValueError(f"perplexity.setups: {name} reads other text of '{table.language}' than {table.setups[0]}")


def _check_ablation(config: "Config") -> None:
    """Setups and runs exist, and every setup speaks the language that has labels."""
    if config.ablation is None:
        return
    systems = {"full": config.ablation.full}
    systems |= {f"rows.{label}": one for label, one in config.ablation.rows.items()}
    for path, one in systems.items():
        known(one.setup, (BASE, *config.setups), f"ablation.{path}.setup")
        known(one.run, config.runs, f"ablation.{path}.run")
        spoken = config.setup(one.setup).languages
        known(config.xnli.train_language, spoken, f"ablation.{path}, languages of setup '{one.setup}'")
        if not set(config.xnli.languages) & set(spoken) - {config.xnli.train_language}:
            raise ValueError(f"ablation.{path}: setup '{one.setup}' has no other language of XNLI to transfer to")
    if missing := set(config.xnli.languages) - set(config.setup(config.ablation.full.setup).languages):
        raise ValueError(f"ablation.full: its setup has no {', '.join(sorted(missing))}, but the table of XNLI has")


def _check_claims(config: "Config") -> None:
    """Both systems of a comparison are of its table."""
    for number, claim in enumerate(config.claims):
        for one in claim.compared:
            systems = _systems_of(config, one.table)
            if not systems:
                raise ValueError(f"claims.{number}: there is no table {one.table} to compare systems of")
            for name in (one.a, one.b):
                known(name, systems, f"claims.{number}, systems of {one.table}")


def _systems_of(config: "Config", table: str) -> list[str]:
    """What is compared of a table: runs, setups, or labels of the ablation."""
    translation = config.translation
    if table == "xnli":
        return config.xnli.runs
    if table == "ablation":
        return ["full", *config.ablation.rows] if config.ablation else []
    if table == "perplexity":
        return config.perplexity.setups if config.perplexity else []
    if table == "supervised_mt":
        return translation.supervised.columns if translation and translation.supervised else []
    rows = translation.unsupervised.rows if translation and translation.unsupervised else []
    return [encoder for encoder, decoder in rows if encoder == decoder]


def _check_glue(config: "Config") -> None:
    """The rows of the table are runs in setups that speak its language and have room for its sentences."""
    if config.glue is None:
        return
    length = config.glue.finetuning.max_tokens
    for row in config.glue.rows:
        known(row.setup, (BASE, *config.setups), "glue.rows, setup")
        known(row.run, config.runs, "glue.rows, run")
        setup = config.setup(row.setup)
        known(GLUE_LANGUAGE, setup.languages, f"glue.rows, languages of setup '{row.setup}'")
        if length > setup.model.max_positions:
            raise ValueError(
                f"glue.finetuning.max_tokens is {length}, but setup '{row.setup}' has {setup.model.max_positions} "
                "positions"
            )
