"""Plot the accuracy of sentence retrieval over the layers of every run."""

from pathlib import Path

from xlm_core.report import layers
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    layers.draw(
        [Path(path) for path in snakemake.input],
        labels=snakemake.params.labels,
        n_layers=snakemake.params.n_layers,
        fewer_seeds=snakemake.params.fewer_seeds,
        output=Path(snakemake.output[0]),
    )
