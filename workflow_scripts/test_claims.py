"""Test the paper's claims on the scores of our systems."""

from pathlib import Path

from xlm_core.tasks.claims import Hypothesis, test_claims
from xlm_core.workflow.step import workflow_step


def files(side: str, number: int, seeds: list[int]) -> list[list[Path]]:
    """The sample statistics of one system, by pretraining seed."""
    return [[Path(path) for path in snakemake.input[f"{side}_{number}_{seed}"]] for seed in seeds]


with workflow_step(snakemake):
    claims: dict[str, list[Hypothesis]] = {}
    for number, hypothesis in enumerate(snakemake.params.hypotheses):
        a, b = (files(side, number, hypothesis["seeds"]) for side in "ab")
        names = {key: hypothesis[key] for key in ("table", "a", "b", "margin", "columns")}
        claims.setdefault(hypothesis["statement"], []).append(Hypothesis(**names, a_files=a, b_files=b))
    test_claims(claims, Path(snakemake.output[0]))
