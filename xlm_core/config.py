"""The configuration: typed, frozen, strict. One class per section of the YAML file, one field per key.

What each key means, its unit and its place in the paper stand beside the key in ``config.yaml``.
"""

import difflib
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xlm_core.errors import ConfigError
from xlm_core.languages import is_pair, sides

Positive = Field(gt=0)


class Section(BaseModel):
    """A part of the configuration: unknown keys and wrong types are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnySection = TypeVar("AnySection", bound=Section)


class Source(Section):
    """Where a file comes from: exactly one of a URL, a local path, or the microworld's generator."""

    url: str | None = None
    path: str | None = None
    microworld: bool = False
    licence: str = ""
    sha256: dict[str, str] = {}
    bytes: dict[str, int] = {}

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.url is not None) + (self.path is not None) + self.microworld != 1:
            raise ValueError("give exactly one of url, path and microworld: true")
        return self


class Corpus(Source):
    """A corpus: files of one format, one per language or pair (its keys)."""

    format: Literal["text", "moses", "wikipedia"]
    keys: list[str] = Field(min_length=1)
    tokenized: bool = False


class Text(Section):
    """Cleaning, tokenization and splitting."""

    n_shards: int = Field(1, gt=0)
    lowercase: bool = True
    strip_accents: bool = True
    max_words: int = Field(200, gt=0)
    max_ratio: float = Field(3.0, ge=1)
    valid_share: float = Field(0.01, gt=0, lt=0.5)
    test_share: float = Field(0.01, gt=0, lt=0.5)


class VocabularyConfig(Section):
    """Byte-pair encoding."""

    size: int = Field(gt=20)
    shared: bool = True
    alpha: float = Field(0.5, ge=0, le=1)
    sample_lines: int = Field(gt=0)
    character_coverage: float = Field(1.0, gt=0.9, le=1)


class ModelConfig(Section):
    """The Transformer's shape."""

    dim: int = Positive
    n_layers: int = Positive
    n_heads: int = Positive
    feedforward_dim: int = Positive
    dropout: float = Field(0.1, ge=0, lt=1)
    attention_dropout: float = Field(0.1, ge=0, lt=1)
    max_positions: int = Field(512, gt=0)
    language_embeddings: bool = True

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.dim % self.n_heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of n_heads ({self.n_heads})")
        return self


class Optim(Section):
    """Adam and its learning rate."""

    learning_rate: float = Positive
    schedule: Literal["inverse_sqrt", "cosine", "linear", "constant"] = "inverse_sqrt"
    warmup_updates: int = Field(ge=0)
    max_updates: int = Field(gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.98, ge=0, lt=1)
    epsilon: float = Field(1.0e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float = Field(1.0, gt=0)


class Masking(Section):
    """Which tokens MLM and TLM hide, and behind what."""

    share: float = Field(0.15, gt=0, lt=1)
    mask: float = Field(0.8, ge=0, le=1)
    random: float = Field(0.1, ge=0, le=1)
    keep: float = Field(0.1, ge=0, le=1)
    alpha: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _fates_sum_to_one(self) -> Self:
        if abs(self.mask + self.random + self.keep - 1) > 1e-6:
            raise ValueError("mask, random and keep must sum to 1")
        return self


class Pretraining(Section):
    """Batches and optimization of pretraining; shared by every run."""

    alpha: float = Field(0.7, ge=0, le=1)
    seq_len: int = Field(256, gt=2)
    max_pair_tokens: int = Field(512, gt=4)
    tokens_per_update: int = Positive
    tokens_per_batch: int = Positive
    optim: Optim
    masking: Masking = Masking()
    evaluate_every: int = Positive
    max_eval_tokens: int = Field(gt=0)
    patience: int = Field(0, ge=0)


class Run(Section):
    """One pretraining run, a row of the tables: which objectives it trains."""

    label: str
    objectives: list[Literal["clm", "mlm", "tlm"]]


class Finetuning(Section):
    """Fine-tuning of a pretrained encoder on labelled pairs of sentences."""

    learning_rates: list[float] = Field(min_length=1)
    batch_size: int = Positive
    epochs: int = Positive
    evaluations_per_epoch: int = Field(1, gt=0)
    warmup_share: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    max_tokens: int = Field(256, gt=4)
    clip_norm: float = Field(1.0, gt=0)


class Xnli(Section):
    """The XNLI table."""

    languages: list[str] = Field(min_length=1)
    train_language: str = "en"
    evaluation: Source
    training: Source
    n_train: int | None = Field(None, gt=0)
    runs: list[str] = Field(min_length=1)
    finetuning: Finetuning


class Retrieval(Section):
    """Sentence retrieval among the translations of the XNLI test hypotheses."""

    n_sentences: int = Field(1000, gt=1)


class Seeds(Section):
    """Seeds: each pretraining seed is fine-tuned with each fine-tuning seed."""

    pretraining: list[int] = Field(min_length=1)
    finetuning: list[int] = Field(min_length=1)


class Microworld(Section):
    """Sizes of the generated corpora."""

    seed: int = 0
    sentences: dict[str, int]
    pairs: dict[str, int] = {}
    nli_train: int = Positive
    nli_valid: int = Positive
    nli_test: int = Positive


class Config(Section):
    """The whole configuration."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    mirror: str | None = None
    languages: list[str] = Field(min_length=1)
    corpora: dict[str, Corpus]
    microworld: Microworld | None = None
    monolingual: dict[str, list[str]]
    parallel: dict[str, list[str]] = {}
    text: Text = Text()
    vocabulary: VocabularyConfig
    model: ModelConfig
    pretraining: Pretraining
    runs: dict[str, Run]
    xnli: Xnli
    retrieval: Retrieval = Retrieval()
    seeds: Seeds
    save_minutes: float = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        _check_languages(self)
        _check_streams(self)
        _check_lengths(self)
        for run in self.xnli.runs:
            _known(run, self.runs, "xnli.runs")
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


def _check_languages(config: Config) -> None:
    """Every language that is used is one of ``languages``."""
    for name, corpus in config.corpora.items():
        for key in corpus.keys:
            for language in sides(key):
                _known(language, config.languages, f"corpora.{name}.keys")
    for language in (*config.xnli.languages, config.xnli.train_language):
        _known(language, config.languages, "xnli.languages")


def _check_streams(config: Config) -> None:
    """Every corpus that pretraining draws from exists and holds the language or pair it is drawn for."""
    for place, wanted in (("monolingual", config.monolingual), ("parallel", config.parallel)):
        for key, names in wanted.items():
            path = f"{place}.{key}"
            if is_pair(key) != (place == "parallel"):
                raise ValueError(f"{path}: expected {'a pair' if place == 'parallel' else 'one language'}")
            for name in names:
                _known(name, config.corpora, path)
                held = config.corpora[name].keys
                if key not in held and not any(key in sides(other) for other in held):
                    raise ValueError(f"{path}: corpus '{name}' holds {', '.join(held)}, but not {key}")
    for language in config.languages:
        if language not in config.monolingual:
            raise ValueError(f"monolingual: no corpus for language '{language}'")


def _known(name: str, names: Any, path: str) -> None:
    """Refuse a name that is not defined, and suggest the one that may have been meant."""
    if name not in names:
        raise ValueError(f"{path}: unknown name '{name}'{_suggestion(name, names)}")


def _suggestion(word: str, known: Any) -> str:
    """What to write instead of a misspelt ``word``."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else f"; allowed are {', '.join(known)}"


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


def read(section: type[AnySection], data: Any, path: str = "config") -> AnySection:
    """Check one section of a configuration.

    Raises:
        ConfigError: one line per mistake, each with the key's path, what was found and what is allowed.
    """
    try:
        return section.model_validate(data)
    except ValidationError as error:
        unknown_first = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        lines = [_explain(item, section, path) for item in unknown_first]
        raise ConfigError("\n".join(lines)) from None


def plain(section: Section) -> dict[str, Any]:
    """A section as dictionaries and lists with every default written out, for a rule's ``params``."""
    return section.model_dump(mode="json")


def _explain(item: Any, section: type[Section], root: str) -> str:
    """One mistake in one line."""
    *parents, last = item["loc"] or ("",)
    path = ".".join(str(part) for part in (root, *item["loc"]))
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key{_suggestion(str(last), _fields(section, parents))}"
    if item["type"] == "missing":
        return f"{path}: this key is missing"
    if item["type"] == "value_error":
        return f"{path}: {item['ctx']['error']}"
    return f"{path}: {item['msg']}, found {item['input']!r}{_number_hint(item['input'])}"


def _number_hint(value: Any) -> str:
    """YAML reads 1e-4 as text; say so where that may have happened."""
    return " (YAML needs a dot in such a number: 1.0e-4)" if isinstance(value, str) and "e" in value else ""


def _fields(annotation: Any, parents: list[Any]) -> list[str]:
    """The keys that are allowed in the section that ``parents`` lead to."""
    for parent in parents:
        annotation = _inside(annotation, parent)
    annotation = _not_none(annotation)
    return list(annotation.model_fields)


def _inside(annotation: Any, key: Any) -> Any:
    """The type under ``key`` of a section, of ``dict[str, X]`` or of ``list[X]``."""
    annotation = _not_none(annotation)
    inner = get_args(annotation)
    return inner[-1] if inner else annotation.model_fields[key].annotation


def _not_none(annotation: Any) -> Any:
    """``X`` for ``X | None``, else the type itself."""
    inner = [part for part in get_args(annotation) if part is not type(None)]
    return inner[0] if len(inner) == 1 and type(None) in get_args(annotation) else annotation
