"""Sample lines of all languages to learn byte-pair encoding on."""

from pathlib import Path

from xlm_core.languages import sides
from xlm_core.text.bpe import TokenFile, sample_for_bpe
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    sample_for_bpe(
        {
            language: [
                TokenFile(Path(path), sides(key)) for path, key in zip(snakemake.input[language], keys, strict=True)
            ]
            for language, keys in snakemake.params.corpus_keys.items()
        },
        Path(snakemake.output.sample),
        n_lines=snakemake.params.n_lines,
        alpha=snakemake.params.alpha,
        **snakemake.params.fractions,
        statistics=Path(snakemake.output.statistics),
    )
