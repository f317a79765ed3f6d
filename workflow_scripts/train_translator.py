"""Train one translator (paper, sections 4.2 and 4.3)."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.translation.data import TranslatorSettings
from xlm_core.tasks.translation.train import TranslatorInputs, train_translator
from xlm_core.train.launcher import launch
from xlm_core.workflow.step import workflow_step

params, inputs, output, work = snakemake.params, snakemake.input, snakemake.output, Path(snakemake.params.work)

with workflow_step(snakemake):
    settings = config.parse(snakemake.config)  # what is read of it changes no result, and is no parameter of the rule
    n_processes = snakemake.resources.gpu or settings.compute.processes
    encoder, decoder = (Path(inputs[name]) if inputs.get(name) else None for name in ("encoder", "decoder"))
    stores = {language: [Path(path) for path in inputs[f"train_{language}"]] for language in params.texts}
    if inputs.pairs:
        stores[params.pair] = [Path(path) for path in inputs.pairs]
    arguments = {
        "inputs": TranslatorInputs(
            stores=stores,
            valid={params.pair: Path(inputs.valid)},
            vocabulary=Path(inputs.vocabulary),
            encoder=encoder,
            decoder=decoder,
        ),
        "settings": TranslatorSettings(
            languages=params.languages,
            objectives=[
                config.read(config.TranslationObjective, item, path="objectives") for item in params.objectives
            ],
            model=config.read(config.ModelConfig, params.model, path="model"),
            training=config.read(config.TranslationTraining, params.training, path="translation.training"),
            seed=int(snakemake.wildcards.seed),
        ),
        "outputs": {name: Path(path) for name, path in output.items()},
        "work": work,
        "compute": settings.compute,
        "checkpoint_minutes": settings.checkpoint_minutes,
        "n_threads": max(1, snakemake.threads // n_processes),
        "code": params.code,
    }
    launch(train_translator, arguments, n_processes=n_processes, n_nodes=1, work=work, log=Path(snakemake.log[0]))
