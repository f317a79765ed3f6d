"""Write down what is behind a table."""

from pathlib import Path

from xlm_core.report import provenance
from xlm_core.workflow.step import actual_path, workflow_step

params = snakemake.params

with workflow_step(snakemake):
    provenance.make_manifest(
        snakemake.wildcards.table,
        table=Path(snakemake.input.table),
        results={name: actual_path(snakemake, name) for name in params.jobs_of_results},
        jobs={name: actual_path(snakemake, name) for name in params.jobs},
        jobs_of_results=params.jobs_of_results,
        sources=params.sources,
        sums=Path(params.sums),
        configuration=params.configuration,
        output=Path(snakemake.output.manifest),
        page=Path(snakemake.output.page),
    )
