"""Plot validation BLEU over the training of every translator of a table."""

from pathlib import Path

from xlm_core.report.plots import curves
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    curves.plot_bleu(
        {label: [Path(path) for path in snakemake.input[name]] for name, label in snakemake.params.labels.items()},
        Path(snakemake.output[0]),
    )
