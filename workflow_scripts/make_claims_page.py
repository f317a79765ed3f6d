"""Make the page of claims, and show it, as it is what was asked for."""

import sys
from pathlib import Path

from xlm_core.report import claims
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    text = Path(snakemake.output.text)
    claims.make(Path(snakemake.input[0]), snakemake.params.name, text, Path(snakemake.output.picture))
    sys.stdout.write("\n" + text.read_text(encoding="utf-8") + "\n")
