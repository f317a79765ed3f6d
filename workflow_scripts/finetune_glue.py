"""Fine-tune one encoder on one task of GLUE."""

from pathlib import Path

from xlm_core import config
from xlm_core.jobs import recorded
from xlm_core.steps import step
from xlm_core.tasks import glue
from xlm_core.tasks.finetuning import Course

# Not among the rule's parameters, for it changes no result.
save_minutes = config.parse(snakemake.config).save_minutes

with step(snakemake.log[0]), recorded(snakemake):
    examples = Path(snakemake.input.examples)
    glue.finetune(
        task=snakemake.wildcards.task,
        encoder=Path(snakemake.input.encoder),
        train=examples / "train.store",
        valid={column: examples / f"{part}.store" for column, part in snakemake.params.valid.items()},
        course=Course(
            settings=config.read(config.Finetuning, snakemake.params.finetuning, path="glue.finetuning"),
            precision=snakemake.params.precision,
            seed=int(snakemake.wildcards.finetuning_seed),
            code=snakemake.params.code,
            save_minutes=save_minutes,
            work=Path(snakemake.params.work),
            n_threads=snakemake.threads,
        ),
        output=Path(snakemake.output.model),
        history=Path(snakemake.output.history),
    )
