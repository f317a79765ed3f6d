"""Work in processes of its own, so that neither its time nor its memory is mixed with what came before."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Cost:
    """Of one call: how long it took, and the most memory that its process ever held."""

    seconds: float
    peak_bytes: int


def side_by_side(work: Callable[..., object], jobs: Sequence[tuple[Any, ...]]) -> list[Cost]:
    """Call ``work`` with the arguments of each of ``jobs``, each in a new process, all starting at the same moment."""
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(len(jobs))
    with spawning.Pool(len(jobs), initializer=barrier.wait) as pool:
        return pool.starmap(_cost, [(work, job) for job in jobs], chunksize=1)


def _cost(work: Callable[..., object], job: tuple[Any, ...]) -> Cost:
    start = time.perf_counter()
    work(*job)
    return Cost(time.perf_counter() - start, peak_bytes())


def peak_bytes() -> int:
    """The most memory that this process ever held at once (VmHWM)."""
    return _status("VmHWM")


def held_bytes() -> int:
    """The memory that this process holds (VmRSS)."""
    return _status("VmRSS")


def _status(field: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        name, value = line.split(":", 1)
        if name == field:
            return 1024 * int(value.split()[0])
    raise RuntimeError(f"{STATUS} has no {field}")
