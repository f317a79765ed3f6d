"""The sections about text: where it comes from, and what becomes of it before any model sees it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.section import Positive, Section


class Source(Section):
    """Where a file comes from: exactly one of a URL, a local path, or the microworld's generator."""

    url: str | None = None
    path: str | None = None
    microworld: bool = False
    licence: str = ""
    sha256: dict[str, str] = Field({})
    bytes: dict[str, int] = Field({})

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


class Microworld(Section):
    """Sizes of the generated corpora."""

    seed: int = 0
    sentences: dict[str, int]
    pairs: dict[str, int] = Field({})
    nli_train: int = Positive
    nli_valid: int = Positive
    nli_test: int = Positive
    translation_errors: float = Field(0.1, ge=0, lt=1)
