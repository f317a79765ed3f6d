"""Results: one measured number each, with everything that is needed to trust it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from xlm_core.io import atomic


@dataclass(frozen=True)
class Result:
    """One measured number.

    table     table it belongs to: "xnli", "retrieval"
    system    row: the name of the pretraining run, such as "mlm_tlm"
    setting   protocol: "zero-shot"
    column    language code, direction or task
    metric    "accuracy", in percent
    value     the number
    n         items it was measured on
    seeds     the seeds of pretraining and fine-tuning, as "0.1"
    config    digest of the settings behind it
    data      digest of the data behind it
    code      digest of the code behind it
    signature how the scorer worked, so that only comparable numbers are compared
    note      what a reader must know about this number, such as a collapse to one class; else empty
    """

    table: str
    system: str
    setting: str
    column: str
    metric: str
    value: float
    n: int
    seeds: str
    config: str
    data: str
    code: str
    signature: str
    note: str = ""


def write(results: Iterable[Result], path: Path) -> None:
    """Write results as JSON lines."""
    with atomic(path) as partial:
        partial.write_text("".join(json.dumps(asdict(result)) + "\n" for result in results), encoding="utf-8")


def read(paths: Iterable[Path]) -> list[Result]:
    """Read the results of several files."""
    lines = (line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Result(**json.loads(line)) for line in lines]
