"""Encode one split of XNLI in one language."""

from pathlib import Path

from xlm_core.data import token_store
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    token_store.build_labelled(
        Path(snakemake.input.tokens),
        Path(snakemake.output.store),
        language=snakemake.params.language,
        vocabulary=Path(snakemake.input.vocabulary),
        classes=snakemake.params.classes,
        statistics=Path(snakemake.output.statistics),
    )
