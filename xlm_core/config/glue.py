"""The section about GLUE: where its tasks come from, and the rows of its table."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from xlm_core.config.corpora import GLUE_FILES, CorpusSource
from xlm_core.config.strict_model import PublishedKey, StrictModel, check_exists
from xlm_core.config.tables import SystemConfig
from xlm_core.config.training import Finetuning

if TYPE_CHECKING:
    from xlm_core.config import Config

GLUE_LANGUAGE = "en"  # of all of GLUE
DIAGNOSTICS = "AX"  # sentences without labels, for the model of NLI_TASK
NLI_TASK = "MNLI"
TASKS = tuple(task for task in GLUE_FILES if task != DIAGNOSTICS)
Task = Literal["CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI", "AX"]
ACCURACY = "accuracy"
METRICS = {
    **dict.fromkeys(TASKS, (ACCURACY,)),
    "CoLA": ("Matthews",),
    "MRPC": ("F1", ACCURACY),
    "STS-B": ("Pearson", "Spearman"),
    "QQP": ("F1", ACCURACY),
}  # of the leaderboard, in its order
HALVES = {"MNLI-m": "matched", "MNLI-mm": "mismatched"}  # what NLI_TASK is validated and tested on


class GlueTaskFiles(CorpusSource):
    """Where the files of a task come from; of several files each has its path in ``files``."""

    files: list[str] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _files_have_a_place(self) -> Self:
        if self.files is not None and "{file}" not in self.place:
            raise ValueError("'files' are what '{file}' in the url or path stands for: give both or neither")
        return self


class GlueRow(SystemConfig):
    """A system of the table, and its label where it is not the label of the run."""

    label: str | None = None
    published: PublishedKey | None = None


class Glue(StrictModel):
    """The GLUE table: every row is fine-tuned on each task by itself, and validated on the official sets."""

    tasks: dict[Task, GlueTaskFiles] = Field(min_length=1)
    systems: list[GlueRow] = Field(min_length=1)
    finetuning: Finetuning

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.trained:
            raise ValueError(f"tasks: {DIAGNOSTICS} has no examples to learn from; add one of {', '.join(TASKS)}")
        if DIAGNOSTICS in self.tasks and NLI_TASK not in self.tasks:
            raise ValueError(f"tasks: {DIAGNOSTICS} is for models of {NLI_TASK}, which is missing")
        names = [row.name for row in self.systems]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"systems: {', '.join(twice)} stands there twice")
        for task, source in self.tasks.items():
            if source.files is not None and len(source.files) != len(GLUE_FILES[task]):
                raise ValueError(
                    f"tasks.{task}.files: {len(source.files)} files, expected {len(GLUE_FILES[task])}, in the place of "
                    f"{', '.join(GLUE_FILES[task])}"
                )
            if (
                source.files is None
                and len(GLUE_FILES[task]) > 1
                and not source.microworld
                and "{file}" not in source.place
            ):
                raise ValueError(f"tasks.{task}: it has several files; put '{{file}}' where their names differ")
        return self

    @property
    def trained(self) -> list[str]:
        """The tasks that models learn, in the order of the columns."""
        return [task for task in TASKS if task in self.tasks]

    @property
    def missing(self) -> list[str]:
        """The tasks of GLUE that the table lacks."""
        return [task for task in TASKS if task not in self.tasks]

    def parts(self, task: str) -> list[str]:
        """The training, validation and test sets of a task."""
        if task == DIAGNOSTICS:
            return ["test"]
        own_tests = [part for column, part in self.test(task).items() if column != DIAGNOSTICS]
        return ["train", *self.valid(task).values(), *own_tests]

    def valid(self, task: str) -> dict[str, str]:
        """Column of the table -> part of ``task`` that its models are validated on."""
        if task == NLI_TASK:
            return {column: f"valid_{half}" for column, half in HALVES.items()}
        return {task: "valid"}

    def test(self, task: str) -> dict[str, str]:
        """Set of the leaderboard -> part of ``task``, or of ``DIAGNOSTICS``, that its models label."""
        if task != NLI_TASK:
            return {task: "test"}
        found = {column: f"test_{half}" for column, half in HALVES.items()}
        return found | ({DIAGNOSTICS: "test"} if DIAGNOSTICS in self.tasks else {})


def check_glue(config: "Config") -> None:
    """Refuse systems whose setup lacks the language of GLUE, or has no room for its sentences."""
    if config.glue is None:
        return
    length = config.glue.finetuning.max_tokens
    for row in config.glue.systems:
        setup = config.setup(row.setup)
        check_exists(GLUE_LANGUAGE, setup.languages, f"glue.systems, languages of setup '{row.setup}'")
        if length > setup.model.max_positions:
            raise ValueError(
                f"glue.finetuning.max_tokens is {length}, but setup '{row.setup}' has {setup.model.max_positions} "
                "positions"
            )
