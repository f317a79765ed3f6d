"""Files that may have so many bytes and no more: to a program, the same as a disk that is full.

``python full_disk.py CALL N_BYTES LOG`` makes the call that is pickled in the file CALL, as a step of the workflow.
"""

import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from xlm_core.workflow.step import report_errors

MESSAGE = (
    "could not be written: File too large; expected room for all of it. Raise the limit on the size of files "
    "(ulimit -f), or choose a disk that takes larger ones, then run again: what is finished stays"
)


def limit(n_bytes: int) -> None:
    """Let no file of this process, and of those that it starts, become larger than ``n_bytes``; -1: unlimited."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@contextmanager
def room_for(n_bytes: int) -> Iterator[None]:
    """A block in which no file of this process becomes larger than ``n_bytes``."""
    before, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit(n_bytes)
    try:
        yield
    finally:
        limit(before)


def run(call: Callable[[], object], n_bytes: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Make ``call`` in a process of its own whose files become no larger than ``n_bytes``; ``log`` is in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "call").write_bytes(pickle.dumps(call))
    command = [sys.executable, __file__, str(folder / "call"), str(n_bytes), str(folder / "log")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    limit(int(sys.argv[2]))
    with report_errors(sys.argv[3]):
        pickle.loads(Path(sys.argv[1]).read_bytes())()
