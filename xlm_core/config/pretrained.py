"""Files of pretrained models and vocabularies, which are used instead of being made."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.strict_model import StrictModel

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PretrainedFiles(StrictModel):
    """A folder, in a format, and the SHA-256 of each of its files that are read, by their names."""

    format: Literal["xlm_core", "published", "huggingface"]
    path: str
    sha256: dict[str, Sha256] = Field(min_length=1)

    @property
    def files(self) -> list[str]:
        """The paths of the files, in the order of their names."""
        return [f"{self.path.rstrip('/')}/{name}" for name in sorted(self.sha256)]


class PretrainedModel(PretrainedFiles):
    """A pretrained model: ours or a published checkpoint, which are one file each, or a folder of transformers."""

    @model_validator(mode="after")
    def _is_one_file(self) -> Self:
        if self.format != "huggingface" and len(self.sha256) != 1:
            raise ValueError(
                f"sha256 names {', '.join(self.sha256)}; a model of format {self.format} is one file, name it alone"
            )
        return self


class PretrainedVocabulary(PretrainedFiles):
    """A pretrained vocabulary: ours, the codes and the vocabulary of fastBPE, or a tokenizer of transformers."""

    codes: str | None = None
    vocab: str | None = None

    @model_validator(mode="after")
    def _has_its_files(self) -> Self:
        named = {name for name in (self.codes, self.vocab) if name is not None}
        if self.format == "published" and (len(named) != 2 or named != set(self.sha256)):
            raise ValueError(
                "a vocabulary of format published is two files: name them under 'codes' and 'vocab', and both with "
                f"their sums under 'sha256' (found {', '.join(self.sha256)})"
            )
        if self.format != "published" and named:
            raise ValueError(f"'codes' and 'vocab' are of the format published, found format {self.format}")
        if self.format == "xlm_core" and len(self.sha256) != 1:
            raise ValueError(f"sha256 names {', '.join(self.sha256)}; a vocabulary.json is one file, name it alone")
        return self
