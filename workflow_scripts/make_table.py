"""Make a table, and show it, as it is what was asked for."""

import sys
from pathlib import Path

from xlm_core.report import tables
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    tables.make(
        snakemake.params.table,
        [Path(path) for path in snakemake.input.results],
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        significance=[Path(path) for path in snakemake.input.get("significance", [])],
    )
    sys.stdout.write("\n" + Path(snakemake.output.md).read_text(encoding="utf-8") + "\n")
