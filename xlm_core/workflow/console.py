"""What a run shows on the screen: one line per job, warnings and errors, and the finished tables last.

Snakemake shows the inputs, outputs, resources and reasons of each job, and of a failed step two tracebacks of its own.
Here its log file alone has them, in ``.snakemake/log/``. Dry runs and ``--verbose`` show all of it.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

NOTHING_TO_DO = "Nothing to be done"
# What Snakemake says of every run.
ROUTINE = (
    "Assuming unrestricted", "Building DAG", "Using shell", "Conda environments", "Singularity", "Select jobs",
    "Retrieving from storage", "Storing in storage", "Finished download", "Finished upload", "Removing local copy",
    "Complete log", "Elapsed",
)  # fmt: skip
SCRIPT_FAILED = "CalledProcessError"  # the script itself has said why
KILLED = "died with <Signals.SIGKILL: 9>"  # of a step's process, by the kernel or by somebody
MEMORY_HINT = (
    "The step was killed (SIGKILL). Most likely the memory ran out. Let fewer jobs run at once: "
    "--resources mem_mb=<megabytes of this machine>, or --cores; give the rule more on a cluster: "
    "--set-resources <rule>:mem_mb=<megabytes>; or lower micro_batch_tokens (pretraining, translation) or batch_size "
    "(finetuning)."
)


class Console(logging.Formatter):
    """Turns a record of Snakemake's logger into what the screen shows of it; nothing for most."""

    def __init__(self, finished_tables: Callable[[], str]) -> None:
        """Take a function that returns the finished tables, for a run that has nothing to do."""
        super().__init__()
        self._finished_tables = finished_tables
        self._started: dict[int, tuple[str, float]] = {}  # number of a job -> its message, and when it began
        self._finished: list[int] = []

    def attach(self, logger: logging.Logger) -> None:
        """Let the handlers of ``logger`` that write to the screen show this."""
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                handler.setFormatter(self)
                handler.addFilter(self.filter)

    def filter(self, record: logging.LogRecord) -> bool:
        """Take note of a job that begins, and drop the record: a handler begins a new paragraph with each."""
        fields = vars(record)
        if fields.get("event") == LogEvent.JOB_INFO:
            self._started[fields["jobid"]] = (fields["rule_msg"] or fields["rule_name"], time.monotonic())
        return fields.get("event") != LogEvent.JOB_INFO

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        fields, message = vars(record), record.getMessage()
        if SCRIPT_FAILED in message:
            return MEMORY_HINT if KILLED in message else ""
        match fields.get("event"):
            case LogEvent.RUN_INFO if "stats" in fields:
                n_jobs = fields["stats"]["total"]
                return "1 job" if n_jobs == 1 else f"{n_jobs} jobs"
            case LogEvent.JOB_FINISHED:
                self._finished.append(fields["job_id"])
                return ""
            case LogEvent.PROGRESS:
                return self._format_finished(fields["done"], fields["total"])
            case LogEvent.JOB_ERROR:
                return self._format_error(fields)
        if message.startswith(NOTHING_TO_DO):
            return f"{message.rstrip()}\n\n{self._finished_tables()}"
        if record.levelno >= logging.WARNING or (fields.get("event") is None and not message.startswith(ROUTINE)):
            return message
        return ""

    def _format_finished(self, n_done: int, n_jobs: int) -> str:
        """Return a line for each job that finished since the last call."""
        finished, self._finished = self._finished, []
        first, width = n_done - len(finished) + 1, len(str(n_jobs))
        return "\n".join(
            f"{number:{width}} of {n_jobs}  {self._duration(job)}  {self._started[job][0]}"
            for number, job in enumerate(finished, first)
        )

    def _format_error(self, fields: dict[str, Any]) -> str:
        """Return which job failed, and its log; the step itself has said why, on a cluster in its log alone."""
        job, further = fields["jobid"], [f"{name}: {value}" for name, value in fields["aux"].items()]
        name = self._started[job][0] if job in self._started else fields["rule_name"]
        lines = [f"FAILED after {self._duration(job).strip()}: {name} (rule {fields['rule_name']})"]
        if "external_jobid" in fields["aux"]:
            lines += [line for path in map(Path, fields["log"]) if path.exists() for line in _last_line(path)]
        lines += [f"log: {path}" for path in fields["log"]]
        return "\n    ".join([*lines, *further])

    def _duration(self, job: int) -> str:
        begun = self._started[job][1] if job in self._started else time.monotonic()
        return str(timedelta(seconds=round(time.monotonic() - begun)))


def _last_line(log: Path) -> list[str]:
    """Return the last line of a log, where an error stands, without the package of its class."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.removeprefix("xlm_core.errors.") for line in lines[-1:]]


class StepConsole(Console):
    """The same for the process of one job, which leaves it to the first process to say that the job failed."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return super().format(record) if vars(record).get("event") in (None, LogEvent.ERROR) else ""
