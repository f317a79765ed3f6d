"""Plot the XNLI table as a heat map."""

from pathlib import Path

from xlm_core.report.plots import heatmap
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    heatmap.plot_xnli(
        snakemake.params.table, [Path(path) for path in snakemake.input], output=Path(snakemake.output[0])
    )
