"""Plot loss and validation perplexity of every pretraining run."""

from pathlib import Path

from xlm_core.report.plots import curves
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    curves.plot_training(
        {label: [Path(path) for path in snakemake.input[run]] for run, label in snakemake.params.rows.items()},
        Path(snakemake.output[0]),
    )
