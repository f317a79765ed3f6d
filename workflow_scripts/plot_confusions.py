"""Plot which class every system takes for which."""

from pathlib import Path

from xlm_core.report.plots import heatmap
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    heatmap.plot_confusions(
        {label: [Path(path) for path in snakemake.input[run]] for run, label in snakemake.params.labels.items()},
        classes=snakemake.params.classes,
        languages=snakemake.params.columns,
        output=Path(snakemake.output[0]),
    )
