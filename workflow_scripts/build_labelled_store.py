"""Tokenize and encode labelled sentences, the parts of XNLI or of a task of GLUE; the tokens lie beside each store."""

from pathlib import Path

from xlm_core import config
from xlm_core.data import token_store
from xlm_core.text import tokenize
from xlm_core.workflow.step import workflow_step

params, source, folder = snakemake.params, Path(snakemake.params.source), Path(snakemake.params.folder)

with workflow_step(snakemake):
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in params.parts.items():
        tokenize.tokenize(
            source / f"{name}.tsv",
            folder / f"{name}.tsv",
            languages=[part["language"]] * 2,
            n_fields=3,
            text=config.read(config.Text, params.text, path="text"),
            already_tokenized=part["already_tokenized"],
            keep_all=True,
            statistics=folder / f"{name}.tokens.json",
        )
        token_store.build_labelled(
            folder / f"{name}.tsv",
            folder / f"{name}.store",
            language=part["language"],
            vocabulary=Path(snakemake.input.vocabulary),
            classes=part["classes"],
            statistics=folder / f"{name}.statistics.json",
            n_sentences=params.n_sentences,
        )
