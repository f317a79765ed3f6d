"""Hold out validation and test lines by a hash of the line, so that equal lines never are in two splits."""

import hashlib
from collections.abc import Sequence
from typing import Literal

PIVOT = "en"
Split = Literal["train", "valid", "test"]


def split_of(text: str, valid_fraction: float, test_fraction: float) -> Split:
    """Return the split of a line: the same for the same text on every machine and in every corpus."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64
    if number < valid_fraction:
        return "valid"
    return "test" if number < valid_fraction + test_fraction else "train"


def split_of_record(
    fields: Sequence[str], languages: Sequence[str], valid_fraction: float, test_fraction: float
) -> Split:
    """Return the split of a line, or of a pair by its English side, else by its first.

    So a line of monolingual text falls into the same split as the same line inside a pair. This cannot hold for the
    other side of a pair: a sentence that translates two different English ones may be in two splits.
    """
    pivot = list(languages).index(PIVOT) if PIVOT in languages else 0
    return split_of(fields[pivot], valid_fraction, test_fraction)
