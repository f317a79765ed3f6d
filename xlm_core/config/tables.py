"""The sections about retrieval, perplexity, the ablation, word embeddings and claims: what their tables compare."""

from collections.abc import Iterable, Sequence
from itertools import chain, product
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.setups import BASE, Skipgram, check_languages, check_xlm_symbols, setup_path
from xlm_core.config.sources import Collection, CorpusSource
from xlm_core.config.strict_model import (
    LanguageCode,
    PublishedKey,
    RunName,
    Seed,
    SetupName,
    StrictModel,
    VectorsName,
    check_names,
)
from xlm_core.languages import direction_key, pair, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"  # decisions
WORD_SETTINGS = ("all words", "spelled differently")  # which pairs of words the table is about
BASELINES = {"muse": "MUSE", "concat": "Concat"}  # row of word embeddings that is no run -> its label


class SystemConfig(StrictModel):
    """A pretrained model: a run in a setup."""

    setup: SetupName = BASE
    run: RunName

    @property
    def name(self) -> str:
        """The name in results: the run, behind its setup where that is not the one at the top.

        >>> SystemConfig(run="mlm").name, SystemConfig(setup="separate", run="mlm").name
        ('mlm', 'separate/mlm')
        """
        return self.run if self.setup == BASE else f"{self.setup}/{self.run}"


class Retrieval(StrictModel):
    """Sentence retrieval among the translations of the XNLI test hypotheses."""

    n_sentences: int = Field(1000, gt=1)
    layer: int | None = Field(None, ge=0)


class Perplexity(StrictModel):
    """Perplexity of a language, the run, and a setup for each choice of texts to learn from (section 5.3).

    ``published``: setup -> key of the published row that it is compared with.
    """

    language: LanguageCode
    run: RunName = "clm"
    setups: list[SetupName] = Field(min_length=1)
    published: dict[SetupName, PublishedKey] = Field({})

    def label(self, languages: Sequence[str]) -> str:
        """Return the label of a setup with these languages: ``ne + hi``, the language itself first."""
        return " + ".join([self.language, *sorted(set(languages) - {self.language})])


class Ablation(StrictModel):
    """The full system, and what it is compared with; the key of a system says what is different (section 5)."""

    full: SystemConfig
    systems: dict[str, SystemConfig] = Field(min_length=1)

    @property
    def all_systems(self) -> list[SystemConfig]:
        """The full system and the others."""
        return [self.full, *self.systems.values()]


def word_pair_column(system: str, direction: str, setting: str) -> str:
    """Return the column of the sample statistics that holds the cosines of a system's word pairs."""
    return f"{system}, {direction}, {setting}"


class WordPairs(CorpusSource[Collection]):
    """Pairs of words, one file or member of an archive per direction: translations, or rated by their similarity."""

    keys: list[str] = Field(min_length=1)


class WordVectors(Skipgram):
    """Skip-gram vectors of words, of which both baselines are made."""

    dim: int = Field(300, gt=0)
    epochs: int = Field(5, gt=0)
    min_count: int = Field(5, gt=0)
    max_words: int = Field(200_000, gt=0)
    subwords: bool = True


class Refinement(StrictModel):
    """How MUSE turns the vectors of one language into the space of another."""

    rounds: int = Field(5, ge=0)
    max_dictionary_words: int = Field(15_000, gt=0)
    neighbors: int = Field(10, gt=0)


class AlignmentFigure(StrictModel):
    """The picture of words and their translations."""

    languages: list[LanguageCode] = Field(min_length=2)
    runs: list[RunName] = Field(min_length=1)
    n_words: int = Field(12, gt=2)
    perplexity: float = Field(5.0, gt=0)
    seed: Seed = 0

    @property
    def directions(self) -> list[str]:
        """The directions whose dictionaries are shown: from the first language to each other."""
        return [direction_key(self.languages[0], language) for language in self.languages[1:]]


class Embeddings(StrictModel):
    """The table of cross-lingual word embeddings, and the picture of their alignment."""

    setup: SetupName = BASE
    systems: list[VectorsName] = Field(min_length=1)
    dictionary: WordPairs[Literal["dictionaries"]]
    similarity: WordPairs[Literal["similarity"]] | None = None
    candidates: int = Field(200_000, gt=0)
    vectors: WordVectors = WordVectors()
    refinement: Refinement = Refinement()
    alignment_figure: AlignmentFigure | None = None

    @property
    def lists(self) -> dict[str, WordPairs[Any]]:
        """The lists of words by their keys, "dictionary" and "similarity"."""
        return {"dictionary": self.dictionary, **({"similarity": self.similarity} if self.similarity else {})}

    @property
    def languages(self) -> list[str]:
        """The languages of all words."""
        return sorted({language for pairs in self.lists.values() for key in pairs.keys for language in sides(key)})

    @model_validator(mode="after")
    def _has_its_dictionaries(self) -> Self:
        shown = self.alignment_figure.directions if self.alignment_figure else []
        for key in (*(key for pairs in self.lists.values() for key in pairs.keys), *shown):
            if len(set(sides(key))) != 2:
                raise ValueError(f"'{key}' is no direction; expected one such as en-fr, first word's language first")
        check_names(shown, self.dictionary.keys, "alignment_figure.languages, dictionary")
        return self


class ComparisonConfig(StrictModel):
    """The hypothesis that the first of two systems of a table is better, by more than the margin."""

    table: Literal["xnli", "ablation", "unsupervised_mt", "supervised_mt", "perplexity", "embeddings", "glue"]
    a: str | SystemConfig
    b: str | SystemConfig
    margin: float = 0.0


class ClaimConfig(StrictModel):
    """What is claimed, by the paper or by us, and the comparisons that all must hold for it."""

    claim: str
    is_ours: bool = False
    tests: list[ComparisonConfig] = Field(min_length=1)


def check_tables(config: "Config") -> None:
    """Refuse tables of systems that do not exist, or that are not trained and tested alike."""
    for row in config.xnli.runs if config.retrieval.layer is not None else ():
        layer, n_layers = config.retrieval.layer or 0, config.setup(row.setup).model.n_layers
        if layer > n_layers:
            raise ValueError(f"retrieval.layer is {layer}, but {setup_path(row.setup)}model.n_layers is {n_layers}")
    if config.perplexity:
        _check_perplexity(config, config.perplexity)
    if config.ablation:
        _check_ablation(config, config.ablation)
    if config.embeddings:
        check_xlm_symbols(config, config.embeddings.setup, "embeddings.setup")
        check_languages(config, config.embeddings.setup, config.embeddings.languages, "embeddings")
        if same := sorted(BASELINES.keys() & config.runs):
            raise ValueError(f"runs.{same[0]}: a baseline of the section embeddings has this name; take another")
    _check_claims(config)


def _check_perplexity(config: "Config", table: Perplexity) -> None:
    """Refuse setups that are not trained and tested alike, and a run that is not a language model."""
    if "clm" not in config.runs[table.run].objectives:
        raise ValueError(f"perplexity.run: {table.run} has not the objective clm, without which there is no perplexity")
    check_names(table.published, table.setups, "perplexity.published")
    labels = [table.label(config.setup(name).languages) for name in table.setups]
    if len(set(labels)) < len(labels):
        raise ValueError(f"perplexity.setups: two of them have the same languages ({', '.join(labels)})")
    first = config.setup(table.setups[0])
    for name in table.setups:
        check_xlm_symbols(config, name, "perplexity.setups")
        check_languages(config, name, [table.language], "perplexity.language")
        setup, path = config.setup(name), f"perplexity.setups: {name}"
        for key in ("pretraining", "text"):
            if getattr(setup, key) != getattr(first, key):
                raise ValueError(f"{path} has another section '{key}' than {table.setups[0]}; make them equal")
        if setup.monolingual[table.language] != first.monolingual[table.language]:
            raise ValueError(f"{path} reads other text of '{table.language}' than {table.setups[0]}")


def _check_ablation(config: "Config", table: Ablation) -> None:
    """Refuse systems whose setup lacks the language that has labels, or any other to transfer to."""
    systems = {f"systems.{label}": system for label, system in table.systems.items()}
    for path, row in {"full": table.full, **systems}.items():
        check_languages(config, row.setup, [config.xnli.train_language], f"ablation.{path}")
        if not set(config.xnli.others) & set(config.setup(row.setup).languages):
            raise ValueError(f"ablation.{path}: setup '{row.setup}' has no other language of XNLI to transfer to")
    if missing := set(config.xnli.languages) - set(config.setup(table.full.setup).languages):
        raise ValueError(f"ablation.full: its setup has no {', '.join(sorted(missing))}, but the table of XNLI has")


def _check_claims(config: "Config") -> None:
    """Refuse a claim that is made twice, and comparisons of systems that are not of their table."""
    claims = [claim.claim for claim in config.claims]
    if twice := sorted({claim for claim in claims if claims.count(claim) > 1}):
        raise ValueError(f"claims: '{twice[0]}' is listed twice; put all of its comparisons into one")
    tables = _compared_systems(config)
    for number, claim in enumerate(config.claims):
        for test in claim.tests:
            if not tables[test.table]:
                raise ValueError(f"claims.{number}: there is no table {test.table} to compare systems of")
            check_names((test.a, test.b), tables[test.table], f"claims.{number}, systems of {test.table}")


def pretrained_systems(config: "Config") -> dict[str, list[SystemConfig]]:
    """Return table -> the pretrained models that it needs, those that others begin with left out."""
    perplexity, vectors, translation = config.perplexity, config.embeddings, config.translation
    unsupervised, supervised = (translation.unsupervised, translation.supervised) if translation else (None, None)
    setups = {key: sets.setup for key, sets in translation.pairs.items()} if translation else {}
    named: dict[str, Iterable[tuple[str, str]]] = {
        "xnli": [(row.setup, row.run) for row in config.xnli.runs],
        "glue": [(row.setup, row.run) for row in config.glue.systems] if config.glue else [],
        "ablation": [(row.setup, row.run) for row in config.ablation.all_systems] if config.ablation else [],
        "perplexity": product(perplexity.setups, [perplexity.run]) if perplexity else [],
        "embeddings": product([vectors.setup], (n for n in vectors.systems if n in config.runs)) if vectors else [],
        "unsupervised_mt": product((setups[key] for key in unsupervised.pairs), chain(*unsupervised.systems))
        if unsupervised
        else [],
        "supervised_mt": product([setups[pair(supervised.source, supervised.target)]], supervised.columns)
        if supervised
        else [],
    }
    return {table: [SystemConfig(setup=setup, run=run) for setup, run in named[table]] for table in named}


def _compared_systems(config: "Config") -> dict[str, Sequence[str | SystemConfig]]:
    """Return table -> what can be compared of it: runs, setups, labels of the ablation; nothing if it is not made."""
    supervised = config.translation and config.translation.supervised
    unsupervised = config.translation and config.translation.unsupervised
    return {
        "xnli": list(config.xnli.rows),
        "ablation": ["full", *config.ablation.systems] if config.ablation else [],
        "perplexity": config.perplexity.setups if config.perplexity else [],
        "embeddings": config.embeddings.systems if config.embeddings else [],
        "glue": [SystemConfig(setup=r.setup, run=r.run) for r in config.glue.systems] if config.glue else [],
        "supervised_mt": supervised.columns if supervised else [],
        "unsupervised_mt": [run for run, decoder in unsupervised.systems if run == decoder] if unsupervised else [],
    }
