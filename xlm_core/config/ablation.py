"""The section about the ablation: one thing at a time is taken away from a system, or changed (paper, section 5)."""

from pydantic import Field

from xlm_core.config.section import StrictModel
from xlm_core.config.setups import BASE


class SystemConfig(StrictModel):
    """A pretrained model: a run in a setup."""

    setup: str = BASE
    run: str

    @property
    def name(self) -> str:
        """The name of the system in results of tables whose systems are of several setups."""
        return f"{self.setup}.{self.run}"


class Ablation(StrictModel):
    """The full system, and what it is compared with; each row says what is different."""

    full: SystemConfig
    systems: dict[str, SystemConfig] = Field(min_length=1)


def system(setup: str, run: str) -> str:
    """What a model is called in results: by its run, and by its setup where that is not the one at the top.

    >>> system("base", "mlm"), system("separate", "mlm")
    ('mlm', 'separate/mlm')
    """
    return run if setup == BASE else f"{setup}/{run}"
