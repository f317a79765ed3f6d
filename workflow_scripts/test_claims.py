"""Test the paper's claims on the scores of our systems."""

from pathlib import Path

from xlm_core.tasks.claims import Hypothesis, test_claims
from xlm_core.workflow.step import workflow_step


def files(side: str, number: int, seeds: list[int]) -> list[list[Path]]:
    """The sample statistics of one system, by pretraining seed."""
    return [[Path(path) for path in snakemake.input[f"{side}_{number}_{seed}"]] for seed in seeds]


with workflow_step(snakemake):
    hypotheses = []
    for number, given in enumerate(snakemake.params.hypotheses):
        a_files, b_files = (files(side, number, given["seeds"]) for side in "ab")
        settings = {key: value for key, value in given.items() if key != "seeds"}
        hypotheses.append(Hypothesis(**settings, a_files=a_files, b_files=b_files))
    test_claims(hypotheses, Path(snakemake.output[0]))
