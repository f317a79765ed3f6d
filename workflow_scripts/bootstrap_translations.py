"""Test which rows of a table of translation differ from their baseline by more than chance."""

from pathlib import Path

from xlm_core.metrics.significance import write_paired_tests
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    write_paired_tests(
        cells=snakemake.params.cells,
        systems=[Path(path) for path in snakemake.input.systems],
        baselines=[Path(path) for path in snakemake.input.baselines],
        output=Path(snakemake.output[0]),
    )
