"""Train one translator (paper, sections 4.2 and 4.3)."""

from functools import partial
from pathlib import Path

from xlm_core import config
from xlm_core.tasks.translation.train import (
    TranslatorInputs,
    TranslatorOutputs,
    TranslatorSettings,
    train_translator,
)
from xlm_core.train.launcher import launch
from xlm_core.workflow.step import workflow_step

settings = config.parse(snakemake.config)  # what is read of it changes no result, and is no parameter of the rule
params, inputs, work = snakemake.params, snakemake.input, Path(snakemake.params.work)
n_processes = snakemake.resources.gpu or settings.compute.processes
encoder, decoder = (Path(inputs[name]) if inputs.get(name) else None for name in ("encoder", "decoder"))

with workflow_step(snakemake):
    train = partial(
        train_translator,
        TranslatorInputs(
            monolingual={language: [Path(path) for path in inputs[f"train_{language}"]] for language in params.texts},
            parallel={params.pair: [Path(path) for path in inputs.pairs]} if inputs.pairs else {},
            valid={params.pair: Path(inputs.valid)},
            vocabulary=Path(inputs.vocabulary),
            encoder=encoder,
            decoder=decoder,
        ),
        TranslatorSettings(
            languages=params.languages,
            text=params.text,
            objectives=[config.read(config.TranslationObjective, one, path="objectives") for one in params.objectives],
            model=config.read(config.ModelConfig, params.model, path="model"),
            training=config.read(config.TranslationTraining, params.training, path="translation.training"),
            seed=int(snakemake.wildcards.seed),
        ),
        TranslatorOutputs(*(Path(snakemake.output[name]) for name in ("model", "vocabulary", "history")), work=work),
        compute=settings.compute,
        checkpoint_minutes=settings.checkpoint_minutes,
        n_threads=max(1, snakemake.threads // n_processes),
        code=params.code,
    )
    launch(train, n_processes=n_processes, n_nodes=1, work=work, log=Path(snakemake.log[0]))
