"""Generate the embedded small world: text in real languages, translations, and pairs to classify."""

from pathlib import Path

import microworld
from xlm_core import config
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    world = config.read(config.Microworld, snakemake.params.world, path="microworld")
    microworld.write(
        world,
        languages=snakemake.params.languages,
        outputs=dict(zip(world.files, map(Path, snakemake.output), strict=True)),
    )
