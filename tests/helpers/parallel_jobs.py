"""Calls that several processes make together, one after another, so that the processes are started once."""

from collections.abc import Callable, Sequence


def run_all(calls: Sequence[Callable[[], object]]) -> None:
    """Make every call."""
    for call in calls:
        call()
