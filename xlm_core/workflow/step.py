"""A step of the workflow: where its log goes, how its errors reach the user, and that it ends with its workflow."""

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlm_core.errors import XlmError
from xlm_core.io import disk_full_errors

LOG = logging.getLogger(__name__)
WORKFLOW = "XLM_WORKFLOW"  # environment variable: the number of the process of Snakemake that starts the steps
GRACE_SECONDS = 45  # for a training to save, before it is killed


@contextmanager
def workflow_step(log: str | Path) -> Iterator[None]:
    """Log to the file ``log``; end with one message, and no traceback, at an error that the user can mend.

    A full disk is one of them wherever it is met: also for the temporary files of libraries. Where Snakemake is killed
    the step ends, too, for the next one would begin the same step beside it.
    """
    try:
        with disk_full_errors(f"a file of this step ({log} says where)"):
            log_to(log)
            if number := os.environ.get(WORKFLOW):
                _exit_with_parent(int(number))
            yield
    except XlmError as error:
        logging.exception("The step failed.")
        sys.exit(f"{type(error).__name__}: {error}")


def log_to(log: str | Path) -> None:
    """Send what this process logs to the end of the file ``log``."""
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(handlers=[_LogFile(log, encoding="utf-8")], level=logging.INFO, format=form, force=True)


def _exit_with_parent(number: int) -> None:
    """End this process when the process ``number`` has ended, or at once where it has already."""
    try:
        process = os.pidfd_open(number)
    except ProcessLookupError:
        sys.exit(f"the workflow that started this step (process {number}) has died; run it again")
    threading.Thread(target=_exit_after, args=(process,), daemon=True).start()


def _exit_after(process: int) -> None:
    """Wait until a process, of which this is the file descriptor, has ended; end then, trainings by saving."""
    select.select([process], [], [])
    LOG.warning("the workflow that started this step has died: the step ends")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


class _LogFile(logging.FileHandler):
    """A log whose messages go to the standard error output, each on one line, where the file has no room for them."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Show a message that could not be logged, and why not."""
        sys.stderr.write(f"{record.getMessage()} (not in {self.baseFilename}: {sys.exception()})\n")
