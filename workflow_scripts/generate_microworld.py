"""Generate one collection of the embedded small world."""

from pathlib import Path

import microworld
from xlm_core import config
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    params = snakemake.params
    world = config.read(config.Microworld, params.world, path="microworld")
    files = [file for file in world.files if file.collection == params.collection]
    microworld.write(
        world,
        languages=params.languages,
        outputs=dict(zip(files, map(Path, snakemake.output), strict=True)),
    )
