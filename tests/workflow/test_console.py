"""What the screen shows of the records that Snakemake logs."""

import io
import logging

import pytest
from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.common import LogEvent

from xlm_core.workflow.console import MEMORY_HINT, Console, StepConsole

SCRIPT_ERROR = "RuleException:\nCalledProcessError in file 'x.smk', line 3:\nCommand 'python a.py' {}"


class Screen:
    """A logger like Snakemake's, and what its screen shows."""

    def __init__(self, console: type[Console] = Console) -> None:
        self.stream = io.StringIO()
        self.logger = logging.Logger("snakemake", logging.INFO)
        self.logger.addHandler(ColorizingTextHandler(stream=self.stream))
        console(lambda: "the table").attach(self.logger)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def begin(self, job: int, message: str) -> None:
        fields = {"event": LogEvent.JOB_INFO, "jobid": job, "rule_msg": message, "rule_name": "train"}
        self.logger.info(None, extra=fields)

    def end(self, *jobs: int, done: int, total: int) -> None:
        for job in jobs:
            self.logger.info(f"Finished jobid: {job}", extra={"event": LogEvent.JOB_FINISHED, "job_id": job})
        self.logger.info(None, extra={"event": LogEvent.PROGRESS, "done": done, "total": total})

    def fail(self, job: int, log: str = "a.log", **further: str) -> None:
        fields = {"event": LogEvent.JOB_ERROR, "jobid": job, "rule_name": "train", "log": [log], "aux": further}
        self.logger.error("Error in rule train", extra=fields)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets."""
    seconds = [0.0]
    monkeypatch.setattr("xlm_core.workflow.console.time.monotonic", lambda: seconds[0])
    return seconds


def test_a_job_is_one_line_when_it_is_done(clock):
    screen = Screen()
    screen.logger.info("Job stats: ...", extra={"event": LogEvent.RUN_INFO, "stats": {"total": 12, "train": 11}})
    screen.begin(7, "Training a")
    clock[0] = 60
    screen.begin(8, "Training b")
    clock[0] = 3700
    screen.end(7, 8, done=10, total=12)
    screen.begin(9, "Training c")
    screen.end(9, done=11, total=12)
    assert screen.lines == [
        "12 jobs",
        " 9 of 12  1:01:40  Training a",
        "10 of 12  1:00:40  Training b",
        "11 of 12  0:00:00  Training c",
    ]


def test_routine_is_left_out_and_warnings_and_all_else_are_shown():
    screen = Screen()
    for message in ("Building DAG of jobs...", "Select jobs to execute...", "Elapsed time: 1"):
        screen.logger.info(message)
    screen.logger.info("host", extra={"event": LogEvent.WORKFLOW_STARTED})
    screen.logger.info("Unlocked working directory.")
    screen.logger.warning("a warning")
    screen.logger.error("WorkflowError:\nno such file", extra={"event": LogEvent.ERROR, "exception": "WorkflowError"})
    assert screen.lines == ["Unlocked working directory.", "a warning", "WorkflowError:", "no such file"]


def test_the_finished_tables_come_last_where_nothing_is_to_be_done():
    screen = Screen()
    screen.logger.info("Nothing to be done (all requested files are present and up to date).")
    assert screen.lines[0].startswith("Nothing to be done") and screen.lines[-1] == "the table"


@pytest.mark.parametrize("console", [Console, StepConsole])
def test_a_script_that_failed_has_said_why_and_one_that_was_killed_has_not(console):
    screen = Screen(console)
    extra = {"event": LogEvent.ERROR, "exception": "RuleException"}
    screen.logger.error(SCRIPT_ERROR.format("returned non-zero exit status 1."), extra=extra)
    assert screen.lines == []
    screen.logger.error(SCRIPT_ERROR.format("died with <Signals.SIGKILL: 9>."), extra=extra)
    assert screen.lines == [MEMORY_HINT] and "micro_batch_tokens" in MEMORY_HINT


def test_a_failed_job_is_named_once_with_its_log(clock):
    first, of_step = Screen(), Screen(StepConsole)
    for screen in (first, of_step):
        screen.begin(7, "Training a")
        clock[0] = 5
        screen.fail(7)
    assert first.lines == ["FAILED after 0:00:05: Training a (rule train)", "    log: a.log"]
    assert of_step.lines == []


def test_what_a_step_on_a_cluster_said_is_read_from_its_log(clock, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("INFO began\nTraceback ...\nxlm_core.errors.StoreError: a.store is damaged\n")
    screen = Screen()
    screen.begin(7, "Training a")
    screen.fail(7, str(log), external_jobid="42")
    failed, *lines = screen.lines
    assert failed == "FAILED after 0:00:00: Training a (rule train)"
    assert [line.strip() for line in lines] == ["StoreError: a.store is damaged", f"log: {log}", "external_jobid: 42"]
