"""Save a model with random weights."""

from pathlib import Path

from xlm_core import config
from xlm_core.jobs import recorded
from xlm_core.steps import step
from xlm_core.tasks import pretraining

with step(snakemake.log[0]), recorded(snakemake):
    pretraining.initialize(
        vocabulary=Path(snakemake.input.vocabulary),
        languages=snakemake.params.languages,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.model),
    )
