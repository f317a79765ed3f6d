"""The section about cross-lingual classification, and what its protocols are called."""

from typing import TYPE_CHECKING

from pydantic import Field

from xlm_core.config.corpora import CorpusSource
from xlm_core.config.strict_model import RunName, StrictModel, check_exists
from xlm_core.config.training import Finetuning

if TYPE_CHECKING:
    from xlm_core.config import Config

SETTINGS = {
    "zero_shot": "zero-shot",
    "selected_per_language": "zero-shot, selected per language",
    "few_shot": "few-shot",
    "translate_test": "translate-test",
    "translate_train": "translate-train",
    "translate_train_all": "translate-train, all",
}  # protocol -> what it is called in tables and results


class FewShot(StrictModel):
    """Fine-tuning on a few examples of each other language beside those of the training language."""

    runs: list[RunName] = Field([])
    examples: int = Field(100, gt=0)


class Xnli(StrictModel):
    """The XNLI table: all ``runs`` are tested zero-shot, and those that are named elsewhere in other ways, too."""

    languages: list[str] = Field(min_length=1)
    train_language: str = "en"
    evaluation: CorpusSource
    training: CorpusSource
    training_tokenized: bool = True
    labels: list[str] = Field(["contradiction", "neutral", "entailment"], min_length=2)
    n_train: int | None = Field(None, gt=0)
    runs: list[RunName] = Field(min_length=1)
    selected_per_language: list[RunName] = Field([])
    few_shot: FewShot = FewShot()
    translate_test: list[RunName] = Field([])
    translate_train: list[RunName] = Field([])
    translate_train_all: list[RunName] = Field([])
    finetuning: Finetuning

    @property
    def run_lists(self) -> dict[str, list[str]]:
        """Path of a key -> the runs it names beside ``runs``, in the order of the table's rows."""
        first = {"selected_per_language": self.selected_per_language, "few_shot.runs": self.few_shot.runs}
        names = ("translate_test", "translate_train", "translate_train_all")
        return {**first, **{name: getattr(self, name) for name in names}}

    @property
    def others(self) -> list[str]:
        """The languages of the table without training labels."""
        return [language for language in self.languages if language != self.train_language]

    @property
    def pivot(self) -> str:
        """The language that is retrieved from and to: that of training, or the first one where it is not tested."""
        return self.train_language if self.train_language in self.languages else self.languages[0]

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The (split, language) of the tables that are read; split "translated" is the test set in English."""
        needs_translations = self.few_shot.runs or self.translate_train or self.translate_train_all
        translations = self.others if needs_translations else ()
        parts = [("train", language) for language in (self.train_language, *translations)]
        parts += [(split, language) for split in ("valid", "test") for language in self.languages]
        return parts + [("translated", language) for language in self.others if self.translate_test]

    @property
    def rows(self) -> list[list[str]]:
        """The rows of the table: run and setting."""
        lists = {"zero_shot": self.runs, **self.run_lists}
        return [[run, SETTINGS[path.removesuffix(".runs")]] for path, runs in lists.items() for run in runs]

    @property
    def settings(self) -> dict[str, str]:
        """Setting of the table -> what it is, in the order of the rows."""
        train = self.train_language
        about = {
            "zero_shot": f"fine-tuned on '{train}' only, one model for all languages, selected by its mean validation "
            "accuracy",
            "selected_per_language": "the same fine-tunings, but each language at its own best validation accuracy",
            "few_shot": f"'{train}' and {self.few_shot.examples} translated training pairs of each other language",
            "translate_test": f"the zero-shot model on test sets translated to '{train}'",
            "translate_train": "one model per language, fine-tuned and selected on that language, its training set "
            "translated",
            "translate_train_all": "one model, fine-tuned on all of these training sets together",
        }
        shown = {setting for _, setting in self.rows}
        return {SETTINGS[name]: text for name, text in about.items() if SETTINGS[name] in shown}


def check_xnli(config: "Config") -> None:
    """Refuse languages and runs that are not trained, and sentences longer than the model has positions."""
    xnli = config.xnli
    for language in (*xnli.languages, xnli.train_language):
        check_exists(language, config.languages, "xnli.languages")
    for path, runs in xnli.run_lists.items():
        for run in runs:
            check_exists(run, xnli.runs, f"xnli.{path}")
            if path != "selected_per_language" and not config.pretraining_seeds(run, "few_shot"):
                raise ValueError(
                    f"xnli.{path}: {run} has none of the seeds.other_protocols ({config.seeds.other_protocols})"
                )
    if xnli.finetuning.max_tokens > config.model.max_positions:
        raise ValueError(
            f"xnli.finetuning.max_tokens is {xnli.finetuning.max_tokens}, but model.max_positions is "
            f"{config.model.max_positions}"
        )
