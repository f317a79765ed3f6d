"""Train vectors of words on the text of one language, or of all together."""

from pathlib import Path

from xlm_core import config
from xlm_core.languages import sides
from xlm_core.tasks.word_embeddings import skipgram
from xlm_core.text.bpe import TokenFile
from xlm_core.workflow.job_record import job_record
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake.log[0]), job_record(snakemake):
    settings = {**snakemake.params.vectors, "threads": snakemake.threads}
    skipgram.train_word_vectors(
        {
            language: [
                TokenFile(Path(path), sides(key)) for path, key in zip(snakemake.input[language], keys, strict=True)
            ]
            for language, keys in snakemake.params.corpus_keys.items()
        },
        config.read(config.WordVectors, settings, path="embeddings.vectors"),
        seed=int(snakemake.wildcards.seed),
        output=Path(snakemake.output.vectors),
    )
