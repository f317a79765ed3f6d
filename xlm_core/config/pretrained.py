"""Pretrained models and vocabularies that are used instead of being made."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.sources import Download
from xlm_core.config.strict_model import StrictModel

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
HUB_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# Of a folder of transformers: our own, XLM's, all others'.
TOKENIZER_FILES = ("vocabulary.json", "vocab.json", "merges.txt", *HUB_TOKENIZER_FILES, "vocab.txt")

# The files of a tokenizer: all of one of these lists.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocabulary.json",), ("vocab.json", "merges.txt"))
SHAPE = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "feedforward_dim": "intermediate_size",
}  # key of the section ``model`` -> setting of most models of transformers
XLM_SHAPE = {"dim": "emb_dim", "n_layers": "n_layers", "n_heads": "n_heads"}  # the same of type xlm


def saving_call(auto_class: str, folder: Path) -> str:
    """Return the Python that writes the files of a folder of transformers in the form of today."""
    return f"transformers.{auto_class}.from_pretrained('{folder}').save_pretrained('{folder}')"


class PretrainedFiles(StrictModel):
    """A local folder in a format, or a folder of transformers on the Hugging Face hub.

    The files that are read have their SHA-256 by name; of a folder of transformers they may be left out, and are then
    recorded.
    """

    known_files: ClassVar[tuple[str, ...]] = ()  # of a folder of transformers, those that are read where they exist
    hub_files: ClassVar[tuple[str, ...]] = ()  # those that are fetched

    format: Literal["xlm_core", "published", "huggingface", "transformers"] = "huggingface"
    path: str | None = None
    hub: str | None = Field(None, pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str | None = Field(None, pattern=r"^[\w.-]+$")
    sha256: dict[str, Sha256] = Field({})

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give either the path of a folder, or the name of one on the hub, such as owner/model")
        if not self.is_folder and (self.hub or not self.sha256):
            raise ValueError(f"format {self.format}: give a path, and under 'sha256' the sum of each of its files")
        if self.revision and not self.hub:
            raise ValueError("'revision' is of a folder on the hub: give 'hub', too")
        return self

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of transformers."""
        return self.format in ("huggingface", "transformers")

    @property
    def names(self) -> list[str]:
        """The names of the files, sorted: those that have a sum, are fetched, or exist."""
        if self.path is None:
            return sorted({*self.hub_files, *self.sha256})
        if self.sha256:
            return sorted(self.sha256)
        existing = [name for name in self.known_files if (Path(self.path) / name).exists()]
        return sorted(existing or self.hub_files)

    @property
    def downloads(self) -> list[Download]:
        """The files on the hub, in the order of their names."""
        if not self.hub:
            return []
        folder = f"https://huggingface.co/{self.hub}/resolve/{self.revision or 'main'}"
        return [Download([f"{folder}/{name}"], sha256=self.sha256.get(name)) for name in self.names]

    @property
    def local_files(self) -> list[str]:
        """The paths of the files of a local folder, in the order of their names."""
        return [f"{self.path.rstrip('/')}/{name}" for name in self.names] if self.path else []


class PretrainedModel(PretrainedFiles):
    """A pretrained model: ours or a published checkpoint, which are one file each, or a folder of transformers.

    A folder's model becomes one of ours (format huggingface), or is run by that library (format transformers).
    """

    known_files: ClassVar[tuple[str, ...]] = ("config.json", "model.safetensors", *TOKENIZER_FILES)
    hub_files: ClassVar[tuple[str, ...]] = ("config.json", "model.safetensors", *HUB_TOKENIZER_FILES)

    @model_validator(mode="after")
    def _is_one_file(self) -> Self:
        if not self.is_folder and len(self.sha256) != 1:
            raise ValueError(f"sha256: a model of format {self.format} is one file, found {', '.join(self.sha256)}")
        return self


class PretrainedVocabulary(PretrainedFiles):
    """A pretrained vocabulary: ours, the codes and the vocabulary of fastBPE, or a tokenizer of transformers."""

    known_files: ClassVar[tuple[str, ...]] = TOKENIZER_FILES
    hub_files: ClassVar[tuple[str, ...]] = HUB_TOKENIZER_FILES

    format: Literal["xlm_core", "published", "huggingface"] = "huggingface"
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
            raise ValueError(f"sha256: a vocabulary.json is one file, found {', '.join(self.sha256)}")
        return self
