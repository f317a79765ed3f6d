"""Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""

import os
from pathlib import Path

from xlm_core import config
from xlm_core.text import download
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    settings = config.parse(snakemake.config)  # neither changes what is fetched, and neither is a parameter of the rule
    mirror = settings.mirror or os.environ.get("XLM_MIRROR")
    download.fetch(
        config.Download(**snakemake.params.source),
        Path(snakemake.output.file),
        mirror=Path(mirror) if mirror else None,
        record=Path(snakemake.params.record),
        contact=settings.contact,
    )
