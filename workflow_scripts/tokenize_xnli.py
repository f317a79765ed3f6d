"""Normalize and tokenize premises and hypotheses; the third field is the label."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    language = snakemake.params.language
    tokenize.tokenize(
        Path(snakemake.input[0]),
        Path(snakemake.output.tokens),
        languages=(language, language),
        n_fields=3,
        text=config.read(config.Text, snakemake.params.text, path="text"),
        already_tokenized=snakemake.params.already_tokenized,
        keep_all=True,
        statistics=Path(snakemake.output.statistics),
    )
