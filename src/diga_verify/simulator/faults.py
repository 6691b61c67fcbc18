"""Injected faults: which requests they hit, and the names of all that may come in place of the true answer."""

from __future__ import annotations

import threading
from collections import Counter

from diga_verify.simulator.altered import ALTERED
from diga_verify.simulator.refused import REFUSED
from diga_verify.simulator.scene import Fault, Scene, Spoiler
from diga_verify.simulator.spoilt import SPOILT
from diga_verify.simulator.wire import Answer

ANSWERS: dict[str, Spoiler] = REFUSED | SPOILT | ALTERED
"""What a fault's `answer` may be."""


class FaultDesk:
    """Hands out the first fault that matches a request, and remembers how often each one was used."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = faults
        self._used: Counter[int] = Counter()
        self._lock = threading.Lock()

    def pick(self, host: str, path: str, method: str, page: int) -> Fault | None:
        """The fault that decides about this request, which counts as one use of it."""
        with self._lock:
            for at, fault in enumerate(self._faults):
                if fault.times is not None and self._used[at] >= fault.times:
                    continue
                if fault.matches(host, path, method, page):
                    self._used[at] += 1
                    return fault
        return None


def spoil(fault: Fault, scene: Scene) -> Answer:
    """The answer that the fault gives in place of the true one."""
    return ANSWERS[fault.answer](fault, scene)
