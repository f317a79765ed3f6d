"""Encode the parts of a task of GLUE."""

from pathlib import Path

from xlm_core.data import token_store
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    tokens, folder = Path(snakemake.input.tokens), Path(snakemake.output[0])
    folder.mkdir(parents=True, exist_ok=True)
    for part, classes in snakemake.params.classes.items():
        token_store.build_labelled(
            tokens / f"{part}.tsv",
            folder / f"{part}.store",
            language=snakemake.params.language,
            vocabulary=Path(snakemake.input.vocabulary),
            classes=classes,
            statistics=folder / f"{part}.statistics.json",
            n_sentences=snakemake.params.n_sentences,
        )
