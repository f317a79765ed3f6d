"""The section about claims: which systems are compared to say whether our runs bear out what the paper claims."""

from typing import Literal

from pydantic import Field

from xlm_core.config.ablation import SystemConfig
from xlm_core.config.section import StrictModel

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"  # decisions


class ComparisonConfig(StrictModel):
    """Of two systems of a table the first shall be better, by more than the margin."""

    table: Literal["xnli", "ablation", "unsupervised_mt", "supervised_mt", "perplexity", "embeddings", "glue"]
    a: str | SystemConfig
    b: str | SystemConfig
    margin: float = 0.0

    @property
    def names(self) -> tuple[str, str]:
        """The names of both systems in results."""
        first, second = (system if isinstance(system, str) else system.name for system in (self.a, self.b))
        return first, second


class ClaimConfig(StrictModel):
    """What is claimed, and the comparisons that all must hold for it."""

    claim: str
    tests: list[ComparisonConfig] = Field(min_length=1)
