"""Measure the accuracy of a fine-tuned classifier on the test set of every language."""

from pathlib import Path

from xlm_core.steps import step
from xlm_core.tasks import xnli

with step(snakemake.log[0]):
    xnli.score(
        model=Path(snakemake.input.model),
        test=dict(zip(snakemake.params.languages, map(Path, snakemake.input.test), strict=True)),
        system=snakemake.wildcards.run,
        setting="zero-shot",
        seeds=f"{snakemake.wildcards.seed}.{snakemake.wildcards.finetuning_seed}",
        code=snakemake.params.code,
        n_threads=snakemake.threads,
        output=Path(snakemake.output[0]),
    )
