"""Learn byte-pair encoding on a sample of text."""

from pathlib import Path

from xlm_core.text import bpe
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    bpe.learn(
        Path(snakemake.input[0]),
        Path(snakemake.output.model),
        size=snakemake.params.size,
        character_coverage=snakemake.params.character_coverage,
    )
