"""The whole configuration, its runs and its seeds, and how it is read."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from xlm_core import published
from xlm_core.config.classification import Glue, Xnli, check_glue, check_xnli
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.config.setups import BASE, ModelConfig, Setup, check_setups, expand_setups
from xlm_core.config.sources import GLUE_FILES, Corpus, Microworld, SourceFiles, check_sources
from xlm_core.config.strict_model import PublishedKey, RunName, Seed, SetupName, StrictModel, named_run, read
from xlm_core.config.tables import (
    BASELINES,
    Ablation,
    ClaimConfig,
    Embeddings,
    Perplexity,
    Retrieval,
    SystemConfig,
    check_tables,
    pretrained_systems,
)
from xlm_core.config.translation import TranslationConfig, check_translation
from xlm_core.errors import ConfigError


class InitialRun(StrictModel):
    """The run whose model a pretraining begins with, and its setup, where that is another."""

    setup: SetupName | None = None
    run: RunName


class Run(StrictModel):
    """One pretraining run, a row of the tables: which objectives it trains, or the finished model that it is."""

    label: str
    published: PublishedKey | None = None
    objectives: list[Literal["clm", "mlm", "tlm", "skipgram"]] = Field([])
    language_embeddings: bool | None = None
    seeds: list[Seed] | None = Field(None, min_length=1)
    pretrained: PretrainedModel | None = None
    init_from: Annotated[InitialRun, BeforeValidator(named_run, json_schema_input_type=RunName | InitialRun)] | None = (
        None
    )

    @model_validator(mode="after")
    def _has_objectives_or_is_pretrained(self) -> Self:
        if self.pretrained and self.objectives:
            raise ValueError("a run that is 'pretrained' is not trained: give no 'objectives'")
        if not self.pretrained and "objectives" not in self.model_fields_set:
            raise ValueError("give 'objectives', which may be [], or 'pretrained'")
        if self.init_from and not {"clm", "mlm", "tlm"} & set(self.objectives):
            raise ValueError("'init_from' is of a run that is trained by clm, mlm or tlm: give such 'objectives', too")
        return self

    @property
    def has_learned(self) -> bool:
        """Whether its weights are not just drawn at random."""
        return bool(self.objectives) or self.pretrained is not None

    @property
    def is_of_transformers(self) -> bool:
        """Whether that library runs it, and not a Transformer of ours."""
        return self.pretrained is not None and self.pretrained.format == "transformers"


class Seeds(StrictModel):
    """Seeds: each pretraining seed is fine-tuned with each fine-tuning seed."""

    pretraining: list[Seed] = Field([0], min_length=1)
    finetuning: list[Seed] = Field([0], min_length=1)
    other_protocols: list[Seed] | None = Field(None, min_length=1)


class Compute(StrictModel):
    """How the hardware is used: nothing here but the precision changes a result."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto"] | bool = "auto"
    activation_checkpointing: bool = False
    zero_stage1: bool = False
    gpus: int | None = Field(None, ge=0)
    processes: int = Field(1, gt=0)
    nodes: int = Field(1, gt=0)
    retries: int = Field(2, ge=0)
    container: str | None = None


class Config(Setup):
    """The whole configuration; the sections at its top are the setup ``base``."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    mirror: str | None = None
    contact: str | None = Field(None, pattern=r"^[\x20-\x7e]+$")
    is_paper_text: bool = False
    corpora: dict[str, Corpus]
    microworld: Microworld | None = None
    setups: dict[str, Setup] = Field({})
    runs: dict[str, Run]
    xnli: Xnli
    retrieval: Retrieval = Retrieval()
    glue: Glue | None = None
    translation: TranslationConfig | None = None
    perplexity: Perplexity | None = None
    ablation: Ablation | None = None
    claims: list[ClaimConfig] = Field([])
    embeddings: Embeddings | None = None
    seeds: Seeds = Seeds()
    compute: Compute = Compute()
    checkpoint_minutes: float = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_setups(self)
        check_init_from(self)
        check_transformers_runs(self)
        check_seeds(self)
        check_sources(self)
        check_xnli(self)
        check_glue(self)
        check_translation(self)
        check_tables(self)
        check_initial_models(self)
        return self

    @property
    def all_setups(self) -> dict[str, Setup]:
        """Name -> setup, ``base`` first."""
        return {BASE: self, **self.setups}

    @property
    def all_languages(self) -> list[str]:
        """The languages of all setups."""
        return list(dict.fromkeys(language for setup in self.all_setups.values() for language in setup.languages))

    @property
    def sources(self) -> dict[str, SourceFiles]:
        """Path of a section -> its files, of every section that says where files come from."""
        sources = {f"corpora.{name}": SourceFiles(corpus, corpus.keys) for name, corpus in self.corpora.items()}
        sources["xnli.evaluation"] = SourceFiles(self.xnli.evaluation, ["evaluation"])
        sources["xnli.training"] = SourceFiles(self.xnli.training, ["training"])
        for task, files in self.glue.tasks.items() if self.glue else ():
            sources[f"glue.tasks.{task}"] = SourceFiles(files, GLUE_FILES[task], files.files)
        for name, pairs in self.embeddings.lists.items() if self.embeddings else ():
            sources[f"embeddings.{name}"] = SourceFiles(pairs, pairs.keys)
        return sources

    def setup(self, name: str) -> Setup:
        """Return a setup by its name."""
        return self if name == BASE else self.setups[name]

    def model_of(self, setup: str, run: str) -> ModelConfig:
        """Return the Transformer of a run: its setup's, with or without language embeddings where the run says so."""
        model, wanted = self.setup(setup).model, self.runs[run].language_embeddings
        return model if wanted is None else model.model_copy(update={"language_embeddings": wanted})

    def text_of(self, setup: str) -> str:
        """Return the name of the tokens that a setup reads: the first setup with the same section ``text``."""
        return self._first_like(setup, "text")

    def vocabulary_of(self, setup: str) -> str:
        """Return the first setup with the same vocabulary as ``setup``; it names the vocabulary."""
        return self._first_like(setup, "languages", "monolingual", "text", "vocabulary")

    def _first_like(self, setup: str, *sections: str) -> str:
        """Return the first setup that agrees in ``sections``: what follows from them is made once, under its name."""
        settings = {name: [getattr(other, key) for key in sections] for name, other in self.all_setups.items()}
        return next(name for name in settings if settings[name] == settings[setup])

    def initial_system(self, setup: str, run: str) -> SystemConfig | None:
        """Return the run and the setup of the model that a pretraining begins with; None: with random weights."""
        init = self.runs[run].init_from
        return SystemConfig(setup=init.setup or setup, run=init.run) if init else None

    def initial_seed(self, initial: str, seed: int) -> int:
        """Return the seed of the model of the run ``initial`` that others begin with: theirs, or its only one."""
        seeds = self.pretraining_seeds(initial)
        return seed if seed in seeds else seeds[0]

    def pretraining_seeds(self, run: str, protocol: str = "zero_shot") -> list[int]:
        """Return the pretraining seeds of a run whose models are fine-tuned by a protocol."""
        of_protocol = None if protocol == "zero_shot" else self.seeds.other_protocols
        own = self.runs[run].seeds
        return [seed for seed in of_protocol or self.seeds.pretraining if own is None or seed in own]


def check_init_from(config: Config) -> None:
    """Refuse runs that begin with random weights in another way, or with themselves."""
    for name, run in config.runs.items():
        before, path = [name], f"runs.{name}.init_from"
        while run.init_from:
            if run.init_from.run in before:
                raise ValueError(f"{path}: {' <- '.join([*before, run.init_from.run])} is circular; name another run")
            before.append(run.init_from.run)
            run = config.runs[run.init_from.run]
        if len(before) > 1 and not run.has_learned:
            raise ValueError(f"{path}: {before[-1]} has random weights; name a run that has learned, or leave it out")
        seeds = [config.pretraining_seeds(each) for each in before[:2]]
        if len(seeds) == 2 and len(seeds[1]) > 1 and not set(seeds[0]) <= set(seeds[1]):
            raise ValueError(
                f"{path}: {before[1]} has the seeds {seeds[1]}, expected those of {name}, {seeds[0]}, or one"
            )


def check_initial_models(config: Config) -> None:
    """Refuse pretrainings of the tables that begin with a model of another shape, or exchange separate vocabularies."""
    for system in (system for systems in pretrained_systems(config).values() for system in systems):
        while initial := config.initial_system(system.setup, system.run):
            path = f"runs.{system.run}.init_from"
            shapes = [config.model_of(each.setup, each.run).shape for each in (initial, system)]
            if differing := [key for key in shapes[0] if shapes[0][key] != shapes[1][key]]:
                theirs, ours = (", ".join(f"{key}: {shape[key]}" for key in differing) for shape in shapes)
                raise ValueError(
                    f"{path}: {initial.name} is a model of {theirs}, but {system.name} of {ours}; give both the same "
                    "section 'model'"
                )
            setups = [config.setup(each.setup) for each in (initial, system)]
            is_same = config.vocabulary_of(initial.setup) == config.vocabulary_of(system.setup)
            if not is_same and not all(setup.vocabulary.shared for setup in setups):
                raise ValueError(
                    f"{path}: {initial.name} and {system.name} have different vocabularies, of which one has separate "
                    "pieces of each language; expected vocabulary.shared: true of both"
                )
            system = initial


def check_transformers_runs(config: Config) -> None:
    """Refuse runs of format transformers where only a Transformer of ours can be used."""
    theirs = [name for name, run in config.runs.items() if run.is_of_transformers]
    used = {f"runs.{name}.init_from": [run.init_from.run] for name, run in config.runs.items() if run.init_from}
    if supervised := config.translation and config.translation.supervised:
        used["translation.supervised.columns"] = [*supervised.columns]
    if unsupervised := config.translation and config.translation.unsupervised:
        used["translation.unsupervised.systems"] = [run for system in unsupervised.systems for run in system]
    if config.perplexity:
        used["perplexity.run"] = [config.perplexity.run]
    if config.embeddings:
        figure = config.embeddings.alignment_figure
        used["embeddings.systems"] = [*config.embeddings.systems]
        used["embeddings.alignment_figure.runs"] = [*figure.runs] if figure else []
    for path, runs in used.items():
        if wrong := [run for run in runs if run in theirs]:
            others = ", ".join(run for run in config.runs if run not in theirs)
            raise ValueError(
                f"{path}: the model of {wrong[0]} is run by transformers; it can be a row of xnli, with its retrieval, "
                f"of glue and of the ablation alone; name one of {others}"
            )


def check_transformers(config: Config) -> None:
    """Refuse runs of format transformers where that package is not installed.

    Raises:
        ConfigError: it is not.
    """
    names = [name for name, run in config.runs.items() if run.is_of_transformers]
    if names and find_spec("transformers") is None:
        raise ConfigError(
            f"runs.{names[0]}.pretrained: models of format transformers are run by the package transformers, which is "
            "not installed; install it with: pip install -e '.[interop]'"
        )


def check_seeds(config: Config) -> None:
    """Refuse runs whose objectives or seeds do not fit together, and seeds that nothing is pretrained with."""
    known = config.seeds.pretraining
    if unknown := set(config.seeds.other_protocols or []) - set(known):
        raise ValueError(f"seeds.other_protocols: {sorted(unknown)} are no pretraining seeds ({known})")
    for name, run in config.runs.items():
        if "skipgram" in run.objectives and run.objectives != ["skipgram"]:
            raise ValueError(f"runs.{name}.objectives: skipgram trains no Transformer, and stands alone")
        if unknown := set(run.seeds or []) - set(known):
            raise ValueError(f"runs.{name}.seeds: {sorted(unknown)} are no seeds.pretraining ({known})")
        seeds = config.pretraining_seeds(name)
        if run.pretrained and len(seeds) != 1:
            raise ValueError(f"runs.{name}: pretrained is one model, seeds are {seeds}; give it one, as seeds: [0]")


def parse(data: Mapping[str, Any]) -> Config:
    """Check a configuration that was read as plain dictionaries and lists.

    Raises:
        ConfigError: one line per mistake, each with the key's path, what was found and what is allowed.
    """
    missing = [name for name, key in Config.model_fields.items() if key.is_required() and name not in data]
    if len(missing) > 2:
        raise ConfigError(
            f"config: {', '.join(missing)} are missing; a file behind --configfile stands in place of config.yaml: to "
            "lay one with few keys over it, name both, --configfile config.yaml my.yaml"
        )
    names = defined_names(data)
    return read(Config, expand_setups(data, names), names=names)


def defined_names(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return kind -> the names that a configuration defines; a section that is no mapping is left out."""
    names = {kind: list(data[kind]) for kind in ("runs", "corpora", "setups") if isinstance(data.get(kind), Mapping)}
    names |= {"setups": [BASE, *names.get("setups", [])], "published": published.keys()}
    if "runs" in names:
        names["vectors"] = [*BASELINES, *names["runs"]]
    return names
