"""Work done ahead of its use, on a background thread: reading, cutting and masking while the model computes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

Made = TypeVar("Made")


class Prefetcher(Generic[Made]):
    """A function of consecutive numbers below ``end`` whose next ``depth`` values are always being made.

    What goes wrong in the background is raised where the value is asked for. Leaving the block ends the thread.
    """

    def __init__(self, make: Callable[[int], Made], end: int, depth: int = 2) -> None:
        self._make = make
        self._end = end
        self._depth = depth
        self._waiting: dict[int, Future[Made]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def __call__(self, number: int) -> Made:
        """The value for ``number``; those for the numbers after it are begun."""
        for wanted in (number, *range(number + 1, min(number + 1 + self._depth, self._end))):
            if wanted not in self._waiting:
                self._waiting[wanted] = self._thread.submit(self._make, wanted)
        return self._waiting.pop(number).result()
