"""The pairs of words of a dictionary or of ratings."""

from pathlib import Path

from xlm_core import config
from xlm_core.text.formats import dictionary
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    dictionary.extract(
        snakemake.wildcards.list,
        source=Path(snakemake.input[0]),
        direction=snakemake.wildcards.direction,
        text=config.read(config.Text, snakemake.params.text, path="text"),
        output=Path(snakemake.output.words),
        statistics=Path(snakemake.output.statistics),
    )
