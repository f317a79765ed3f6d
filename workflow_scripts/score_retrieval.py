"""Measure how often a sentence's nearest neighbor in another language is its translation, for each run of a seed."""

from pathlib import Path

from xlm_core.tasks import retrieval
from xlm_core.workflow.step import actual_path, result_context, workflow_step

with workflow_step(snakemake):
    retrieval.score(
        systems={
            name: retrieval.RetrievalTest(
                actual_path(snakemake, system["model"]),
                {language: actual_path(snakemake, store) for language, store in system["test"].items()},
            )
            for name, system in snakemake.params.systems.items()
        },
        pivot=snakemake.params.pivot,
        n_sentences=snakemake.params.n_sentences,
        layer=snakemake.params.layer,
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
    )
