"""The section about claims: which systems are compared to say whether our runs bear out what the paper claims."""

from typing import Literal

from pydantic import Field

from xlm_core.config.section import StrictModel

HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "cannot tell"  # verdicts


class ComparisonConfig(StrictModel):
    """Of two systems of a table the first shall be better, by more than the margin."""

    table: Literal["xnli", "ablation", "unsupervised_mt", "supervised_mt", "perplexity", "embeddings", "glue"]
    a: str
    b: str
    margin: float = 0.0


class ClaimConfig(StrictModel):
    """What is claimed, and the comparisons that all must hold for it."""

    claim: str
    tests: list[ComparisonConfig] = Field(min_length=1)
