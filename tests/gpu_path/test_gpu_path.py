"""The path of a GPU, on a pretended one: where the host waits, what is launched, and on which device tensors are."""

from collections.abc import Callable
from typing import Any

import pytest

# Most launches of an update of two micro-batches and three layers, where PyTorch's attention counts as its parts.
LAUNCHES = {
    "clm": 800,
    "mlm": 760,
    "tlm": 810,
    "tlm, activations computed again": 1060,
    "translation": 2050,
    "classification": 800,
    "regression": 800,
}


@pytest.fixture(scope="session")
def report(record: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """What ``scenarios.py`` recorded."""
    return record("scenarios.py")


@pytest.mark.parametrize("kind", LAUNCHES)
def test_an_update_never_waits_for_the_gpu(report: dict[str, Any], kind: str) -> None:
    assert report["updates"][kind]["waits"] == {}
    assert report["updates"][kind]["devices"] == ["cuda:0"]


@pytest.mark.parametrize("kind", LAUNCHES)
def test_an_update_launches_no_more_than_it_did(report: dict[str, Any], kind: str) -> None:
    assert 0.9 * LAUNCHES[kind] <= report["updates"][kind]["launches"] <= LAUNCHES[kind]  # lower: lower the limit, too


def test_what_waits_and_what_is_on_the_wrong_device_is_noticed(report: dict[str, Any]) -> None:
    assert report["noticed"] == {"a boolean mask": True, "a copy to the host": True, "nonzero": True}
    assert report["mixed devices are noticed"]


@pytest.mark.parametrize("beam_size", ["1", "4"])
def test_decoding_is_the_same_and_waits_at_most_twice_per_step(report: dict[str, Any], beam_size: str) -> None:
    decoding = report["decoding"][beam_size]
    assert decoding["equal"]
    assert decoding["mismatches"] == {}
    assert decoding["steps"] > 15
    assert sum(decoding["waits"].values()) <= 2 * decoding["steps"], decoding["waits"]


def test_perplexity_is_the_same(report: dict[str, Any]) -> None:
    assert report["scoring"] == {"equal": True, "mismatches": {}}
