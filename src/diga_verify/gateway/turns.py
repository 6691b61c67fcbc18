"""One after the other until each waits for the network: loading a library is work for the processor, and threads that
load theirs in turns ask their first questions earlier than threads that all do so at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_AT_MOST = 5.0
"""Seconds that one turn is waited for: turns save time, and nothing depends on them."""
_mine: ContextVar[Turn] = ContextVar("turn")


class Turn:
    """That of one task, which begins when those before it are over."""

    def __init__(self, before: Turn | None = None) -> None:
        self._before = before
        self._over = threading.Event()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn. It is over when what is done inside asks its first question, or ends."""
        if self._before is not None:
            self._before._over.wait(_AT_MOST)
            self._before = None
        token = _mine.set(self)
        try:
            yield
        finally:
            self.end()
            _mine.reset(token)

    def end(self) -> None:
        """It is the next one's turn."""
        self._over.set()


def pass_on() -> None:
    """What this thread does now is waiting: if it has a turn, it is the next one's."""
    turn = _mine.get(None)
    if turn is not None:
        turn.end()
