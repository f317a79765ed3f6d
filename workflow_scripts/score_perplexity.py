"""Measure the perplexity of a causal language model on held-out text of one language."""

from pathlib import Path

from xlm_core.results import ResultContext
from xlm_core.tasks import perplexity
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]), job_record(snakemake):
    perplexity.score(
        model=Path(snakemake.input.model),
        vocabulary=Path(snakemake.input.vocabulary),
        test=[Path(path) for path in snakemake.input.test],
        language=snakemake.params.language,
        seq_len=snakemake.params.seq_len,
        context=ResultContext(
            table="perplexity",
            system=snakemake.wildcards.setup,
            setting=snakemake.params.setting,
            pretraining_seed=int(snakemake.wildcards.seed),
            finetuning_seed=None,
            code_digest=snakemake.params.code,
        ),
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
        statistics=Path(snakemake.output.kept),
    )
