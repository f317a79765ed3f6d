"""Fine-tune one encoder on one task of GLUE."""

from functools import partial
from pathlib import Path

from xlm_core import config
from xlm_core.tasks.classification import glue
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

# Not among the rule's parameters, for it changes no result.
checkpoint_minutes = config.parse(snakemake.config).checkpoint_minutes

with workflow_step(snakemake.log[0]), job_record(snakemake):
    task, examples = snakemake.wildcards.task, Path(snakemake.input.examples)
    finetune(
        encoder=Path(snakemake.input.encoder),
        train={config.GLUE_LANGUAGE: examples / "train.store"},
        valid={column: examples / f"{part}.store" for column, part in snakemake.params.valid.items()},
        test={},
        args=FinetuneArgs(
            settings=config.read(config.Finetuning, snakemake.params.finetuning, path="glue.finetuning"),
            n_classes=glue.n_outputs(task),
            precision=snakemake.params.precision,
            seed=int(snakemake.wildcards.finetuning_seed),
            code_digest=snakemake.params.code,
            checkpoint_minutes=checkpoint_minutes,
            work=Path(snakemake.params.work),
            n_threads=snakemake.threads,
            metrics=partial(glue.metrics, task),
        ),
        output=Path(snakemake.output.model),
        selected=None,
        history=Path(snakemake.output.history),
    )
