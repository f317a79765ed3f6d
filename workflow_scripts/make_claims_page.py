"""Make the page of claims."""

from pathlib import Path

from xlm_core.report import claims
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    claims.make(
        Path(snakemake.input[0]), snakemake.params.name, Path(snakemake.output.text), Path(snakemake.output.picture)
    )
