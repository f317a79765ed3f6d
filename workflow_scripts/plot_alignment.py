"""Plot words and their translations on the map of each model."""

from pathlib import Path

from xlm_core.report.plots import alignment
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    alignment.plot(Path(snakemake.input[0]), snakemake.params.labels, [Path(path) for path in snakemake.output])
