"""Show what is behind each table that is there; nothing is made, for what is asked is about what was made."""

import sys
from pathlib import Path

from xlm_core.report import provenance
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    sys.stdout.write("\n" + provenance.show(snakemake.params.tables, Path(snakemake.params.folder)) + "\n")
