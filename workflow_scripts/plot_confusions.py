"""Plot which class every system takes for which."""

from pathlib import Path

from xlm_core.report import confusions
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    confusions.draw(
        {label: [Path(path) for path in snakemake.input[run]] for run, label in snakemake.params.labels.items()},
        classes=snakemake.params.classes,
        columns=snakemake.params.columns,
        output=Path(snakemake.output[0]),
    )
