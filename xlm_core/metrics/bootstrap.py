"""Which systems differ by more than chance: paired bootstrap over the sentences of a test set (sacreBLEU's).

It asks how often the difference would be as large as it is if the sentences had been others; it knows nothing of what
another seed of the training would have given, which is what the spread over seeds is for.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest

from xlm_core.errors import CorpusError
from xlm_core.io import atomic

N_SAMPLES = 1000
COLUMNS = ("table", "row", "setting", "column", "seed", "bleu", "minus_row", "minus_setting", "minus_bleu", "p")


class Comparison(NamedTuple):
    """A cell of a table and the cell that it is compared with: of the same column and the same seed.

    hypotheses, minus_hypotheses, references  lines of text
    """

    row: str
    setting: str
    column: str
    seed: str
    minus_row: str
    minus_setting: str
    hypotheses: Path
    minus_hypotheses: Path
    references: Path


def compare(table: str, comparisons: Sequence[Comparison], output: Path) -> None:
    """Write one line per comparison, columns ``COLUMNS``."""
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in comparisons:
            bleu, minus_bleu, p = paired_bootstrap(*map(_lines, one[-3:]))
            place = (table, one.row, one.setting, one.column, one.seed)
            writer.writerow((*place, bleu, one.minus_row, one.minus_setting, minus_bleu, p))


def paired_bootstrap(
    hypotheses: Sequence[str], minus_hypotheses: Sequence[str], references: Sequence[str]
) -> tuple[float, float, float]:
    """BLEU of two systems, and the probability of so large a difference between systems that are equally good.

    Raises:
        CorpusError: there are not as many lines of each.
    """
    counts = [len(some) for some in (hypotheses, minus_hypotheses, references)]
    if len(set(counts)) != 1:
        raise CorpusError(f"{counts} lines of two systems and of references, expected equally many; score them again")
    systems = [("baseline", list(minus_hypotheses)), ("system", list(hypotheses))]
    test = PairedTest(systems, {"BLEU": BLEU()}, [list(references)], test_type="bs", n_samples=N_SAMPLES)
    baseline, system = test()[1]["BLEU"]
    # Of systems that are wrong alike sacreBLEU counts no sample as more unlike, and takes that for significance.
    p = 1.0 if system.score == baseline.score else system.p_value
    return system.score, baseline.score, p


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
