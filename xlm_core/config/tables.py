"""The sections about the ablation, perplexity, retrieval and claims: which systems are compared in a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from xlm_core.config.setups import BASE
from xlm_core.config.strict_model import PublishedKey, RunName, SetupName, StrictModel, check_exists

if TYPE_CHECKING:
    from xlm_core.config import Config

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"  # decisions


class SystemConfig(StrictModel):
    """A pretrained model: a run in a setup."""

    setup: SetupName = BASE
    run: RunName

    @property
    def name(self) -> str:
        """What the system is called in results."""
        return system(self.setup, self.run)


class Ablation(StrictModel):
    """The full system, and what it is compared with; the key of a system says what is different (section 5)."""

    full: SystemConfig
    systems: dict[str, SystemConfig] = Field(min_length=1)


def system(setup: str, run: str) -> str:
    """What a model is called in results: by its run, and by its setup where that is not the one at the top.

    >>> system("base", "mlm"), system("separate", "mlm")
    ('mlm', 'separate/mlm')
    """
    return run if setup == BASE else f"{setup}/{run}"


class Perplexity(StrictModel):
    """Perplexity of a language, the run, and a setup for each choice of texts to learn from (section 5.3).

    ``published``: setup -> key of the published row that it is compared with.
    """

    language: str
    run: RunName = "clm"
    setups: list[SetupName] = Field(min_length=1)
    published: dict[SetupName, PublishedKey] = Field({})

    def label(self, languages: Sequence[str]) -> str:
        """What the row of a setup with these languages is called: ``ne + hi``, the language itself first."""
        return " + ".join([self.language, *sorted(set(languages) - {self.language})])


class Retrieval(StrictModel):
    """Sentence retrieval among the translations of the XNLI test hypotheses."""

    n_sentences: int = Field(1000, gt=1)
    layer: int | None = Field(None, ge=0)


class ComparisonConfig(StrictModel):
    """Of two systems of a table the first shall be better, by more than the margin."""

    table: Literal["xnli", "ablation", "unsupervised_mt", "supervised_mt", "perplexity", "embeddings", "glue"]
    a: str | SystemConfig
    b: str | SystemConfig
    margin: float = 0.0

    @property
    def names(self) -> tuple[str, str]:
        """The names of both systems in results."""
        first, second = (system if isinstance(system, str) else system.name for system in (self.a, self.b))
        return first, second


class ClaimConfig(StrictModel):
    """What is claimed, and the comparisons that all must hold for it."""

    claim: str
    tests: list[ComparisonConfig] = Field(min_length=1)


def check_retrieval(config: "Config") -> None:
    """Check that the models have the layer whose states are compared."""
    layer = config.retrieval.layer
    if layer is not None and layer > config.model.n_layers:
        raise ValueError(f"retrieval.layer is {layer}, but model.n_layers is {config.model.n_layers}")


def check_perplexity(config: "Config") -> None:
    """Refuse setups that are not trained and tested alike, and a run that is not a language model."""
    table = config.perplexity
    if table is None:
        return
    if "clm" not in config.runs[table.run].objectives:
        raise ValueError(f"perplexity.run: {table.run} has not the objective clm, without which there is no perplexity")
    for name in table.published:
        check_exists(name, table.setups, "perplexity.published")
    setups = [config.setup(name) for name in table.setups]
    for name, setup in zip(table.setups, setups, strict=True):
        check_exists(table.language, setup.languages, f"perplexity.language, languages of setup '{name}'")
    labels = [table.label(setup.languages) for setup in setups]
    if len(set(labels)) < len(labels):
        raise ValueError(f"perplexity.setups: two of them have the same languages ({', '.join(labels)})")
    first = table.setups[0]
    for name, setup in zip(table.setups, setups, strict=True):
        for key in ("pretraining", "text"):
            if getattr(setup, key) != getattr(setups[0], key):
                raise ValueError(f"perplexity.setups: {name} has another section '{key}' than {first}; make them equal")
        if setup.monolingual[table.language] != setups[0].monolingual[table.language]:
            raise ValueError(f"perplexity.setups: {name} reads other text of '{table.language}' than {first}")


def check_ablation(config: "Config") -> None:
    """Refuse systems whose setup lacks the language that has labels, or any other to transfer to."""
    if config.ablation is None:
        return
    source, targets = config.xnli.train_language, set(config.xnli.others)
    systems = {f"systems.{label}": system for label, system in config.ablation.systems.items()}
    for path, row in {"full": config.ablation.full, **systems}.items():
        languages = config.setup(row.setup).languages
        check_exists(source, languages, f"ablation.{path}, languages of setup '{row.setup}'")
        if not targets & set(languages):
            raise ValueError(f"ablation.{path}: setup '{row.setup}' has no other language of XNLI to transfer to")
    if missing := set(config.xnli.languages) - set(config.setup(config.ablation.full.setup).languages):
        raise ValueError(f"ablation.full: its setup has no {', '.join(sorted(missing))}, but the table of XNLI has")


def check_claims(config: "Config") -> None:
    """Refuse a claim that is made twice, and comparisons of systems that are not of their table."""
    claims = [claim.claim for claim in config.claims]
    if twice := sorted({claim for claim in claims if claims.count(claim) > 1}):
        raise ValueError(f"claims: '{twice[0]}' stands there twice; put all of its comparisons into one")
    for number, claim in enumerate(config.claims):
        for test in claim.tests:
            systems = _systems_of(config, test.table)
            if not systems:
                raise ValueError(f"claims.{number}: there is no table {test.table} to compare systems of")
            for name in test.names:
                check_exists(name, systems, f"claims.{number}, systems of {test.table}")


def _systems_of(config: "Config", table: str) -> list[str]:
    """Return what can be compared of a table: runs, setups, or labels of the ablation; nothing if there is no table."""
    translation = config.translation
    unsupervised = translation.unsupervised.systems if translation and translation.unsupervised else []
    systems = {
        "xnli": config.xnli.runs,
        "ablation": ["full", *config.ablation.systems] if config.ablation else [],
        "perplexity": config.perplexity.setups if config.perplexity else [],
        "embeddings": config.embeddings.systems if config.embeddings else [],
        "glue": [row.name for row in config.glue.systems] if config.glue else [],
        "supervised_mt": translation.supervised.columns if translation and translation.supervised else [],
        "unsupervised_mt": [encoder for encoder, decoder in unsupervised if encoder == decoder],
    }
    return systems[table]
