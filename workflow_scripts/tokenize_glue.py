"""Normalize and tokenize the sentences of a task of GLUE; the third field is the label."""

from pathlib import Path

from xlm_core import config
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    text, folder = Path(snakemake.input[0]), Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for part in snakemake.params.parts:
        tokenize.tokenize(
            text / f"{part}.tsv",
            folder / f"{part}.tsv",
            languages=(snakemake.params.language,) * 2,
            n_fields=3,
            text=config.read(config.Text, snakemake.params.text, path="text"),
            already_tokenized=False,
            keep_all=True,
            statistics=folder / f"{part}.statistics.json",
        )
