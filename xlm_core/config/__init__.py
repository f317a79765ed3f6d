"""The configuration: typed, frozen, strict. One class per section of the YAML file, one field per key.

What each key means, its unit and its place in the paper stand beside the key in ``config.yaml``.
"""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from xlm_core.config.corpora import Corpus, Microworld, Source, Text, VocabularyConfig
from xlm_core.config.section import Section, known, plain, read
from xlm_core.config.training import Compute, Finetuning, Masking, ModelConfig, Optim, Pretraining
from xlm_core.config.translation import Noise, Search, TranslationTraining, Weights
from xlm_core.errors import ConfigError
from xlm_core.languages import is_pair, sides

__all__ = [
    "SETTINGS",
    "Compute",
    "Config",
    "Corpus",
    "FewShot",
    "Finetuning",
    "Masking",
    "Microworld",
    "ModelConfig",
    "Noise",
    "Optim",
    "Pretraining",
    "Retrieval",
    "Run",
    "Search",
    "Section",
    "Seeds",
    "Source",
    "Text",
    "TranslationTraining",
    "VocabularyConfig",
    "Weights",
    "Xnli",
    "load",
    "parse",
    "plain",
    "read",
]


class Run(Section):
    """One pretraining run, a row of the tables: which objectives it trains."""

    label: str
    objectives: list[Literal["clm", "mlm", "tlm"]]
    language_embeddings: bool | None = None
    seeds: list[int] | None = Field(None, min_length=1)


class FewShot(Section):
    """Fine-tuning on a few examples of each other language beside those of the training language."""

    runs: list[str] = Field([])
    examples: int = Field(100, gt=0)


class Xnli(Section):
    """The XNLI table: all ``runs`` are tested zero-shot, and those that are named elsewhere in other ways, too."""

    languages: list[str] = Field(min_length=1)
    train_language: str = "en"
    evaluation: Source
    training: Source
    n_train: int | None = Field(None, gt=0)
    runs: list[str] = Field(min_length=1)
    selected_per_language: list[str] = Field([])
    few_shot: FewShot = FewShot()
    translate_test: list[str] = Field([])
    translate_train: list[str] = Field([])
    translate_train_all: list[str] = Field([])
    finetuning: Finetuning

    @property
    def run_lists(self) -> dict[str, list[str]]:
        """Path of a key -> the runs it names beside ``runs``."""
        names = ("selected_per_language", "translate_test", "translate_train", "translate_train_all")
        return {"few_shot.runs": self.few_shot.runs, **{name: getattr(self, name) for name in names}}


SETTINGS = {
    "zero_shot": "zero-shot",
    "selected_per_language": "zero-shot, selected per language",
    "few_shot": "few-shot",
    "translate_test": "translate-test",
    "translate_train": "translate-train",
    "translate_train_all": "translate-train, all",
}  # protocol -> what it is called in tables and results


class Retrieval(Section):
    """Sentence retrieval among the translations of the XNLI test hypotheses."""

    n_sentences: int = Field(1000, gt=1)
    layer: int | None = Field(None, ge=0)


class Seeds(Section):
    """Seeds: each pretraining seed is fine-tuned with each fine-tuning seed."""

    pretraining: list[int] = Field(min_length=1)
    finetuning: list[int] = Field(min_length=1)
    protocols: list[int] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _protocols_have_models(self) -> Self:
        if unknown := set(self.protocols or []) - set(self.pretraining):
            raise ValueError(f"protocols: {sorted(unknown)} are no pretraining seeds ({self.pretraining})")
        return self

    def of_protocol(self, protocol: str) -> list[int]:
        """The pretraining seeds whose models are fine-tuned by a protocol."""
        return self.pretraining if protocol == "zero_shot" or self.protocols is None else self.protocols


class Config(Section):
    """The whole configuration."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    mirror: str | None = None
    languages: list[str] = Field(min_length=1)
    corpora: dict[str, Corpus]
    microworld: Microworld | None = None
    monolingual: dict[str, list[str]]
    parallel: dict[str, list[str]] = Field({})
    text: Text = Text()
    vocabulary: VocabularyConfig
    model: ModelConfig
    pretraining: Pretraining
    runs: dict[str, Run]
    xnli: Xnli
    retrieval: Retrieval = Retrieval()
    seeds: Seeds
    compute: Compute = Compute()
    save_minutes: float = Field(10.0, gt=0)

    def model_of(self, run: str) -> ModelConfig:
        """The Transformer of a run: that of all, with or without language embeddings where the run says so."""
        wanted = self.runs[run].language_embeddings
        return self.model if wanted is None else self.model.model_copy(update={"language_embeddings": wanted})

    def pretraining_seeds(self, run: str, protocol: str = "zero_shot") -> list[int]:
        """The seeds of a run whose models are fine-tuned by a protocol, in the order of ``seeds.pretraining``."""
        wanted = self.seeds.of_protocol(protocol)
        own = self.runs[run].seeds
        return wanted if own is None else [seed for seed in wanted if seed in own]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _check_languages(self)
        _check_streams(self)
        _check_lengths(self)
        _check_layer(self)
        for run in self.xnli.runs:
            known(run, self.runs, "xnli.runs")
        for path, runs in self.xnli.run_lists.items():
            for run in runs:
                known(run, self.xnli.runs, f"xnli.{path}")
        _check_seeds(self)
        sources = [*self.corpora.values(), self.xnli.evaluation, self.xnli.training]
        if any(source.microworld for source in sources) and self.microworld is None:
            raise ValueError("a source says 'microworld: true', but there is no section 'microworld'")
        return self


def _check_lengths(config: Config) -> None:
    """No input is longer than the model has positions."""
    lengths = {"pretraining.seq_len": config.pretraining.seq_len}
    lengths["xnli.finetuning.max_tokens"] = config.xnli.finetuning.max_tokens
    for path, length in lengths.items():
        if length > config.model.max_positions:
            raise ValueError(f"{path} is {length}, but model.max_positions is {config.model.max_positions}")


def _check_layer(config: Config) -> None:
    """The layer whose states are compared is one that the models have."""
    layer = config.retrieval.layer
    if layer is not None and layer > config.model.n_layers:
        raise ValueError(f"retrieval.layer is {layer}, but model.n_layers is {config.model.n_layers}")


def _check_seeds(config: Config) -> None:
    """Every run is pretrained with some of the seeds, and has one for each protocol that it is listed for."""
    for name, run in config.runs.items():
        if unknown := set(run.seeds or []) - set(config.seeds.pretraining):
            raise ValueError(
                f"runs.{name}.seeds: {sorted(unknown)} are no seeds.pretraining ({config.seeds.pretraining})"
            )
    for path, runs in config.xnli.run_lists.items():
        for run in runs:
            if not config.pretraining_seeds(run, "few_shot"):
                raise ValueError(f"xnli.{path}: {run} has none of the seeds.protocols ({config.seeds.protocols})")


def _check_languages(config: Config) -> None:
    """Every language that is used is one of ``languages``."""
    for name, corpus in config.corpora.items():
        for key in corpus.keys:
            for language in sides(key):
                known(language, config.languages, f"corpora.{name}.keys")
    for language in (*config.xnli.languages, config.xnli.train_language):
        known(language, config.languages, "xnli.languages")


def _check_streams(config: Config) -> None:
    """Every corpus that pretraining draws from exists and holds the language or pair it is drawn for."""
    for place, wanted in (("monolingual", config.monolingual), ("parallel", config.parallel)):
        for key, names in wanted.items():
            path = f"{place}.{key}"
            if is_pair(key) != (place == "parallel"):
                raise ValueError(f"{path}: expected {'a pair' if place == 'parallel' else 'one language'}")
            for name in names:
                known(name, config.corpora, path)
                held = config.corpora[name].keys
                if key not in held and not any(key in sides(other) for other in held):
                    raise ValueError(f"{path}: corpus '{name}' holds {', '.join(held)}, but not {key}")
    for language in config.languages:
        if language not in config.monolingual:
            raise ValueError(f"monolingual: no corpus for language '{language}'")


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: one line that names the key, what was found and what is allowed.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    return parse(data)


def parse(data: Any) -> Config:
    """Check a configuration that was read as plain dictionaries and lists."""
    return read(Config, data)
