"""Fine-tune one encoder on the pairs of one language or of several (paper, section 4.1)."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

# Not among the rule's parameters, for it changes no result.
checkpoint_minutes = config.parse(snakemake.config).checkpoint_minutes


def stores(languages: str, paths: list[str]) -> dict[str, Path]:
    """Language -> store; ``languages`` is the parameter that names them in the order of ``paths``."""
    return dict(zip(snakemake.params[languages], map(Path, paths), strict=True))


with workflow_step(snakemake.log[0]), job_record(snakemake):
    finetune(
        encoder=Path(snakemake.input.encoder),
        train=stores("trained", snakemake.input.train),
        valid=stores("tested", snakemake.input.valid),
        test=stores("selected", snakemake.input.get("test", [])),
        args=FinetuneArgs(
            settings=config.read(config.Finetuning, snakemake.params.finetuning, path="xnli.finetuning"),
            n_classes=len(snakemake.params.classes),
            precision=snakemake.params.precision,
            seed=int(snakemake.wildcards.finetuning_seed),
            code_digest=snakemake.params.code,
            checkpoint_minutes=checkpoint_minutes,
            work=Path(snakemake.params.work),
            n_threads=snakemake.threads,
            n_train=snakemake.params.n_train,
        ),
        output=Path(snakemake.output.model),
        selected=Path(snakemake.output.selected),
        history=Path(snakemake.output.history),
    )
