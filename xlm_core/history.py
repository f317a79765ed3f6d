"""History of a training: JSON lines, one for each measured number, that ``pandas.read_json(lines=True)`` reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Self

from xlm_core.errors import CorpusError


class ObjectiveKey(NamedTuple):
    """What a loss or a score is measured on.

    objective  "mlm"; for validation sets with names, such as those of GLUE, the name
    languages  one, the two of a pair, or source and target; empty where they are not told apart
    """

    objective: str
    languages: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Format the key for messages: "mlm", "mlm en", "bt en-fr"."""
        return f"{self.objective} {'-'.join(self.languages)}".rstrip()


Metrics = Mapping[ObjectiveKey, Mapping[str, float]]  # of an evaluation, by their names
Split = Literal["train", "valid"]


class HistoryRow(NamedTuple):
    """One number that was measured after an update.

    split      "train": since the row of the same metric before it; "valid": an evaluation
    objective  as in ``ObjectiveKey``; None where the number belongs to all of them, such as the learning rate
    languages  as in ``ObjectiveKey``
    metric     "loss" in nats per prediction, "perplexity", "accuracy" and "bleu" in percent, ...
    """

    update: int
    split: Split
    objective: str | None
    languages: tuple[str, ...]
    metric: str
    value: float

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """Parse a line.

        Raises:
            ValueError, KeyError, TypeError: it is not a row.
        """
        fields = json.loads(line)
        return cls(**fields | {"languages": tuple(fields["languages"]), "value": float(fields["value"])})

    @property
    def tag(self) -> str:
        """Format the name of the curve that the row is a point of, for TensorBoard: "valid/mlm/en/loss"."""
        return "/".join(filter(None, (self.split, self.objective, "-".join(self.languages), self.metric)))

    def to_json(self) -> str:
        """Return the row as a line."""
        return json.dumps(self._asdict()) + "\n"


def read(path: Path) -> list[HistoryRow]:
    """Read a history.

    Raises:
        CorpusError: naming the line that is not a row; or there is none.
    """
    rows: list[HistoryRow] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            rows.append(HistoryRow.from_json(line))
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{path}, line {number}: expected a JSON record of a training log, found "
                f"{line[:60].decode(errors='replace')!r} ({type(error).__name__}: {error}); train the run again"
            ) from error
    if not rows:
        raise CorpusError(f"{path}: the log is empty, expected losses; leave out runs that were not trained")
    return rows
