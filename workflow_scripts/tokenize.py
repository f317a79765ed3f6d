"""Normalize and tokenize one shard of a corpus."""

from pathlib import Path

from xlm_core import config
from xlm_core.languages import sides
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    languages = sides(snakemake.wildcards.key)
    tokenize.tokenize(
        Path(snakemake.input.records),
        Path(snakemake.output.tokens),
        languages=languages,
        n_fields=len(languages),
        text=config.read(config.Text, snakemake.params.text, path="text"),
        already_tokenized=snakemake.params.already_tokenized,
        keep_all=snakemake.params.keep_all,
        statistics=Path(snakemake.output.statistics),
        repeated=Path(snakemake.input.repeated[0]) if snakemake.input.repeated else None,
    )
