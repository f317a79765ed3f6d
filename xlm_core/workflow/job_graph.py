"""The graph of jobs: which rule makes a file, and which jobs and raw files it depends on.

Snakemake's own rules are asked, so that the graph cannot differ from what Snakemake runs.
"""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple


class Job(NamedTuple):
    """A rule of Snakemake and the wildcards that it has for one job."""

    rule: Any
    wildcards: tuple[tuple[str, str], ...]

    def inputs(self) -> list[str]:
        """The files that the job reads."""
        return list(map(str, self.rule.expand_input(dict(self.wildcards))[0]))


class JobGraph:
    """The jobs of a workflow, found by the files that they write."""

    def __init__(self, rules: Iterable[Any]) -> None:
        """Of the rules of Snakemake, ``workflow.rules``; they may be defined later than the graph."""
        self._rules = rules
        self._producing: dict[str, Job | None] = {}
        self.upstream = functools.cache(self._upstream)

    def producer(self, path: str) -> Job | None:
        """The job that makes a file; None for a file that the user has."""
        if path not in self._producing:
            rule = next((rule for rule in self._rules if rule.is_producer(path)), None)
            self._producing[path] = Job(rule, tuple(rule.get_wildcards(path).items())) if rule else None
        return self._producing[path]

    def producing(self, path: str) -> Job:
        """The job that makes a file which some rule makes."""
        job = self.producer(path)
        assert job is not None, f"no rule makes {path}"
        return job

    def _upstream(self, job: Job) -> tuple[list[str], list[str]]:
        """The records of a job and of all jobs that it depends on, and the raw files that they begin with."""
        record = job.rule.output.get("job")
        records = [str(record.apply_wildcards(dict(job.wildcards)))] if record else []
        sources: list[str] = []
        for path in job.inputs():
            producer = self.producer(path)
            if producer and producer.rule.input:
                more_records, more_sources = self.upstream(producer)
                records += more_records
                sources += more_sources
            else:  # the user's own, downloaded or generated
                sources.append(path)
        return list(dict.fromkeys(records)), list(dict.fromkeys(sources))
