"""Run a step of the workflow: its log, its record, its named errors, and its end when Snakemake dies."""

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from xlm_core.errors import XlmError
from xlm_core.io import disk_full_errors
from xlm_core.results import ResultContext
from xlm_core.workflow.job_record import job_record

LOG = logging.getLogger(__name__)
WORKFLOW = "XLM_WORKFLOW"  # environment variable: the number of the process of Snakemake that starts the steps
GRACE_SECONDS = 45  # for a training to save, before it is killed


@contextmanager
def workflow_step(snakemake: Any) -> Iterator[None]:
    """Run the block as the step of a rule, with ``report_errors``; record it if the rule has an output ``job``.

    The step ends when Snakemake is killed: the next run would start the same step beside it.

    Args:
        snakemake: the object that Snakemake gives to a script.
    """
    with report_errors(snakemake.log[0]):
        if number := os.environ.get(WORKFLOW):
            exit_with_process(int(number))
        with job_record(snakemake) if snakemake.output.get("job") else nullcontext():
            yield


def result_context(snakemake: Any) -> ResultContext:
    """Return what a scoring step knows of its results: the parameter ``cell`` of the rule, seeds and code digest."""
    wildcards, params = snakemake.wildcards, snakemake.params
    finetuning_seed = wildcards.get("finetuning_seed")
    return ResultContext(
        **{name: params.cell[name] for name in ("table", "system", "setting")},
        pretraining_seed=int(wildcards.seed),
        finetuning_seed=int(finetuning_seed) if finetuning_seed else None,
        code_digest=params.code,
    )


@contextmanager
def report_errors(log: str | Path) -> Iterator[None]:
    """Log to the file ``log``; exit with one message, and no traceback, at an error that the user can mend.

    A full disk is such an error wherever it is met, also in the temporary files of libraries.
    """
    try:
        with disk_full_errors(f"a file of this step ({log} says where)"):
            log_to(log)
            yield
    except XlmError as error:
        logging.exception("The step failed.")
        sys.exit(f"{type(error).__name__}: {error}")


def log_to(log: str | Path) -> None:
    """Append what this process logs to the file ``log``."""
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(handlers=[_LogFile(log, encoding="utf-8")], level=logging.INFO, format=form, force=True)


def exit_with_process(number: int) -> None:
    """End this process when the process ``number``, which started it, has ended; at once if it already has."""
    try:
        process = os.pidfd_open(number)
    except ProcessLookupError:
        sys.exit(f"the process that started this one ({number}) has died; run the workflow again")
    threading.Thread(target=_exit_after, args=(process,), daemon=True).start()


def _exit_after(process: int) -> None:
    """Wait until the process of a file descriptor has ended, then end this one; trainings save first."""
    select.select([process], [], [])
    LOG.warning("the process that started this one has died: this one ends")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


class _LogFile(logging.FileHandler):
    """A log file that writes a message to the standard error output, on one line, if its disk is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Show a message that could not be logged, and why not."""
        sys.stderr.write(f"{record.getMessage()} (not in {self.baseFilename}: {sys.exception()})\n")
