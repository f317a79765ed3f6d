"""Fetch one file by its address, looking first in the mirror; resumed, retried, checked."""

import os
from pathlib import Path

from xlm_core.text import download
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    mirror = snakemake.config.get("mirror") or os.environ.get("XLM_MIRROR")
    download.fetch(
        snakemake.params.url,
        Path(snakemake.output.file),
        mirror=Path(mirror) if mirror else None,
        sha256=snakemake.params.sha256,
        expected_bytes=snakemake.params.n_bytes,
        licence=snakemake.params.licence,
        record=Path(snakemake.params.record),
    )
