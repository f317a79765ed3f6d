"""Setups: what the models that read the same text share, from their languages to how they are pretrained.

The sections at the top of the configuration are the setup ``base``. A further one states only what it changes of them,
as the paper trains a separate vocabulary and separate models for each pair that it translates.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.pretrained import PretrainedVocabulary
from xlm_core.config.strict_model import (
    CorpusName,
    LanguageCode,
    LanguageKey,
    Positive,
    StrictModel,
    check_names,
    read,
)
from xlm_core.languages import is_pair, scripts_of, sides

if TYPE_CHECKING:
    from xlm_core.config import Config

BASE = "base"
FREE = {"dropout", "attention_dropout", "embedding_init_std"}  # keys of the section ``model`` that no weight depends on


class Text(StrictModel):
    """Cleaning, tokenization and splitting."""

    n_shards: int = Field(1, gt=0)
    tokenization: Literal["moses", "none"] = "moses"
    lowercase: bool = True
    strip_accents: bool = True
    romanian: Literal["keep", "normalized", "stripped"] = "keep"
    moses: Literal["unicode", "published"] = "unicode"
    deduplicate: bool = False
    min_words: int = Field(1, gt=0)
    max_words: int = Field(200, gt=0)
    max_ratio: float = Field(3.0, ge=1)
    min_letter_ratio: float = Field(0.0, ge=0, le=1)
    min_script_ratio: float = Field(0.0, ge=0, le=1)
    valid_fraction: float = Field(0.01, gt=0, lt=0.5)
    test_fraction: float = Field(0.01, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _some_lengths_are_kept(self) -> Self:
        if self.min_words > self.max_words:
            raise ValueError(f"min_words is {self.min_words}, but max_words is {self.max_words}: no line is kept")
        return self


class VocabularyConfig(StrictModel):
    """Byte-pair encoding."""

    size: int = Field(gt=20)
    shared: bool = True
    language_sampling_alpha: float = Field(0.5, ge=0, le=1)
    sample_lines: int = Field(1_000_000, gt=0)
    character_coverage: float = Field(1.0, gt=0.9, le=1)
    pretrained: PretrainedVocabulary | None = None


class ModelConfig(StrictModel):
    """The Transformer's shape."""

    dim: int = Positive
    n_layers: int = Positive
    n_heads: int = Positive
    feedforward_dim: int = Positive
    dropout: float = Field(0.1, ge=0, lt=1)
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    max_positions: int = Field(512, gt=0)
    language_embeddings: bool = True
    embedding_init_std: float | None = Field(None, gt=0)
    norm_epsilon: float = Field(1.0e-12, gt=0)
    n_segments: int = Field(0, ge=0)
    prediction_transform: bool = False
    pooler: bool = False

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.n_heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of n_heads ({self.n_heads})")
        return self

    @property
    def shape(self) -> dict[str, Any]:
        """What two models must have alike so that one can begin with the weights of the other."""
        return self.model_dump(exclude=FREE)


class Optim(StrictModel):
    """Adam and its learning rate."""

    learning_rate: float = Positive
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant"] = "inverse_sqrt"
    warmup_updates: int = Field(ge=0)
    max_updates: int = Field(gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, ge=0, lt=1)
    epsilon: float = Field(1.0e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)

    @property
    def depends_on_max_updates(self) -> bool:
        """Whether the learning rate of an update depends on the number of all updates."""
        return self.schedule in ("cosine", "linear")


class Masking(StrictModel):
    """Which tokens MLM and TLM hide, and behind what."""

    mask_prob: float = Field(0.15, gt=0, lt=1)
    mask: float = Field(0.8, ge=0, le=1)
    random: float = Field(0.1, ge=0, le=1)
    keep: float = Field(0.1, ge=0, le=1)
    frequency_exponent: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _fates_sum_to_one(self) -> Self:
        if abs(self.mask + self.random + self.keep - 1) > 1e-6:
            raise ValueError("mask, random and keep must sum to 1")
        return self


class Pretraining(StrictModel):
    """Batches and optimization of pretraining; shared by every run."""

    language_sampling_alpha: float = Field(0.7, ge=0, le=1)
    seq_len: int = Field(256, gt=2)
    max_pair_tokens: int = Field(512, gt=4)
    batch_tokens: int = Positive
    micro_batch_tokens: int = Positive
    optim: Optim
    masking: Masking = Masking()
    eval_interval: int = Positive
    max_eval_tokens: int = Field(gt=0)
    selection_languages: list[LanguageCode] = Field([])
    patience: int = Field(0, ge=0)


class Skipgram(StrictModel):
    """Skip-gram vectors of pieces (EMB), which have the width of the model."""

    epochs: int = Field(10, gt=0)
    window: int = Field(5, gt=0)
    negative: int = Field(10, gt=0)
    min_count: int = Field(1, gt=0)
    sample: float = Field(1.0e-3, ge=0)
    threads: int = Field(1, gt=0)


class Setup(StrictModel):
    """Languages, their texts and vocabulary, and the shape and the pretraining of their models and vectors."""

    languages: list[LanguageCode] = Field(min_length=1)
    monolingual: dict[LanguageCode, list[CorpusName]]
    parallel: dict[LanguageKey, list[CorpusName]] = Field({})
    text: Text = Text()
    vocabulary: VocabularyConfig
    model: ModelConfig
    pretraining: Pretraining
    skipgram: Skipgram = Skipgram()

    @property
    def language_summary(self) -> str:
        """The language, or how many there are."""
        return self.languages[0] if len(self.languages) == 1 else f"{len(self.languages)} languages"


def setup_path(name: str) -> str:
    """Return what stands before the keys of a setup in the configuration."""
    return "" if name == BASE else f"setups.{name}."


def expand_setups(data: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Write every setup out in full: what it does not name is as in the sections at the top.

    Of the corpora at the top it has the ones in its own languages.

    Raises:
        ConfigError: a section at the top is wrong; the message comes once, not again with every setup.
    """
    base = {key: data[key] for key in Setup.model_fields if key in data}
    setups = data.get("setups")
    if not isinstance(setups, Mapping) or not setups:
        return dict(data)
    if any(field.is_required() and key not in base for key, field in Setup.model_fields.items()):
        return {key: data[key] for key in data if key != "setups"}  # reading it also names a misspelt key
    read(Setup, base, names=names)
    return {**data, "setups": {name: _merged(_restricted(base, changes), changes) for name, changes in setups.items()}}


def _restricted(base: Mapping[str, Any], changes: Any) -> dict[str, Any]:
    """Return the base with the corpora in the languages of a setup alone."""
    languages = changes.get("languages") if isinstance(changes, Mapping) else None
    if not isinstance(languages, list):  # left out, or wrong, which is found when the setup is read
        languages = base["languages"]
    corpora = {
        section: {key: names for key, names in base.get(section, {}).items() if all(s in languages for s in sides(key))}
        for section in ("monolingual", "parallel")
    }
    return {**base, **corpora}


def _merged(base: Any, changes: Any) -> Any:
    """Return ``base`` with ``changes``, key by key; a list or an empty section replaces what was there."""
    if not (isinstance(base, Mapping) and isinstance(changes, Mapping)):
        return changes
    return {**base, **{key: _merged(base.get(key), value) if value else value for key, value in changes.items()}}


def check_setups(config: "Config") -> None:
    """Refuse a setup whose languages, corpora and sizes do not fit together."""
    if BASE in config.setups:
        raise ValueError(f"setups.{BASE}: the sections at the top have this name; take another")
    for name, setup in config.all_setups.items():
        path = setup_path(name)
        _check_texts(config, setup, path)
        _check_stores(config, name)
        check_length(config, name, setup.pretraining.seq_len, f"{path}pretraining.seq_len")
        check_languages(config, name, setup.pretraining.selection_languages, f"{path}pretraining.selection_languages")
        if setup.text.min_script_ratio and (unknown := [code for code in config.all_languages if not scripts_of(code)]):
            raise ValueError(
                f"{path}text.min_script_ratio: the script of {', '.join(unknown)} is not known; set it to 0.0, or add "
                "the language to xlm_core/languages.py"
            )
        if setup.text.n_shards != (n := config.text.n_shards):
            raise ValueError(f"{path}text.n_shards is {setup.text.n_shards}, but all setups read the same {n} shards")


def check_languages(config: "Config", setup: str, languages: Iterable[str], path: str) -> None:
    """Refuse languages that a setup lacks."""
    check_names(languages, config.setup(setup).languages, f"{path}, languages of setup '{setup}'")


def check_length(config: "Config", setup: str, n_tokens: int, path: str) -> None:
    """Refuse inputs of more tokens than the models of a setup have positions."""
    positions = config.setup(setup).model.max_positions
    if n_tokens > positions:
        raise ValueError(f"{path} is {n_tokens}, but {setup_path(setup)}model.max_positions is {positions}")


def check_xlm_symbols(config: "Config", setup: str, path: str) -> None:
    """Refuse a setup with the tokenizer of another model on raw text, where only models like XLM can be used."""
    section = config.setup(setup)
    pretrained = section.vocabulary.pretrained
    if section.text.tokenization == "none" and pretrained and pretrained.format == "huggingface":
        raise ValueError(
            f"{path}: setup '{setup}' has the tokenizer of another model; its models can be rows of xnli, glue and the "
            "ablation, and go on being trained by MLM and TLM; take another setup"
        )


def check_corpora(config: "Config", key: str, names: Sequence[str], path: str, *, eval_only: bool = False) -> None:
    """Refuse corpora that do not hold a language or pair, or that are for evaluation, or with ``eval_only`` are not."""
    mistake = "is for evaluation; take one to train on"
    if eval_only:
        mistake = "is cut into shards; mark a test set with 'eval_only: true'"
    for name in names:
        corpus = config.corpora[name]
        if key not in corpus.keys and (eval_only or not any(key in sides(other) for other in corpus.keys)):
            raise ValueError(f"{path}: corpus '{name}' holds {', '.join(corpus.keys)}, but not {key}")
        if corpus.eval_only != eval_only:
            raise ValueError(f"{path}: corpus '{name}' {mistake}")


def _check_texts(config: "Config", setup: Setup, path: str) -> None:
    """Refuse corpora of pretraining that do not hold the language or pair that they are used for."""
    for section, corpora in (("monolingual", setup.monolingual), ("parallel", setup.parallel)):
        for key, names in corpora.items():
            if is_pair(key) != (section == "parallel"):
                expected = "a pair" if section == "parallel" else "one language"
                raise ValueError(f"{path}{section}.{key}: expected {expected}")
            check_names(sides(key), setup.languages, f"{path}{section}.{key}")
            check_corpora(config, key, names, f"{path}{section}.{key}")
    if missing := set(setup.languages) - setup.monolingual.keys():
        raise ValueError(f"{path}monolingual: no corpus for language '{min(missing)}'")


def _check_stores(config: "Config", name: str) -> None:
    """Refuse finished stores in a setup that learns its own vocabulary, or that a table needs the text of."""
    setup = config.setup(name)
    names = {corpus for names in (*setup.monolingual.values(), *setup.parallel.values()) for corpus in names}
    stores = sorted(corpus for corpus in names if config.corpora[corpus].format == "store")
    if stores and setup.vocabulary.pretrained is None:
        raise ValueError(
            f"corpora.{stores[0]} is a store of token ids, from which no vocabulary can be learned: give the one "
            f"that it was built with, as {setup_path(name)}vocabulary.pretrained"
        )
    if stores and config.embeddings and config.embeddings.setup == name:
        raise ValueError(
            f"embeddings.setup: '{name}' reads the store corpora.{stores[0]}, but vectors of words are learned from "
            "text; take a setup that has text"
        )
