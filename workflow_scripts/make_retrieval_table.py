"""Make the table of sentence retrieval."""

from pathlib import Path

from xlm_core.report import tables
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    tables.make_retrieval(
        [Path(path) for path in snakemake.input],
        labels=snakemake.params.labels,
        columns=snakemake.params.columns,
        pivot=snakemake.params.pivot,
        fewer_seeds=snakemake.params.fewer_seeds,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        caption=snakemake.params.caption,
    )
