"""The configuration: typed, frozen, strict. One class per section of the YAML file, one field per key.

What each key means, its unit and its place in the paper stand beside the key in ``config.yaml``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from xlm_core.config import checks
from xlm_core.config.ablation import Ablation, SystemConfig, system
from xlm_core.config.claims import ClaimConfig, ComparisonConfig
from xlm_core.config.corpora import GLUE_FILES, TEST_SETS, Corpus, CorpusSource, Microworld, Text, VocabularyConfig
from xlm_core.config.embeddings import (
    BASELINES,
    WORD_SETTINGS,
    AlignmentFigure,
    Embeddings,
    Refinement,
    WordPairs,
    WordVectors,
)
from xlm_core.config.glue import DIAGNOSTICS, GLUE_LANGUAGE, Glue, GlueRow, GlueTaskFiles
from xlm_core.config.imported import Imported, ImportedModel, ImportedVocabulary
from xlm_core.config.perplexity import Perplexity
from xlm_core.config.section import StrictModel, read, to_dict
from xlm_core.config.setups import BASE, Setup, expand_setups
from xlm_core.config.training import Compute, Finetuning, Masking, ModelConfig, Optim, Pretraining
from xlm_core.config.translation import (
    DecodingConfig,
    EvaluationSets,
    LossWeights,
    Noise,
    SupervisedMt,
    TranslationConfig,
    TranslationObjective,
    TranslationTraining,
    UnsupervisedMt,
)
from xlm_core.config.xnli import SETTINGS, FewShot, Xnli
from xlm_core.errors import ConfigError

# What text that is no YAML leads to: beside the library's own errors those of bytes and numbers that are none.
BROKEN = (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError, RecursionError)

__all__ = [
    "BASE",
    "BASELINES",
    "DIAGNOSTICS",
    "GLUE_FILES",
    "GLUE_LANGUAGE",
    "SETTINGS",
    "TEST_SETS",
    "WORD_SETTINGS",
    "Ablation",
    "AlignmentFigure",
    "ClaimConfig",
    "ComparisonConfig",
    "Compute",
    "Config",
    "Corpus",
    "CorpusSource",
    "DecodingConfig",
    "Embeddings",
    "EvaluationSets",
    "FewShot",
    "Finetuning",
    "Glue",
    "GlueRow",
    "GlueTaskFiles",
    "Imported",
    "ImportedModel",
    "ImportedVocabulary",
    "LossWeights",
    "Masking",
    "Microworld",
    "ModelConfig",
    "Noise",
    "Optim",
    "Perplexity",
    "Pretraining",
    "Refinement",
    "Retrieval",
    "Run",
    "Seeds",
    "Setup",
    "StrictModel",
    "SupervisedMt",
    "SystemConfig",
    "Text",
    "TranslationConfig",
    "TranslationObjective",
    "TranslationTraining",
    "UnsupervisedMt",
    "VocabularyConfig",
    "WordPairs",
    "WordVectors",
    "Xnli",
    "load",
    "parse",
    "read",
    "system",
    "to_dict",
]


class Run(StrictModel):
    """One pretraining run, a row of the tables: which objectives it trains, or the finished model that it is."""

    label: str
    objectives: list[Literal["clm", "mlm", "tlm", "skipgram"]] = Field([])
    language_embeddings: bool | None = None
    seeds: list[int] | None = Field(None, min_length=1)
    imported: ImportedModel | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_objectives_or_is_imported(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            if data.get("imported") and data.get("objectives"):
                raise ValueError("a run that is 'imported' is not trained: give no 'objectives'")
            if "objectives" not in data and not data.get("imported"):
                raise ValueError("give 'objectives', which may be [], or 'imported'")
        return data

    @property
    def has_learned(self) -> bool:
        """Whether its weights are not just drawn at random."""
        return bool(self.objectives) or self.imported is not None


class Retrieval(StrictModel):
    """Sentence retrieval among the translations of the XNLI test hypotheses."""

    n_sentences: int = Field(1000, gt=1)
    layer: int | None = Field(None, ge=0)


class Seeds(StrictModel):
    """Seeds: each pretraining seed is fine-tuned with each fine-tuning seed."""

    pretraining: list[int] = Field([0], min_length=1)
    finetuning: list[int] = Field([0], min_length=1)
    other_protocols: list[int] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _protocols_have_models(self) -> Self:
        if unknown := set(self.other_protocols or []) - set(self.pretraining):
            raise ValueError(f"other_protocols: {sorted(unknown)} are no pretraining seeds ({self.pretraining})")
        return self

    def of_protocol(self, protocol: str) -> list[int]:
        """The pretraining seeds whose models are fine-tuned by a protocol."""
        return self.pretraining if protocol == "zero_shot" or self.other_protocols is None else self.other_protocols


class Config(Setup):
    """The whole configuration; its own sections are those of the setup ``base``."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    mirror: str | None = None
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

    def setup(self, name: str) -> Setup:
        """A setup by its name."""
        return self if name == BASE else self.setups[name]

    def model_of(self, setup: str, run: str) -> ModelConfig:
        """The Transformer of a run: that of its setup, with or without language embeddings where the run says so."""
        model, wanted = self.setup(setup).model, self.runs[run].language_embeddings
        return model if wanted is None else model.model_copy(update={"language_embeddings": wanted})

    def text_of(self, setup: str) -> str:
        """The name of the tokens that a setup reads: that of the first setup with the same section ``text``."""
        return self._first_like(setup, "text")

    def vocabulary_of(self, setup: str) -> str:
        """The name of the vocabulary of a setup, likewise."""
        return self._first_like(setup, "languages", "monolingual", "text", "vocabulary")

    def _first_like(self, setup: str, *sections: str) -> str:
        """The first setup that agrees in ``sections``: what follows from them is made once, under its name."""
        wanted = [getattr(self.setup(setup), section) for section in sections]
        alike = (
            name
            for name in (BASE, *self.setups)
            if [getattr(self.setup(name), section) for section in sections] == wanted
        )
        return next(alike)

    def pretraining_seeds(self, run: str, protocol: str = "zero_shot") -> list[int]:
        """The seeds of a run whose models are fine-tuned by a protocol, in the order of ``seeds.pretraining``."""
        wanted = self.seeds.of_protocol(protocol)
        own = self.runs[run].seeds
        return wanted if own is None else [seed for seed in wanted if seed in own]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        checks.check(self)
        return self


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: one line that names the key, what was found and what is allowed.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except BROKEN as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    return parse(data)


def parse(data: Any) -> Config:
    """Check a configuration that was read as plain dictionaries and lists."""
    return read(Config, expand_setups(data) if isinstance(data, Mapping) else data)
