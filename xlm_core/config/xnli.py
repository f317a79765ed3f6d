"""The section about cross-lingual classification, and what its protocols are called."""

from pydantic import Field

from xlm_core.config.corpora import Source
from xlm_core.config.section import Section
from xlm_core.config.training import Finetuning


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
