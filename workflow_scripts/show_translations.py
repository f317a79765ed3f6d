"""Show the translations of the same sentences by several systems."""

from pathlib import Path

from xlm_core.report import rendering
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    paths = map(Path, snakemake.input)
    rendering.write_samples(
        {direction: {label: next(paths) for label in labels} for direction, labels in snakemake.params.labels.items()},
        Path(snakemake.output[0]),
    )
