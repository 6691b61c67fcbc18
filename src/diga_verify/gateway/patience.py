"""How long we wait, and how often we ask again. Time itself is a parameter, so that tests need not wait."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from diga_verify.errors import ReadError
from diga_verify.model import Reason

PASSING = frozenset({Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.CONNECTION_FAILED, Reason.TIMEOUT})
"""Reasons that may be gone at the next try."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Budgets in seconds: for the whole run, for all calls of a type, for a call with all its attempts, for the next
    bytes, for a connection; and for a token, with all that comes before it."""

    run: float = 180.0
    type: float = 120.0
    call: float = 45.0
    read: float = 10.0
    connect: float = 5.0
    token: float = 10.0
    attempts: int = 4
    backoff_first: float = 0.5
    backoff_most: float = 8.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float, float], float] = random.uniform

    def deadline(self, run_deadline: float) -> float:
        """When a call that starts now must be over."""
        return min(run_deadline, self.clock() + self.call)

    def wait(self, attempt: int, error: ReadError, asked: float | None, deadline: float) -> bool:
        """Sleep before the next attempt. False, without sleeping, when another attempt is not worth it."""
        if error.reason not in PASSING or attempt >= self.attempts:
            return False
        ceiling = min(self.backoff_most, self.backoff_first * 2**attempt)
        delay = asked if asked is not None else self.jitter(self.backoff_first, ceiling)
        if self.clock() + delay >= deadline:
            return False
        self.sleep(delay)
        return True
