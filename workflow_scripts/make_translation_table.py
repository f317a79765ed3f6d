"""Make a table of translation, and show it, as it is what was asked for."""

import sys
from pathlib import Path

from xlm_core.report import tables
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    table = snakemake.wildcards.table
    tables.make_translation(
        [Path(path) for path in snakemake.input.results],
        table=table,
        labels=snakemake.params.labels,
        rows=snakemake.params.rows,
        columns=snakemake.params.columns,
        significance=[Path(path) for path in snakemake.input.significance],
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        caption=f"{table.capitalize()} translation (configuration '{snakemake.params.name}')",
    )
    sys.stdout.write("\n" + Path(snakemake.output.md).read_text(encoding="utf-8") + "\n")
