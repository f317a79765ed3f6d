"""The results that ``pins.json`` records are those of today, as far as they are the same on every machine."""

import json
import re
from pathlib import Path

import pins
import pytest
from project import Project

UNTOUCHED = re.compile(r"text/|(tokens|bpe|store)/(news|english|low_resource|low_resource_both)/")
PINNED = json.loads((Path(__file__).parent / "helpers" / "pins.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "configuration",
    [
        pins.CONFIGURATIONS[0],
        # 2,000 jobs are planned in a minute
        *(pytest.param(name, marks=pytest.mark.robustness) for name in pins.CONFIGURATIONS[1:]),
    ],
)
def test_a_configuration_has_the_jobs_that_it_had(configuration: str) -> None:
    jobs = {configuration: PINNED["jobs"][configuration]}
    assert pins.job_differences(jobs, {configuration: pins.job_list(configuration)}) == []


@pytest.mark.robustness  # reads the run of the tiny configuration, which takes minutes
def test_texts_vocabularies_and_stores_have_the_content_that_they_had(project: Project) -> None:
    """Of the setups and corpora of the tiny configuration that the project's own corpus does not reach."""
    made = pins.record(project.folder / "results" / "tiny")
    for kind in ("texts", "tokens", "vocabularies", "stores"):
        expected = {name: digest for name, digest in PINNED[kind].items() if UNTOUCHED.match(name)}
        assert expected
        assert {name: digest for name, digest in expected.items() if digest not in made[kind].values()} == {}
