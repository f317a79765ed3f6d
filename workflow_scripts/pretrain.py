"""Train one encoder (paper, sections 3.2 to 3.4)."""

from functools import partial
from pathlib import Path

from xlm_core import config
from xlm_core.tasks.pretraining.data import PretrainingArgs, StorePaths
from xlm_core.tasks.pretraining.train import pretrain
from xlm_core.train.launcher import launch
from xlm_core.workflow.step import workflow_step


def stores(split: str, keys: list[str]) -> dict[str, list[Path]]:
    """Language or pair -> its stores of one split."""
    return {key: [Path(path) for path in snakemake.input[f"{split}_{key}"]] for key in keys}


settings = config.parse(snakemake.config)  # what is read of it changes no result, and is no parameter of the rule
languages, pairs, work = snakemake.params.languages, snakemake.params.pairs, Path(snakemake.params.work)
n_processes = snakemake.resources.get("gpu") or settings.compute.gpus or settings.compute.processes

with workflow_step(snakemake):
    args = PretrainingArgs(
        languages=languages,
        objectives=snakemake.params.objectives,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        pretraining=config.read(config.Pretraining, snakemake.params.pretraining, path="pretraining"),
        compute=settings.compute,
        checkpoint_minutes=settings.checkpoint_minutes,
        n_threads=max(1, snakemake.threads // n_processes),
        seed=int(snakemake.wildcards.seed),
    )
    train = partial(
        pretrain,
        training=StorePaths(stores("train", languages), stores("train", pairs)),
        validation=StorePaths(stores("valid", languages), stores("valid", pairs)),
        vocabulary=Path(snakemake.input.vocabulary),
        args=args,
        code=snakemake.params.code,
        output=Path(snakemake.output.model),
        history=Path(snakemake.output.history),
        work=work,
    )
    launch(train, n_processes=n_processes, n_nodes=settings.compute.nodes, work=work, log=Path(snakemake.log[0]))
