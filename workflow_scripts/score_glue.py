"""Measure a classifier on the validation sets of a task of GLUE, and keep what it says of them and of the test sets."""

from pathlib import Path

from xlm_core.tasks.classification.evaluate import score_glue
from xlm_core.workflow.step import result_context, workflow_step

with workflow_step(snakemake):
    examples = Path(snakemake.input.examples)
    further = {folder.name: folder for folder in map(Path, snakemake.input.diagnostics)}
    score_glue(
        task=snakemake.wildcards.task,
        model=Path(snakemake.input.model),
        valid={column: examples / f"{part}.store" for column, part in snakemake.params.valid.items()},
        test={name: further.get(name, examples) / f"{part}.store" for name, part in snakemake.params.test.items()},
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
        predictions=Path(snakemake.output.predictions),
        statistics=Path(snakemake.output.statistics),
    )
