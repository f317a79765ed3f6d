"""Mark the records of a corpus that are repeated."""

from pathlib import Path

from xlm_core.text import duplicates
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    duplicates.find_duplicates([Path(path) for path in snakemake.input], [Path(path) for path in snakemake.output])
