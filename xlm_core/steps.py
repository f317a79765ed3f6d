"""A step of the workflow: where its log goes, and how its errors reach the user."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlm_core.errors import XlmError
from xlm_core.files import storage_errors


@contextmanager
def step(log: str | Path) -> Iterator[None]:
    """Log to the file ``log``; end with one message, and no traceback, at an error that the user can mend.

    A full disk is one of them wherever it is met: also for the temporary files of libraries.
    """
    try:
        with storage_errors(f"a file of this step ({log} says where)"):
            log_to(log)
            yield
    except XlmError as error:
        logging.exception("The step failed.")
        sys.exit(f"{type(error).__name__}: {error}")


def log_to(log: str | Path) -> None:
    """Send what this process logs to the end of the file ``log``."""
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(handlers=[_LogFile(log, encoding="utf-8")], level=logging.INFO, format=form, force=True)


class _LogFile(logging.FileHandler):
    """A log whose messages go to the standard error output, each on one line, where the file has no room for them."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Show a message that could not be logged, and why not."""
        sys.stderr.write(f"{record.getMessage()} (not in {self.baseFilename}: {sys.exception()})\n")
