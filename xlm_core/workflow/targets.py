"""Public targets: the tables and figures that each of them makes, and the jobs and raw files behind a file."""

import functools
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from xlm_core.workflow.experiment_paths import ExperimentPaths
from xlm_core.workflow.experiments import MtTable, xnli_trained
from xlm_core.workflow.tables import DESCRIPTIONS

FORMS = ("md", "html", "tex", "tidy.csv")  # of a table
FORMS_WITH_DIFFERENCES = (*FORMS, "differences.csv")  # between its rows


def table_files(paths: ExperimentPaths, name: str, forms: Sequence[str] = FORMS_WITH_DIFFERENCES) -> list[str]:
    """Return the forms of a table, and its manifest."""
    return [f"{paths.results}/tables/{name}.{kind}" for kind in (*forms, "manifest.json")]


def targets(paths: ExperimentPaths) -> dict[str, list[str]]:
    """Return public target -> its tables and figures; none where the configuration lacks its section."""
    config, figures = paths.config, f"{paths.results}/figures"
    drawn = config.embeddings and config.embeddings.alignment_figure
    return {
        "xnli_table": _xnli(paths),
        **{f"{table}_mt_table": _translation(paths, table) for table in get_args(MtTable)},
        "perplexity_table": table_files(paths, "perplexity") if config.perplexity else [],
        "ablation_table": table_files(paths, "ablation", FORMS) if config.ablation else [],
        "claims": [*table_files(paths, "claims", ("md", "tidy.csv")), f"{figures}/claims.svg"] if config.claims else [],
        "glue_table": [*table_files(paths, "glue"), *paths.glue_submissions()] if config.glue else [],
        "embedding_table": table_files(paths, "embeddings", FORMS) if config.embeddings else [],
        "alignment_figure": [f"{figures}/alignment.{kind}" for kind in ("svg", "png")] if drawn else [],
        "objectives_figure": [f"{figures}/objectives.svg"],
    }


def tables(paths: ExperimentPaths) -> dict[str, str]:
    """Return table -> the target that makes it."""
    made = {file: target for target, files in targets(paths).items() for file in files}
    tidy = {name: f"{paths.results}/tables/{name}.tidy.csv" for name in (*DESCRIPTIONS, "claims")}
    return {name: made[file] for name, file in tidy.items() if file in made}


def finished_tables(paths: ExperimentPaths, requested: Collection[str]) -> str:
    """Return the first table of each public target among ``requested`` as text; without one, where files lie."""
    asked = [
        [file for file in files if file.endswith(".md")] for name, files in targets(paths).items() if name in requested
    ]
    first = [Path(tables[0]) for tables in asked if tables]
    if not first:
        folders = [f"{paths.results}/{name}" for name in ("tables", "figures", "store", "text", "words")]
        return f"Files: {', '.join(folder for folder in folders if Path(folder).is_dir()) or paths.results}"
    # A run with --until ends before its table, and a storage provider has it elsewhere.
    return "\n".join(table.read_text(encoding="utf-8") if table.exists() else f"{table}: not here" for table in first)


def task_stores(paths: ExperimentPaths) -> list[str]:
    """Return the stores that the models of XNLI, of the ablation and of GLUE are fine-tuned and tested on, each once.

    The stores of a task of GLUE are named by their folder.
    """
    config, stores = paths.config, list[str]()
    for row in [*config.xnli.runs, *(config.ablation.all_systems if config.ablation else [])]:
        for seed in config.pretraining_seeds(row.run):
            for protocol in paths.xnli_scored(row.setup, row.run, seed):
                trained = xnli_trained(config.xnli, protocol)
                for files in paths.xnli_finetuning(row.setup, row.run, trained).values():
                    stores += files.values()
            for test in paths.xnli_tests(row.setup, row.run, str(seed), "0"):
                stores += test["test"].values()
    for row in paths.glue_systems:
        for task in config.glue.trained if config.glue else []:
            stores += [paths.glue_store(row.setup, task), *paths.glue_diagnostics(row.setup, task)]
    return list(dict.fromkeys(stores))


def _xnli(paths: ExperimentPaths) -> list[str]:
    """Return the table of XNLI, with two languages also the one of retrieval, and the curves of trained runs."""
    retrieved = len(paths.config.xnli.languages) > 1
    figures = ["xnli_heatmap", "confusions"]
    figures += ["retrieval_by_layer"] if retrieved else []
    figures += ["training_curves"] if paths.histories() else []
    retrieval = table_files(paths, "retrieval", FORMS) if retrieved else []
    return [*table_files(paths, "xnli"), *retrieval, *(f"{paths.results}/figures/{name}.svg" for name in figures)]


def _translation(paths: ExperimentPaths, table: MtTable) -> list[str]:
    """Return a table of translation, the curves of its trainings, and samples."""
    if not paths.translators_of(table):
        return []
    samples = f"{paths.results}/tables/{table}_samples.html"
    return [*table_files(paths, f"{table}_mt"), f"{paths.results}/figures/{table}_curves.svg", samples]


class JobGraph:
    """The jobs of a workflow, found by the files that they write.

    Snakemake's own rules are asked, so that the graph cannot differ from what Snakemake runs. Files are named as in
    this workflow, also where they lie elsewhere: below the prefix of a module, or where a storage provider puts them.
    """

    def __init__(self, rules: Iterable[Any], results: str) -> None:
        """Take the rules of Snakemake, which may be defined later than the graph, and the folder of all results."""
        self._rules, self._results = rules, results
        self.producer = functools.cache(self._producer)
        self.upstream = functools.cache(self._upstream)

    def inputs(self, path: str) -> list[str]:
        """Return the files that the job reads which makes ``path``."""
        rule = self.producer(path)
        inputs = rule.expand_input(rule.get_wildcards(self._prefix + path))[0]
        return [str(file).removeprefix(self._prefix) for file in inputs]

    @functools.cached_property
    def _prefix(self) -> str:
        """What stands before the results of this workflow, in the outputs of its rules."""
        outputs = (str(output) for rule in self._rules for output in rule.output)
        return next(output.partition(f"{self._results}/")[0] for output in outputs if f"{self._results}/" in output)

    def _producer(self, path: str) -> Any:
        """Return the rule that makes a file; None for a file that the user has."""
        return next((rule for rule in self._rules if rule.is_producer(self._prefix + path)), None)

    def _upstream(self, path: str) -> tuple[list[str], list[str]]:
        """Return the records of all jobs that a file depends on, its own first, and the raw files that they begin with.

        Args:
            path: a file that some rule makes.
        """
        rule = self.producer(path)
        record = rule.output.get("job")
        wildcards = rule.get_wildcards(self._prefix + path)
        records = [str(record.apply_wildcards(wildcards)).removeprefix(self._prefix)] if record else []
        sources: list[str] = []
        for file in self.inputs(path):
            producer = self.producer(file)
            if producer and producer.input:
                more_records, more_sources = self.upstream(file)
                records += more_records
                sources += more_sources
            else:  # the user's own, downloaded or generated
                sources.append(file)
        return list(dict.fromkeys(records)), list(dict.fromkeys(sources))
