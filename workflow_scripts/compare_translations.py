"""Which rows of a table of translation differ from its first one by more than chance."""

from pathlib import Path

from xlm_core.steps import step
from xlm_core.tasks import significance

with step(snakemake.log[0]):
    paths = map(Path, snakemake.input)
    significance.compare(
        f"{snakemake.wildcards.table}_mt",
        [
            significance.Comparison(*cell, *files)
            for cell, *files in zip(snakemake.params.cells, *[paths] * 3, strict=True)
        ],
        Path(snakemake.output[0]),
    )
