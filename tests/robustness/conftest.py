"""What disturbs the project, or takes minutes: ``pytest -m robustness``."""

from pathlib import Path

import pytest
from small_world import world

__all__ = ["world"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.robustness)
