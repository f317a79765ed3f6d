"""Measure how often a sentence's nearest neighbor in another language is its translation, for each run of a seed."""

from pathlib import Path

from xlm_core.tasks import retrieval
from xlm_core.workflow.step import actual_path, result_context, workflow_step

with workflow_step(snakemake):
    retrieval.score(
        models=dict(zip(snakemake.params.runs, map(Path, snakemake.input.models), strict=True)),
        test={language: actual_path(snakemake, store) for language, store in snakemake.params.test.items()},
        pivot=snakemake.params.pivot,
        n_sentences=snakemake.params.n_sentences,
        layer=snakemake.params.layer,
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
    )
