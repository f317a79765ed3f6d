"""Mark the records of a corpus that are repeated."""

from pathlib import Path

from xlm_core.steps import step
from xlm_core.text import duplicates

with step(snakemake.log[0]):
    duplicates.mark([Path(path) for path in snakemake.input], [Path(path) for path in snakemake.output])
