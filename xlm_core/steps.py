"""A step of the workflow: where its log goes, and how its errors reach the user."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlm_core.errors import XlmError


@contextmanager
def step(log: str | Path) -> Iterator[None]:
    """Log to the file ``log``; end with one message, and no traceback, at an error that the user can mend."""
    log_to(log)
    try:
        yield
    except XlmError as error:
        logging.exception("The step failed.")
        sys.exit(f"{type(error).__name__}: {error}")


def log_to(log: str | Path) -> None:
    """Send what this process logs to the end of the file ``log``."""
    logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True)
