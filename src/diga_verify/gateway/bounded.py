"""Waiting no longer than one means to, whatever the other side does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, or TimeoutError after `seconds`.

    Timeouts of sockets count from byte to byte, and looking up a name has none at all: only a second thread can
    promise an end. Work that is not done by then goes on unattended, on a thread that keeps no process alive.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            done.set_exception(error)

    threading.Thread(target=run, name="bounded", daemon=True).start()
    return done.result(timeout=seconds)
