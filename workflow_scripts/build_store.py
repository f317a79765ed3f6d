"""Encode one shard of a corpus and split it into train, valid and test."""

from pathlib import Path

from xlm_core.data import token_store
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    token_store.build(
        Path(snakemake.input.tokens),
        outputs={split: Path(snakemake.output[split]) for split in ("train", "valid", "test")},
        languages=snakemake.params.languages,
        stored=snakemake.params.stored,
        vocabulary=Path(snakemake.input.vocabulary),
        **snakemake.params.fractions,
        statistics=Path(snakemake.output.statistics),
    )
