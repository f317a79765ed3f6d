"""Checks of the sections about tables: what they name exists, and what they compare can be compared."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlm_core.config.embeddings import BASELINES
from xlm_core.config.glue import GLUE_LANGUAGE
from xlm_core.config.section import check_exists
from xlm_core.config.setups import BASE
from xlm_core.languages import pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config


def check_tables(config: "Config") -> None:
    """Refuse a configuration whose tables do not fit its other sections, with a ValueError as ``checks.check`` has."""
    _check_translation(config)
    _check_perplexity(config)
    _check_ablation(config)
    _check_claims(config)
    _check_glue(config)
    _check_embeddings(config)


def check_corpora(config: "Config", key: str, names: Sequence[str], path: str) -> None:
    """Corpora to train on that hold a language or pair."""
    for name in names:
        check_exists(name, config.corpora, path)
        held = config.corpora[name].keys
        if key not in held and not any(key in sides(other) for other in held):
            raise ValueError(f"{path}: corpus '{name}' holds {', '.join(held)}, but not {key}")
        if config.corpora[name].eval_only:
            raise ValueError(f"{path}: corpus '{name}' is for evaluation; take one to train on")


def _check_translation(config: "Config") -> None:
    """Test sets, setups, runs and corpora of both tables exist and speak the languages of their pair."""
    if config.translation is None:
        return
    for key, sets in config.translation.pairs.items():
        path = f"translation.pairs.{key}"
        check_exists(sets.setup, (BASE, *config.setups), f"{path}.setup")
        for language in sides(key):
            check_exists(language, config.setup(sets.setup).languages, f"{path}, languages of setup '{sets.setup}'")
        for split in ("valid", "test"):
            _check_test_set(config, key, getattr(sets, split), f"{path}.{split}")
    if unsupervised := config.translation.unsupervised:
        for key in unsupervised.pairs:
            check_exists(key, config.translation.pairs, "translation.unsupervised.pairs")
        for run in (run for row in unsupervised.systems for run in row):
            check_exists(run, config.runs, "translation.unsupervised.systems")
    if supervised := config.translation.supervised:
        key = pair(supervised.source, supervised.target)
        check_exists(key, config.translation.pairs, "translation.supervised, source and target")
        check_corpora(config, key, supervised.corpora, "translation.supervised.corpora")
        for run in supervised.columns:
            check_exists(run, config.runs, "translation.supervised.columns")
    _check_translation_lengths(config)


def _check_test_set(config: "Config", key: str, name: str, path: str) -> None:
    """A test set exists, is one, and holds the pair."""
    check_exists(name, config.corpora, path)
    corpus = config.corpora[name]
    if not corpus.eval_only:
        raise ValueError(f"{path}: corpus '{name}' is cut into shards; mark a test set with 'eval_only: true'")
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
        check_exists(setup, (BASE, *config.setups), "perplexity.setups")
        check_exists(
            table.language, config.setup(setup).languages, f"perplexity.language, languages of setup '{setup}'"
        )
    check_exists(table.run, config.runs, "perplexity.run")
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
    systems |= {f"systems.{label}": one for label, one in config.ablation.systems.items()}
    for path, one in systems.items():
        check_exists(one.setup, (BASE, *config.setups), f"ablation.{path}.setup")
        check_exists(one.run, config.runs, f"ablation.{path}.run")
        spoken = config.setup(one.setup).languages
        check_exists(config.xnli.train_language, spoken, f"ablation.{path}, languages of setup '{one.setup}'")
        if not set(config.xnli.languages) & set(spoken) - {config.xnli.train_language}:
            raise ValueError(f"ablation.{path}: setup '{one.setup}' has no other language of XNLI to transfer to")
    if missing := set(config.xnli.languages) - set(config.setup(config.ablation.full.setup).languages):
        raise ValueError(f"ablation.full: its setup has no {', '.join(sorted(missing))}, but the table of XNLI has")


def _check_claims(config: "Config") -> None:
    """Every claim is made once, and both systems of a comparison are of its table."""
    statements = [claim.claim for claim in config.claims]
    if twice := sorted({one for one in statements if statements.count(one) > 1}):
        raise ValueError(f"claims: '{twice[0]}' stands there twice; put all of its comparisons into one")
    for number, claim in enumerate(config.claims):
        for one in claim.tests:
            systems = _systems_of(config, one.table)
            if not systems:
                raise ValueError(f"claims.{number}: there is no table {one.table} to compare systems of")
            for name in one.names:
                check_exists(name, systems, f"claims.{number}, systems of {one.table}")


def _systems_of(config: "Config", table: str) -> list[str]:
    """What is compared of a table: runs, setups, or labels of the ablation."""
    translation = config.translation
    if table == "xnli":
        return config.xnli.runs
    if table == "ablation":
        return ["full", *config.ablation.systems] if config.ablation else []
    if table == "perplexity":
        return config.perplexity.setups if config.perplexity else []
    if table == "embeddings":
        return config.embeddings.systems if config.embeddings else []
    if table == "glue":
        return [row.name for row in config.glue.systems] if config.glue else []
    if table == "supervised_mt":
        return translation.supervised.columns if translation and translation.supervised else []
    rows = translation.unsupervised.systems if translation and translation.unsupervised else []
    return [encoder for encoder, decoder in rows if encoder == decoder]


def _check_glue(config: "Config") -> None:
    """The rows of the table are runs in setups that speak its language and have room for its sentences."""
    if config.glue is None:
        return
    length = config.glue.finetuning.max_tokens
    for row in config.glue.systems:
        check_exists(row.setup, (BASE, *config.setups), "glue.systems, setup")
        check_exists(row.run, config.runs, "glue.systems, run")
        setup = config.setup(row.setup)
        check_exists(GLUE_LANGUAGE, setup.languages, f"glue.systems, languages of setup '{row.setup}'")
        if length > setup.model.max_positions:
            raise ValueError(
                f"glue.finetuning.max_tokens is {length}, but setup '{row.setup}' has {setup.model.max_positions} "
                "positions"
            )


def _check_embeddings(config: "Config") -> None:
    """Rows are baselines or trained runs, languages those of the setup, and what is generated has a size."""
    if (embeddings := config.embeddings) is None:
        return
    check_exists(embeddings.setup, (BASE, *config.setups), "embeddings.setup")
    for language in embeddings.languages:
        check_exists(
            language, config.setup(embeddings.setup).languages, f"embeddings, languages of '{embeddings.setup}'"
        )
    for name in BASELINES:
        if name in config.runs:
            raise ValueError(f"runs.{name}: a baseline of the section embeddings has this name; take another")
    for row in embeddings.systems:
        check_exists(row, (*BASELINES, *config.runs), "embeddings.systems")
    for run in embeddings.alignment_figure.runs if embeddings.alignment_figure else ():
        check_exists(run, config.runs, "embeddings.alignment_figure.runs")
    for name, collection in (("dictionary", "dictionaries"), ("similarity", "similarity")):
        pairs = getattr(embeddings, name)
        if pairs is None or pairs.microworld is None:
            continue
        if pairs.microworld != collection:
            raise ValueError(f"embeddings.{name}.microworld: expected '{collection}', found '{pairs.microworld}'")
        if config.microworld is None:
            raise ValueError(f"embeddings.{name} is of the microworld, but there is no section 'microworld'")
        for key in pairs.keys:
            check_exists(
                key, getattr(config.microworld, collection), f"embeddings.{name}.keys, microworld.{collection}"
            )
