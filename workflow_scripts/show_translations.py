"""Show what several systems say of the same sentences."""

from pathlib import Path

from xlm_core.report import samples
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    paths = map(Path, snakemake.input)
    samples.make(
        {
            direction: samples.TextFiles(next(paths), next(paths), {label: next(paths) for label in labels})
            for direction, labels in snakemake.params.systems.items()
        },
        Path(snakemake.output[0]),
    )
