"""Measure a classifier on the validation sets of a task of GLUE, and keep what it says of them and of the test sets."""

from pathlib import Path

from xlm_core.results import ResultContext
from xlm_core.tasks.classification import glue
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]), job_record(snakemake):
    examples = Path(snakemake.input.examples)
    further = {folder.name: folder for folder in map(Path, snakemake.input.diagnostics)}
    glue.score(
        task=snakemake.wildcards.task,
        model=Path(snakemake.input.model),
        valid={column: examples / f"{part}.store" for column, part in snakemake.params.valid.items()},
        test={name: further.get(name, examples) / f"{part}.store" for name, part in snakemake.params.test.items()},
        context=ResultContext(
            table="glue",
            system=snakemake.params.system,
            setting=snakemake.params.setting,
            pretraining_seed=int(snakemake.wildcards.seed),
            finetuning_seed=int(snakemake.wildcards.finetuning_seed),
            code_digest=snakemake.params.code,
        ),
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
        predictions=Path(snakemake.output.predictions),
        statistics=Path(snakemake.output.kept),
    )
