"""Measure a classifier on the validation sets of a task of GLUE, and keep what it says of them and of the test sets."""

from pathlib import Path

from xlm_core.jobs import recorded
from xlm_core.steps import step
from xlm_core.tasks import glue

with step(snakemake.log[0]), recorded(snakemake):
    glue.score(
        task=snakemake.wildcards.task,
        model=Path(snakemake.input.model),
        valid=dict(zip(snakemake.params.valid, map(Path, snakemake.input.valid), strict=True)),
        test=dict(zip(snakemake.params.test, map(Path, snakemake.input.test), strict=True)),
        system=f"{snakemake.wildcards.setup}.{snakemake.wildcards.run}",
        setting=snakemake.params.setting,
        seeds=f"{snakemake.wildcards.seed}.{snakemake.wildcards.finetuning_seed}",
        code=snakemake.params.code,
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
        predictions=Path(snakemake.output.predictions),
        kept=Path(snakemake.output.kept),
    )
