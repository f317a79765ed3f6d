"""Measure how often a sentence's nearest neighbor in another language is its translation."""

from pathlib import Path

from xlm_core.results import ResultContext
from xlm_core.tasks import retrieval
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]), job_record(snakemake):
    retrieval.score(
        model=Path(snakemake.input.model),
        test=dict(zip(snakemake.params.languages, map(Path, snakemake.input.test), strict=True)),
        pivot=snakemake.params.pivot,
        n_sentences=snakemake.params.n_sentences,
        layer=snakemake.params.layer,
        context=ResultContext(
            table="retrieval",
            system=snakemake.wildcards.run,
            setting="",
            pretraining_seed=int(snakemake.wildcards.seed),
            finetuning_seed=None,
            code_digest=snakemake.params.code,
        ),
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
    )
