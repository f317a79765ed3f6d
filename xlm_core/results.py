"""Results: one measured number each, with everything that is needed to trust it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from xlm_core.io import write_text


@dataclass(frozen=True)
class ResultContext:
    """The fields of a ``Result`` that are known before it is measured.

    ``system`` and ``setting`` are empty where one step measures several.
    """

    table: str
    system: str
    setting: str
    pretraining_seed: int
    finetuning_seed: int | None
    code_digest: str


@dataclass(frozen=True)
class Result:
    """One measured number.

    table          table it belongs to: "xnli", "retrieval"
    system         the name of the pretraining run, such as "mlm_tlm", after its setup: "separate/mlm_tlm"
    setting        protocol: "zero-shot"
    column         language, direction or task
    metric         "accuracy", in percent
    value          the number
    n              items it was measured on
    pretraining_seed  of the model
    finetuning_seed   of its fine-tuning; None where there is none
    config_digest  of the settings behind it
    data_digest    of the data behind it
    code_digest    of the code behind it
    signature      how the scorer worked, so that only comparable numbers are compared
    warnings       what a reader must know about this number, such as a collapse to one class
    """

    table: str
    system: str
    setting: str
    column: str
    metric: str
    value: float
    n: int
    pretraining_seed: int
    finetuning_seed: int | None
    config_digest: str
    data_digest: str
    code_digest: str
    signature: str
    warnings: list[str] = field(default_factory=list)

    @property
    def seed(self) -> str:
        """The label of both seeds in tables and errors: ``0``, or ``0.1`` where there is a seed of the fine-tuning."""
        return seed_label(self.pretraining_seed, self.finetuning_seed)


def seed_label(pretraining_seed: int, finetuning_seed: int | None) -> str:
    """Return the seeds of a number as tables print them.

    >>> seed_label(0, None), seed_label(2, 1)
    ('0', '2.1')
    """
    return f"{pretraining_seed}" if finetuning_seed is None else f"{pretraining_seed}.{finetuning_seed}"


def write(results: Iterable[Result], path: Path) -> None:
    """Write results as JSON lines."""
    write_text(path, "".join(json.dumps(asdict(result)) + "\n" for result in results))


def read(paths: Iterable[Path]) -> list[Result]:
    """Read the results of several files."""
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return [Result(**json.loads(line)) for line in lines]
