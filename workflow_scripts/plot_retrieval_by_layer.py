"""Plot the accuracy of sentence retrieval over the layers of every run."""

from pathlib import Path

from xlm_core.report.plots import curves
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    curves.plot_layers(
        snakemake.params.rows,
        snakemake.params.n_layers,
        [Path(path) for path in snakemake.input],
        output=Path(snakemake.output[0]),
    )
