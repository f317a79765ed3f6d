"""The parts of a task of GLUE: training, validation and test sets."""

from pathlib import Path

from xlm_core.text.formats import glue
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for part in snakemake.params.parts:
        glue.extract(
            snakemake.wildcards.task,
            part,
            files=[Path(path) for path in snakemake.input],
            output=folder / f"{part}.tsv",
            statistics=folder / f"{part}.statistics.json",
        )
