"""Fine-tune one encoder on the pairs of one language (paper, section 4.1)."""

from pathlib import Path

from xlm_core import config
from xlm_core.steps import step
from xlm_core.tasks import xnli

# Not among the rule's parameters, for it changes no result.
save_minutes = config.parse(snakemake.config).save_minutes

with step(snakemake.log[0]):
    xnli.finetune(
        encoder=Path(snakemake.input.encoder),
        language=snakemake.params.language,
        train=Path(snakemake.input.train[0]),
        valid=dict(zip(snakemake.params.languages, map(Path, snakemake.input.valid), strict=True)),
        settings=config.read(config.Finetuning, snakemake.params.finetuning, path="xnli.finetuning"),
        n_train=snakemake.params.n_train,
        precision=snakemake.params.precision,
        seed=int(snakemake.wildcards.finetuning_seed),
        code=snakemake.params.code,
        save_minutes=save_minutes,
        work=Path(snakemake.params.work),
        n_threads=snakemake.threads,
        output=Path(snakemake.output.model),
        history=Path(snakemake.output.history),
    )
