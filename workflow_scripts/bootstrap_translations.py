"""Which rows of a table of translation differ from its first one by more than chance."""

from pathlib import Path

from xlm_core.metrics import bootstrap
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    paths = map(Path, snakemake.input)
    bootstrap.compare(
        f"{snakemake.wildcards.table}_mt",
        [
            bootstrap.Comparison(*cell, *files)
            for cell, *files in zip(snakemake.params.cells, *[paths] * 3, strict=True)
        ],
        Path(snakemake.output[0]),
    )
