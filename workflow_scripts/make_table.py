"""Make a table."""

from pathlib import Path

from xlm_core.report import tables
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    tables.make(
        snakemake.params.table,
        [Path(path) for path in snakemake.input.results],
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        significance=[Path(path) for path in snakemake.input.get("significance", [])],
        filter_statistics=[Path(path) for path in snakemake.input.filter_statistics],
    )
