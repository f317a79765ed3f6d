"""Train one encoder (paper, sections 3.2 to 3.4)."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.pretraining.data import InitialModel, PretrainingArgs, Stores
from xlm_core.tasks.pretraining.train import pretrain
from xlm_core.train.launcher import launch
from xlm_core.workflow.step import workflow_step

params, inputs, output, work = snakemake.params, snakemake.input, snakemake.output, Path(snakemake.params.work)


def stores(split: str) -> Stores:
    """Return the stores of one split, by language and by pair."""
    return {key: [Path(path) for path in inputs[f"{split}_{key}"]] for key in [*params.languages, *params.pairs]}


with workflow_step(snakemake):
    settings = config.parse(snakemake.config)  # what is read of it changes no result, and is no parameter of the rule
    n_processes = snakemake.resources.get("gpu") or settings.compute.gpus or settings.compute.processes
    args = PretrainingArgs(
        languages=params.languages,
        objectives=params.objectives,
        model=config.read(config.ModelConfig, params.model, path="model"),
        pretraining=config.read(config.Pretraining, params.pretraining, path="pretraining"),
        compute=settings.compute,
        checkpoint_minutes=settings.checkpoint_minutes,
        n_threads=max(1, snakemake.threads // n_processes),
        seed=int(snakemake.wildcards.seed),
    )
    arguments = {
        "training": stores("train"),
        "validation": stores("valid"),
        "vocabulary": Path(inputs.vocabulary),
        "init": InitialModel(*map(Path, inputs.init)) if inputs.init else None,
        "args": args,
        "code": params.code,
        "output": Path(output.model),
        "history": Path(output.history),
        "work": work,
    }
    n_nodes, log = settings.compute.nodes, Path(snakemake.log[0])
    launch(pretrain, arguments, n_processes=n_processes, n_nodes=n_nodes, work=work, log=log)
