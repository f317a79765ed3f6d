"""The plan of the memory that a pretraining takes on a GPU, beside what lives there at the peak of an update."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.robustness
def test_the_plan_is_near_what_an_update_holds(record: Callable[[str], dict[str, Any]]) -> None:
    report = record("peak_memory.py")
    shares = {name: sizes["planned"] / sizes["recorded"] for name, sizes in report.items()}
    assert len(shares) == 5
    assert all(0.85 <= share <= 1.2 for share in shares.values()), shares
