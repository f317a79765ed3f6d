"""Train skip-gram vectors: of the pieces of all languages, or of the words of one language or of all together."""

from pathlib import Path

from xlm_core import config
from xlm_core.languages import sides
from xlm_core.tasks.word_embeddings import skipgram
from xlm_core.text.bpe import TokenFile
from xlm_core.workflow.step import workflow_step

params, inputs, output = snakemake.params, snakemake.input, snakemake.output
seed = int(snakemake.wildcards.seed)


def train_subword_vectors() -> None:
    """Train vectors of pieces, and save them in a model whose other weights are random."""
    skipgram.train_subword_vectors(
        stores={language: [Path(path) for path in inputs[language]] for language in params.languages},
        vocabulary=Path(inputs.vocabulary),
        languages=params.languages,
        model=config.read(config.ModelConfig, params.model, path="model"),
        settings=config.read(config.Skipgram, {**params.skipgram, "threads": snakemake.threads}, path="skipgram"),
        seed=seed,
        output=Path(output.model),
    )


def train_word_vectors() -> None:
    """Train vectors of words."""
    settings = {**params.vectors, "threads": snakemake.threads}
    skipgram.train_word_vectors(
        {
            language: [TokenFile(Path(path), sides(key)) for path, key in zip(inputs[language], keys, strict=True)]
            for language, keys in params.corpus_keys.items()
        },
        config.read(config.WordVectors, settings, path="embeddings.vectors"),
        seed=seed,
        output=Path(output.vectors),
    )


with workflow_step(snakemake):
    {"pieces": train_subword_vectors, "words": train_word_vectors}[params.unit]()
