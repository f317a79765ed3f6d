"""One part of a task of GLUE: training, validation or test set."""

from pathlib import Path

from xlm_core.steps import step
from xlm_core.text import glue

with step(snakemake.log[0]):
    glue.extract(
        snakemake.wildcards.task,
        snakemake.wildcards.part,
        files=[Path(path) for path in snakemake.input],
        output=Path(snakemake.output.records),
        statistics=Path(snakemake.output.statistics),
    )
