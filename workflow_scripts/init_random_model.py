"""Save a model with random weights."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.pretraining import train
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    train.init_random_model(
        vocabulary=Path(snakemake.input.vocabulary),
        languages=snakemake.params.languages,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.model),
    )
