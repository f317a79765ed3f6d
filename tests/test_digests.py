"""Digests of values."""

from xlm_core import digests


def test_plain_values_have_one_digest_whatever_their_order():
    assert digests.of_value({"a": 1, "b": [2.0]}) == digests.of_value({"b": [2.0], "a": 1})
    assert digests.of_value({"a": 1}) != digests.of_value({"a": 2})
