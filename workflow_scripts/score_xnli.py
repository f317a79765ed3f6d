"""Measure the accuracy of a fine-tuned classifier on the test sets of a protocol."""

from pathlib import Path

from xlm_core.results import ResultContext
from xlm_core.tasks.classification import xnli
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

selected = snakemake.input.get("selected")

with workflow_step(snakemake.log[0]), job_record(snakemake):
    xnli.score(
        model=Path(snakemake.input.model),
        selected=Path(selected) if selected else None,
        test=dict(zip(snakemake.params.languages, map(Path, snakemake.input.test), strict=True)),
        classes=snakemake.params.classes,
        context=ResultContext(
            table="xnli",
            system=snakemake.params.system,
            setting=snakemake.params.setting,
            pretraining_seed=int(snakemake.wildcards.seed),
            finetuning_seed=int(snakemake.wildcards.finetuning_seed),
            code_digest=snakemake.params.code,
        ),
        setting_selected=snakemake.params.setting_selected,
        n_threads=snakemake.threads,
        output=Path(snakemake.output.results),
        confusion=Path(snakemake.output.confusion),
        statistics=Path(snakemake.output.kept),
    )
