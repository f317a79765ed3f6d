"""Plot the XNLI table as a heat map."""

from pathlib import Path

from xlm_core.report import heatmap
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    heatmap.draw(
        [Path(path) for path in snakemake.input],
        labels=snakemake.params.labels,
        rows=snakemake.params.rows,
        columns=snakemake.params.columns,
        train=snakemake.params.train,
        fewer_seeds=snakemake.params.fewer_seeds,
        output=Path(snakemake.output[0]),
    )
