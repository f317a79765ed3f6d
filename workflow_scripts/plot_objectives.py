"""Plot real CLM, MLM and TLM batches."""

from pathlib import Path

from xlm_core.report.plots import objectives
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    objectives.plot(Path(snakemake.input[0]), Path(snakemake.output[0]))
