"""Normalize and tokenize one file of records."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output

with workflow_step(snakemake):
    tokenize.tokenize(
        Path(inputs.records),
        Path(output.tokens),
        languages=params.languages,
        n_fields=params.n_fields,
        text=config.read(config.Text, params.text, path="text"),
        already_tokenized=params.already_tokenized,
        keep_all=params.keep_all,
        statistics=Path(output.statistics),
        repeated=Path(inputs.repeated[0]) if inputs.repeated else None,
    )
