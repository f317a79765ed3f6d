"""Measure the perplexity of a causal language model on held-out text of one language."""

from pathlib import Path

from xlm_core.tasks import perplexity
from xlm_core.workflow.step import result_context, workflow_step

with workflow_step(snakemake):
    perplexity.score(
        model=Path(snakemake.input.model),
        vocabulary=Path(snakemake.input.vocabulary),
        test=[Path(path) for path in snakemake.input.test],
        language=snakemake.params.language,
        seq_len=snakemake.params.seq_len,
        context=result_context(snakemake),
        output=Path(snakemake.output.results),
        statistics=Path(snakemake.output.statistics),
    )
