"""Extract plain records of one language or pair from a dump, an archive, plain files or a test set."""

from pathlib import Path

from xlm_core.text import extract
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    extract.extract(
        snakemake.params.format,
        inputs=[Path(path) for path in snakemake.input],
        shards=[Path(path) for path in snakemake.output.shards],
        key=snakemake.wildcards.key,
        statistics=Path(snakemake.output.statistics),
        line_range=snakemake.params.lines,
        test_set=snakemake.params.test_set,
    )
