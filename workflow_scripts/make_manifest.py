"""Write down what is behind a table."""

from pathlib import Path

from xlm_core.report import provenance
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    provenance.make_manifest(
        snakemake.wildcards.table,
        table=Path(snakemake.input.table),
        results=[Path(path) for path in snakemake.input.results],
        jobs=[Path(path) for path in snakemake.input.jobs],
        jobs_of_results=snakemake.params.jobs_of_results,
        sources=snakemake.params.sources,
        sums=Path(snakemake.params.sums),
        configuration=snakemake.params.configuration,
        output=Path(snakemake.output[0]),
    )
