"""Train one encoder (paper, sections 3.2 to 3.4)."""

from pathlib import Path

from xlm_core import config
from xlm_core.steps import step
from xlm_core.tasks import pretraining


def stores(split: str, keys: list[str]) -> dict[str, list[Path]]:
    """Language or pair -> its stores of one split."""
    return {key: [Path(path) for path in snakemake.input[f"{split}_{key.replace('-', '_')}"]] for key in keys}


with step(snakemake.log[0]):
    languages, pairs = snakemake.params.languages, snakemake.params.pairs
    pretraining.pretrain(
        monolingual=stores("train", languages),
        parallel=stores("train", pairs),
        monolingual_valid=stores("valid", languages),
        parallel_valid=stores("valid", pairs),
        vocabulary=Path(snakemake.input.vocabulary),
        languages=languages,
        objectives=snakemake.params.objectives,
        model=config.read(config.ModelConfig, snakemake.params.model, path="model"),
        pretraining=config.read(config.Pretraining, snakemake.params.pretraining, path="pretraining"),
        save_minutes=snakemake.params.save_minutes,
        seed=int(snakemake.wildcards.seed),
        code=snakemake.params.code,
        n_threads=snakemake.threads,
        output=Path(snakemake.output.model),
        history=Path(snakemake.output.history),
        work=Path(snakemake.params.work),
    )
