"""Train skip-gram vectors of the pieces of all languages."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.word_embeddings import skipgram
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]), job_record(snakemake):
    languages = snakemake.params.languages
    skipgram.train_subword_vectors(
        stores={language: [Path(path) for path in snakemake.input[language]] for language in languages},
        vocabulary=Path(snakemake.input.vocabulary),
        languages=languages,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.model),
    )
