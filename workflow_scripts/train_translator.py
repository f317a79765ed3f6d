"""Train one translator (paper, sections 4.2 and 4.3)."""

from functools import partial
from pathlib import Path

from xlm_core import config
from xlm_core.tasks.translation.train import train_translator
from xlm_core.train.launcher import launch
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

settings = config.parse(snakemake.config)  # what is read of it changes no result, and is no parameter of the rule
params, inputs, work = snakemake.params, snakemake.input, Path(snakemake.params.work)
n_processes = snakemake.resources.gpu or settings.compute.processes
halves = {half: Path(inputs[half]) if inputs.get(half) else None for half in ("encoder", "decoder")}

with workflow_step(snakemake.log[0]), job_record(snakemake):
    train = partial(
        train_translator,
        monolingual={language: [Path(path) for path in inputs[f"train_{language}"]] for language in params.texts},
        parallel={params.pair: [Path(path) for path in inputs.pairs]} if inputs.pairs else {},
        valid={params.pair: Path(inputs.valid)},
        vocabulary=Path(inputs.vocabulary),
        languages=params.languages,
        text=params.text,
        objectives=[
            config.read(config.TranslationObjective, objective, path="objectives") for objective in params.objectives
        ],
        **halves,
        model=config.read(config.ModelConfig, params.model, path="model"),
        settings=config.read(config.TranslationTraining, params.training, path="translation.training"),
        compute=settings.compute,
        checkpoint_minutes=settings.checkpoint_minutes,
        n_threads=max(1, snakemake.threads // n_processes),
        seed=int(snakemake.wildcards.seed),
        code=params.code,
        output=Path(snakemake.output.model),
        kept_vocabulary=Path(snakemake.output.vocabulary),
        history=Path(snakemake.output.history),
        work=work,
    )
    launch(train, n_processes=n_processes, n_nodes=1, work=work, log=Path(snakemake.log[0]))
