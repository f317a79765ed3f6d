"""Make the perplexity table, and show it, as it is what was asked for."""

import sys
from pathlib import Path

from xlm_core.report import tables
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    tables.make_perplexity(
        [Path(path) for path in snakemake.input],
        labels=snakemake.params.labels,
        settings=snakemake.params.settings,
        language=snakemake.params.language,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
        caption=snakemake.params.caption,
    )
    sys.stdout.write("\n" + Path(snakemake.output.md).read_text(encoding="utf-8") + "\n")
