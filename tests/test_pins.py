"""The results that ``pins.json`` records are those of today, as far as they are the same on every machine."""

import json
from pathlib import Path

import pins
import pytest

PINNED = json.loads((Path(__file__).parent / "pins.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("configuration", pins.CONFIGURATIONS)
def test_a_configuration_has_the_jobs_that_it_had(configuration: str) -> None:
    jobs = {configuration: PINNED["jobs"][configuration]}
    assert pins.job_differences(jobs, {configuration: pins.job_list(configuration)}) == []
