"""The model card of an exported folder, ``README.md`` with the front matter of the Hugging Face hub.

It tells what the records beside a model say: its trainings, the files behind them, their curves, its scores. All of it
is read, nothing is computed; a model without such records has a card without these sections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from xlm_core import history, results
from xlm_core.config import SETTINGS
from xlm_core.history import HistoryRow
from xlm_core.interop.tokenizer_files import reads_raw_text
from xlm_core.io import read_json
from xlm_core.results import Result
from xlm_core.text.vocabulary import PREPARATION, Vocabulary
from xlm_core.version import PROJECT, VERSION

CARD, TEMPLATE = "README.md", "model_card.md.j2"
SENTENCE = "A child sleeps."
TABLES = {"xnli", "glue", "retrieval", "perplexity"}  # whose results are scores of a model as a whole
TASKS = {"XLMWithLMHeadModel": "fill-mask", "Model": "feature-extraction"}
TASKS |= {"ForMaskedLM": "fill-mask", "ForSequenceClassification": "text-classification"}  # end of a class -> pipeline
AUTO_CLASSES = {
    "feature-extraction": "AutoModel",
    "fill-mask": "AutoModelForMaskedLM",
    "text-generation": "AutoModelForCausalLM",
    "text-classification": "AutoModelForSequenceClassification",
}  # pipeline -> class of transformers


class Records(NamedTuple):
    """What lies beside a model.

    jobs     records of its trainings, the last one first
    sources  files that a table began with which the last training led to, as its manifest describes them
    history  rows of its log
    scores   results of its own
    """

    jobs: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    history: list[HistoryRow]
    scores: list[Result]


def read_records(model: Path, metadata: Mapping[str, Any]) -> Records:
    """Read the records beside a model, and where it lies among results of the workflow, its scores and sources there.

    Args:
        model: the file.
        metadata: of the file, whose digest of settings tells its scores from the scores of other models.

    Raises:
        CorpusError: the log is damaged.
    """
    folders = [folder for folder in model.absolute().parents if (folder / "job.json").exists()]
    jobs = [read_json(folder / "job.json") for folder in folders]
    log = model.with_name("history.jsonl")
    rows = history.read(log) if log.exists() else []
    root = next((folder.parent for folder in model.absolute().parents if folder.name == "runs"), None)
    if root is None or not jobs:
        return Records(jobs, [], rows, [])
    seeds = [int(jobs[0]["wildcards"][key]) for key in ("seed", "finetuning_seed") if key in jobs[0]["wildcards"]]
    read = results.read(path for path in sorted((root / "results").rglob("*.jsonl")) if path.parts[-2] in TABLES)
    scores = [
        each
        for each in read
        if each.config_digest == metadata["config"]
        and [seed for seed in (each.pretraining_seed, each.finetuning_seed) if seed is not None] == seeds
        and each.table in TABLES
        and each.setting != SETTINGS["selected_per_language"]  # which are of other checkpoints
    ]
    name = f"/{(folders[0] / 'job.json').relative_to(root)}"
    manifests = map(read_json, sorted((root / "tables").glob("*.manifest.json")))
    sources: list[dict[str, Any]] = next(
        (each["sources"] for each in manifests if any(job.endswith(name) for job in each["jobs"])), []
    )
    return Records(jobs, sources, rows, scores)


@dataclass(frozen=True)
class ModelCard:
    """What a card says.

    name        of the folder
    settings    its ``config.json``
    vocabulary  of the model
    languages   that it reads
    metadata    of the model's file
    records     beside that
    license     its name on the hub
    has_linear_pooler  it is a classifier without a pooler, of a type that has one
    """

    name: str
    settings: Mapping[str, Any]
    vocabulary: Vocabulary
    languages: Sequence[str]
    metadata: Mapping[str, Any]
    records: Records
    license: str
    has_linear_pooler: bool

    def render(self) -> str:
        """Return the card as Markdown."""
        loader = FileSystemLoader(Path(__file__).parent)
        environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment.filters["yaml"] = partial(yaml.safe_dump, sort_keys=False, allow_unicode=True)
        template = environment.get_template(TEMPLATE)
        return template.render(card=self, sentence=SENTENCE, software=f"{PROJECT} {VERSION}") + "\n"

    @property
    def task(self) -> str:
        """The pipeline of the hub."""
        if self.settings.get("causal"):
            return "text-generation"
        return next(task for end, task in TASKS.items() if self.settings["architectures"][0].endswith(end))

    @property
    def auto_class(self) -> str:
        """The class of transformers that loads the model."""
        return AUTO_CLASSES[self.task]

    @property
    def labels(self) -> list[str]:
        """The names of the classes, if it is a classifier."""
        labels: list[str] = self.metadata.get("labels", [])
        return labels

    @property
    def base_model(self) -> str | None:
        """The model of the hub that the first training began with."""
        origin = self.metadata.get("origin")
        while origin and "hub" not in origin:
            origin = origin.get("about", {}).get("origin")
        return origin["hub"] if origin else None

    @property
    def text(self) -> dict[str, Any] | None:
        """How text is prepared before it is tokenized; None where it is not known."""
        return self.vocabulary.text.model_dump(include=PREPARATION) if self.vocabulary.text else None

    @property
    def is_raw(self) -> bool:
        """Whether the tokenizer reads raw text."""
        return reads_raw_text(self.vocabulary)

    @property
    def is_told_language(self) -> bool:
        """Whether the model expects the language of each token."""
        return bool(self.settings.get("use_lang_emb")) and len(self.languages) > 1

    @property
    def is_prepared(self) -> bool:
        """Whether the examples prepare their text with this package."""
        return not self.is_raw and self.vocabulary.text is not None

    @property
    def language(self) -> str:
        """The language of the example: English, where the model reads it."""
        return "en" if "en" in self.languages else self.languages[0]

    @property
    def mask(self) -> str:
        """The symbol of a hidden token."""
        return self.vocabulary.pieces[self.vocabulary.symbols.mask]

    @property
    def sentence(self) -> str:
        """The raw text of the example."""
        return f"A {self.mask} sleeps." if self.task == "fill-mask" else SENTENCE

    @property
    def curves(self) -> list[HistoryRow]:
        """The best value of each validation curve: the lowest perplexity, the highest accuracy of classes."""
        best: dict[tuple[Any, ...], HistoryRow] = {}
        for row in self.records.history:
            is_score = row.objective == "classification"
            if row.split == "valid" and row.metric == ("accuracy" if is_score else "perplexity"):
                key = (row.objective, row.languages)
                best[key] = (max if is_score else min)(best.get(key, row), row, key=lambda row: row.value)
        return list(best.values())

    @property
    def front_matter(self) -> dict[str, Any]:
        """What the hub reads."""
        scores = self.records.scores if self.task == "text-classification" else []
        measured = [
            {
                "task": {"type": self.task},
                "dataset": {"name": f"{score.table} {score.column}", "type": score.table},
                "metrics": [{"type": score.metric, "value": score.value, "name": f"{score.metric}, {score.setting}"}],
            }
            for score in scores
        ]
        return {
            "language": [code.replace("_", "-") for code in self.languages],
            "license": self.license,
            "library_name": "transformers",
            "pipeline_tag": self.task,
            "tags": [self.settings["model_type"], "cross-lingual", *self.metadata["objectives"]],
            **({"base_model": self.base_model} if self.base_model else {}),
            **({"model-index": [{"name": self.name, "results": measured}]} if measured else {}),
        }
