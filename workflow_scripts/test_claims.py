"""Test the paper's claims on the scores of our systems."""

from pathlib import Path

from xlm_core.tasks.claims import Hypothesis, test_claims
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    test_claims([Hypothesis(**given) for given in snakemake.params.hypotheses], Path(snakemake.output[0]))
