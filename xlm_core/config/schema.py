"""The whole configuration, its runs and its seeds."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.corpora import Corpus, CorpusSource, Microworld, check_sources
from xlm_core.config.embeddings import Embeddings, check_embeddings
from xlm_core.config.glue import Glue, check_glue
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.config.setups import BASE, Setup, check_setups
from xlm_core.config.strict_model import PublishedKey, StrictModel
from xlm_core.config.tables import (
    Ablation,
    ClaimConfig,
    Perplexity,
    Retrieval,
    check_ablation,
    check_claims,
    check_perplexity,
    check_retrieval,
)
from xlm_core.config.training import Compute, ModelConfig
from xlm_core.config.translation import TranslationConfig, check_translation
from xlm_core.config.xnli import Xnli, check_xnli


class Run(StrictModel):
    """One pretraining run, a row of the tables: which objectives it trains, or the finished model that it is."""

    label: str
    published: PublishedKey | None = None
    objectives: list[Literal["clm", "mlm", "tlm", "skipgram"]] = Field([])
    language_embeddings: bool | None = None
    seeds: list[int] | None = Field(None, min_length=1)
    pretrained: PretrainedModel | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_objectives_or_is_pretrained(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            if data.get("pretrained") and data.get("objectives"):
                raise ValueError("a run that is 'pretrained' is not trained: give no 'objectives'")
            if "objectives" not in data and not data.get("pretrained"):
                raise ValueError("give 'objectives', which may be [], or 'pretrained'")
        return data

    @property
    def has_learned(self) -> bool:
        """Whether its weights are not just drawn at random."""
        return bool(self.objectives) or self.pretrained is not None


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

    @property
    def all_languages(self) -> list[str]:
        """The languages of all setups."""
        setups = (self, *self.setups.values())
        return list(dict.fromkeys(language for setup in setups for language in setup.languages))

    @property
    def sources(self) -> dict[str, CorpusSource]:
        """Path of a key -> where files come from, of every section that says so."""
        sources: dict[str, CorpusSource] = {f"corpora.{name}": corpus for name, corpus in self.corpora.items()}
        sources |= {"xnli.evaluation": self.xnli.evaluation, "xnli.training": self.xnli.training}
        sources |= {f"glue.tasks.{task}": files for task, files in self.glue.tasks.items()} if self.glue else {}
        word_lists = self.embeddings.lists if self.embeddings else {}
        return sources | {f"embeddings.{name}": pairs for name, pairs in word_lists.items()}

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
        for check in CHECKS:
            check(self)
        return self


def check_runs(config: Config) -> None:
    """Refuse runs whose objectives or seeds do not fit together."""
    for name, run in config.runs.items():
        if "skipgram" in run.objectives and run.objectives != ["skipgram"]:
            raise ValueError(f"runs.{name}.objectives: skipgram trains no Transformer, and stands alone")
        if unknown := set(run.seeds or []) - set(config.seeds.pretraining):
            raise ValueError(
                f"runs.{name}.seeds: {sorted(unknown)} are no seeds.pretraining ({config.seeds.pretraining})"
            )
        seeds = config.pretraining_seeds(name)
        if run.pretrained and len(seeds) != 1:
            raise ValueError(
                f"runs.{name}: pretrained is one model, seeds are {seeds}; say which it stands for: seeds: [0]"
            )


CHECKS = (
    check_setups,
    check_runs,
    check_sources,
    check_xnli,
    check_retrieval,
    check_glue,
    check_translation,
    check_perplexity,
    check_ablation,
    check_embeddings,
    check_claims,
)
