"""Measure how often a sentence's nearest neighbor in another language is its translation."""

from pathlib import Path

from xlm_core.tasks import retrieval
from xlm_core.workflow.step import result_context, workflow_step

with workflow_step(snakemake):
    retrieval.score(
        model=Path(snakemake.input.model),
        test=dict(zip(snakemake.params.languages, map(Path, snakemake.input.test), strict=True)),
        pivot=snakemake.params.pivot,
        n_sentences=snakemake.params.n_sentences,
        layer=snakemake.params.layer,
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
    )
