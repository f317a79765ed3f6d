"""Generate the embedded small world: text in real languages, translations, and pairs to classify."""

from pathlib import Path

from xlm_core import config, microworld
from xlm_core.steps import step

with step(snakemake.log[0]):
    microworld.write(
        config.read(config.Microworld, snakemake.params.world, path="microworld"),
        languages=snakemake.params.languages,
        outputs={key.replace("_", "-"): Path(path) for key, path in snakemake.output.items()},
    )
