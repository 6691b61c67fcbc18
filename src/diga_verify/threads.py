"""The threads of a reading: one for each task, and those on which tasks make calls at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import BoundedSemaphore
from typing import Any, TypeVar

from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT
from diga_verify.gateway.turns import Turn

T = TypeVar("T")
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
_FANS = 4
"""So many types may fan out to the limit at once before one of them waits for a thread."""


class Threads:
    """What is begun here runs until it is done: `stop` waits for nothing."""

    def __init__(self, tasks: int) -> None:
        """For so many tasks. None of them may wait for a thread: others wait for it."""
        self._tasks = ThreadPoolExecutor(tasks, thread_name_prefix="task")
        self._calls = ThreadPoolExecutor(_FANS * CALLS_IN_FLIGHT, thread_name_prefix="call")
        self._turn: Turn | None = None

    def begin(self, work: Callable[[], T], failed: Callable[[Exception], T]) -> Future[T]:
        """Do `work` on a thread of its own; what comes of it, or what `failed` makes of what it raises."""
        self._turn = turn = Turn(self._turn)

        def guarded() -> T:
            try:
                with turn.taken():
                    return work()
            except Exception as error:  # noqa: BLE001 - the boundary to answers that nobody foresaw
                return failed(error)

        return self._tasks.submit(guarded)

    def spread(self, read: Callable[[Any], Any], parts: Iterable[Any]) -> Iterable[Any]:
        """`read` for all parts, so many at once; the answers in their order, each as soon as it is there."""
        places = BoundedSemaphore(CALLS_IN_FLIGHT)

        def begun(part: Any) -> Future[Any]:
            places.acquire()
            call = self._calls.submit(copy_context().run, read, part)
            call.add_done_callback(lambda _: places.release())
            return call

        calls = [begun(part) for part in parts]
        return (call.result() for call in calls)

    def stop(self) -> None:
        """Begin nothing more. Threads that hang in a call are left behind: the process does not wait for them."""
        self._tasks.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False, cancel_futures=True)
