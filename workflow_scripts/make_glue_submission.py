"""Pack the predictions of GLUE's test sets as the leaderboard takes them."""

from pathlib import Path

from xlm_core.text.formats import glue
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    glue.write_submission([Path(path) for path in snakemake.input], Path(snakemake.output[0]))
