"""Put pieces, their counts and ids into one file that can encode text."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import vocabulary
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    vocabulary.build(
        snakemake.params.languages,
        models=[Path(path) for path in snakemake.input.models],
        samples=[Path(path) for path in snakemake.input.samples],
        output=Path(snakemake.output[0]),
        text=config.read(config.Text, snakemake.params.text, path="text"),
    )
