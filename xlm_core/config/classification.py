"""The sections about XNLI and GLUE: where their tasks come from, and the rows of their tables."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from xlm_core.config.setups import BASE, check_languages, check_length, setup_path
from xlm_core.config.sources import GLUE_FILES, CorpusSource, Task
from xlm_core.config.strict_model import (
    LanguageCode,
    Positive,
    PublishedKey,
    RunName,
    StrictModel,
    check_names,
    named_run,
)
from xlm_core.config.tables import SystemConfig

if TYPE_CHECKING:
    from xlm_core.config import Config

SETTINGS = {
    "zero_shot": "zero-shot",
    "selected_on_training_language": "zero-shot, selected on the training language",
    "selected_per_language": "zero-shot, selected per language",
    "few_shot": "few-shot",
    "translate_test": "translate-test",
    "translate_train": "translate-train",
    "translate_train_all": "translate-train, all",
}  # protocol of XNLI, in the order of the table -> what it is called in tables and results
GLUE_LANGUAGE = "en"  # of all of GLUE
DIAGNOSTICS = "AX"  # sentences without labels, for the model of NLI_TASK
NLI_TASK = "MNLI"
TASKS = tuple(task for task in GLUE_FILES if task != DIAGNOSTICS)
ACCURACY = "accuracy"
METRICS = {
    **dict.fromkeys(TASKS, (ACCURACY,)),
    "CoLA": ("Matthews",),
    "MRPC": ("F1", ACCURACY),
    "STS-B": ("Pearson", "Spearman"),
    "QQP": ("F1", ACCURACY),
}  # of the leaderboard, in its order
# Task -> column of its table -> suffix of its parts.
HALVES = {task: {task: ""} for task in TASKS} | {NLI_TASK: {"MNLI-m": "_matched", "MNLI-mm": "_mismatched"}}


class Finetuning(StrictModel):
    """Fine-tuning of a pretrained encoder on labelled pairs of sentences."""

    learning_rates: list[float] = Field(min_length=1)
    batch_size: int = Positive
    epochs: int = Positive
    evaluations_per_epoch: int = Field(1, gt=0)
    n_frozen_layers: int | None = Field(None, ge=0)
    average_language_embeddings: bool = False
    warmup_ratio: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    max_tokens: int = Field(256, gt=4)
    max_grad_norm: float = Field(1.0, gt=0)


class FewShot(StrictModel):
    """Fine-tuning on the training language and a few examples of each other language."""

    runs: list[str] = Field([])
    examples: int = Field(100, gt=0)


class RowConfig(SystemConfig):
    """A row of a table: a run in a setup, its label (default: the label of the run), and its published numbers."""

    label: str | None = None
    published: PublishedKey | None = None


def _all_different(rows: list[RowConfig]) -> list[RowConfig]:
    """Refuse a system that has two rows."""
    names = [row.name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} is listed twice")
    return rows


Row = Annotated[RowConfig, BeforeValidator(named_run, json_schema_input_type=RunName | RowConfig)]
Rows = Annotated[list[Row], Field(min_length=1), AfterValidator(_all_different)]


class Xnli(StrictModel):
    """The XNLI table: all ``runs`` are tested zero-shot, and those that are named elsewhere in other ways, too."""

    languages: list[LanguageCode] = Field(min_length=1)
    train_language: LanguageCode = "en"
    evaluation: CorpusSource[Literal["xnli"]]
    training: CorpusSource[Literal["xnli"]]
    training_tokenized: bool = True
    labels: list[str] = Field(["contradiction", "neutral", "entailment"], min_length=2)
    n_train: int | None = Field(None, gt=0)
    runs: Rows
    selected_on_training_language: list[str] = Field([])
    selected_per_language: list[str] = Field([])
    few_shot: FewShot = FewShot()
    translate_test: list[str] = Field([])
    translate_train: list[str] = Field([])
    translate_train_all: list[str] = Field([])
    finetuning: Finetuning

    @property
    def protocol_runs(self) -> dict[str, list[str]]:
        """Protocol -> the names of its rows, in the order of ``SETTINGS``."""
        nested = {"zero_shot": list(self.rows), "few_shot": self.few_shot.runs}
        return {name: nested[name] if name in nested else getattr(self, name) for name in SETTINGS}

    @property
    def rows(self) -> dict[str, RowConfig]:
        """Name -> row."""
        return {row.name: row for row in self.runs}

    @property
    def others(self) -> list[str]:
        """The languages of the table without training labels."""
        return [language for language in self.languages if language != self.train_language]

    @property
    def pivot(self) -> str:
        """The language that is retrieved from and to: the training language, or the first where it is not tested."""
        return self.train_language if self.train_language in self.languages else self.languages[0]


class GlueTaskFiles(CorpusSource[Literal["glue"]]):
    """Where the files of a task come from; of several files each has its path in ``files``."""

    files: list[str] | None = Field(None, min_length=1)


class Glue(StrictModel):
    """The GLUE table: every row is fine-tuned on each task by itself, and validated on the official sets."""

    tasks: dict[Task, GlueTaskFiles] = Field(min_length=1)
    systems: Rows
    finetuning: Finetuning

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.trained:
            raise ValueError(f"tasks: {DIAGNOSTICS} has no examples to learn from; add one of {', '.join(TASKS)}")
        if DIAGNOSTICS in self.tasks and NLI_TASK not in self.tasks:
            raise ValueError(f"tasks: {DIAGNOSTICS} is for models of {NLI_TASK}, which is missing")
        for task, source in self.tasks.items():
            official = GLUE_FILES[task]
            if len(source.files or official) != len(official):
                raise ValueError(
                    f"tasks.{task}.files: {len(source.files or ())} files, expected {len(official)}, in the place of "
                    f"{', '.join(official)}"
                )
            has_names = source.files or (len(official) > 1 and not source.microworld)
            if has_names and "{file}" not in source.template:
                raise ValueError(f"tasks.{task}: its files have names; put '{{file}}' where their names differ")
        return self

    @property
    def trained(self) -> list[str]:
        """The tasks that models learn, in the order of the columns."""
        return [task for task in TASKS if task in self.tasks]

    def parts(self, task: str) -> list[str]:
        """Return the training, validation and test sets of a task."""
        if task == DIAGNOSTICS:
            return ["test"]
        return ["train", *(split + half for split in ("valid", "test") for half in HALVES[task].values())]

    def valid(self, task: str) -> dict[str, str]:
        """Return column of the table -> part of ``task`` that its models are validated on."""
        return {column: f"valid{half}" for column, half in HALVES[task].items()}

    def test(self, task: str) -> dict[str, str]:
        """Return set of the leaderboard -> part of ``task``, or of ``DIAGNOSTICS``, that its models label."""
        own = {column: f"test{half}" for column, half in HALVES[task].items()}
        return own | ({DIAGNOSTICS: "test"} if task == NLI_TASK and DIAGNOSTICS in self.tasks else {})


def check_xnli(config: "Config") -> None:
    """Refuse languages and runs that are not trained, and sentences longer than the model has positions."""
    xnli, seeds = config.xnli, config.seeds.other_protocols
    for setup in dict.fromkeys([BASE, *(row.setup for row in xnli.runs)]):
        check_languages(config, setup, (*xnli.languages, xnli.train_language), "xnli.languages")
        check_finetuning(config, setup, xnli.finetuning, "xnli.finetuning")
    labels = [row.label or config.runs[row.run].label for row in xnli.runs]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ValueError(f"xnli.runs: two rows have the label '{twice[0]}'; give one of them a 'label'")
    for protocol, names in xnli.protocol_runs.items():
        path = "xnli.few_shot.runs" if protocol == "few_shot" else f"xnli.{protocol}"
        check_names(names, xnli.rows, path)
        for name in names:
            has_seeds = config.pretraining_seeds(xnli.rows[name].run, protocol)
            if protocol not in ("zero_shot", "selected_per_language") and not has_seeds:
                raise ValueError(f"{path}: {name} has none of the seeds.other_protocols ({seeds})")
    if xnli.selected_on_training_language and xnli.train_language not in xnli.languages:
        raise ValueError(
            f"xnli.selected_on_training_language: '{xnli.train_language}' is not one of xnli.languages, so there is "
            "nothing to select on; add it, or leave these rows out"
        )


def check_glue(config: "Config") -> None:
    """Refuse systems whose setup lacks the language of GLUE, or has no room for its sentences."""
    if config.glue is None:
        return
    for row in config.glue.systems:
        check_languages(config, row.setup, [GLUE_LANGUAGE], "glue.systems")
        check_finetuning(config, row.setup, config.glue.finetuning, "glue.finetuning")


def check_finetuning(config: "Config", setup: str, finetuning: Finetuning, path: str) -> None:
    """Refuse examples and layers that the models of a setup do not have."""
    check_length(config, setup, finetuning.max_tokens, f"{path}.max_tokens")
    n_frozen, n_layers = finetuning.n_frozen_layers, config.setup(setup).model.n_layers
    if n_frozen is not None and n_frozen > n_layers:
        raise ValueError(f"{path}.n_frozen_layers is {n_frozen}, but {setup_path(setup)}model.n_layers is {n_layers}")
