"""Train skip-gram vectors of the pieces of all languages."""

from pathlib import Path

from xlm_core import config
from xlm_core.jobs import recorded
from xlm_core.steps import step
from xlm_core.tasks import skipgram

with step(snakemake.log[0]), recorded(snakemake):
    languages = snakemake.params.languages
    skipgram.train_embeddings(
        stores={language: [Path(path) for path in snakemake.input[language]] for language in languages},
        vocabulary=Path(snakemake.input.vocabulary),
        languages=languages,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.model),
    )
