"""A writer of TensorBoard files without a thread.

``torch.utils.tensorboard.SummaryWriter`` writes in a thread. On a full disk ``flush`` raises the thread's error in the
caller, but the thread prints a traceback as well, beside the one message that a user is to see (tensorboard 2.21,
``tests/robustness/test_faults.py``: a full disk under ``finetune_xnli``).
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class TensorBoardWriter:
    """Writes curves to one file, at once, in the thread of the caller."""

    def __init__(self, folder: Path, purge_step: int) -> None:
        """Start a file in ``folder``; TensorBoard hides points of ``purge_step`` and later of older files there."""
        folder.mkdir(parents=True, exist_ok=True)
        host, now = os.uname().nodename, f"{time.time():.6f}"  # TensorBoard reads files in the order of their names
        self._file = open(folder / f"events.out.tfevents.{now}.{host}.{os.getpid()}", "xb")  # noqa: SIM115 (``close``)
        self._records = RecordWriter(self._file)
        self._write(Event(file_version="brain.Event:2"))
        self._write(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def add_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Write one point of each curve."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._write(Event(step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        """Write an event through to the disk, so that a full disk is noticed here."""
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
        self._records.flush()
