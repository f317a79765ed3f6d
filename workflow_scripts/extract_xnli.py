"""XNLI's labelled sentence pairs, per split and language."""

from pathlib import Path

from xlm_core.text.formats import xnli
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]):
    parts = zip(snakemake.params.parts, snakemake.output.parts, strict=True)
    xnli.extract(
        evaluation=Path(snakemake.input.evaluation[0]),
        training=Path(snakemake.input.training[0]),
        outputs={(split, language): Path(path) for (split, language), path in parts},
        statistics=Path(snakemake.output.statistics),
        labels=snakemake.params.labels,
    )
