"""Injected faults: how a world file writes them, which requests they hit, and what may come
in place of the true answer."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import fields
from typing import Any

from diga_verify.simulator.altered import ALTERED
from diga_verify.simulator.errors import Json
from diga_verify.simulator.refused import REFUSED
from diga_verify.simulator.scene import Fault, Scene, Spoiler
from diga_verify.simulator.shape import Shape
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


def read_fault(shape: Shape, value: Any, where: str, hosts: tuple[str, ...]) -> Fault:
    """One entry of `[[faults]]`. Raises WorldError for what strikes nothing, or could not strike so."""
    entry = shape.table(value, where, tuple(field.name for field in fields(Fault)))
    for key in ("service", "answer"):
        if key not in entry:
            raise shape.wrong(f"{where}.{key}", "is missing")
    for key in ("service", "answer", "path", "method", "reason"):
        shape.text(entry.get(key, ""), f"{where}.{key}")
    shape.one_of(entry["service"], f"{where}.service", hosts)
    shape.one_of(entry["answer"], f"{where}.answer", tuple(ANSWERS))
    shape.one_of(entry.get("method", "GET"), f"{where}.method", ("GET", "POST"))
    for key in ("page", "times", "retry_delay"):
        shape.positive(entry.get(key, 1), f"{where}.{key}")
    _check_status(shape, entry, f"{where}.status")
    _check_reason(shape, entry, f"{where}.reason")
    try:
        re.compile(entry.get("path", ""))
    except re.error as error:
        raise shape.wrong(f"{where}.path", f"is no regular expression: {error}") from error
    return Fault(**entry)


def _check_status(shape: Shape, entry: Json, where: str) -> None:
    """Only `http_status` may have any status there is; 200 is no fault, and 1xx no answer."""
    if entry["answer"] == "http_status":
        if "status" not in entry:
            raise shape.wrong(where, "is missing: the answer 'http_status' needs one")
        if type(entry["status"]) is not int or not 201 <= entry["status"] <= 599:
            raise shape.wrong(where, f"must be a whole number from 201 to 599, not {entry['status']!r}")
    elif entry.get("status", 503) not in (500, 502, 503, 504):
        raise shape.wrong(where, f"must be 500, 502, 503 or 504, not {entry['status']!r}")


def _check_reason(shape: Shape, entry: Json, where: str) -> None:
    """Only `forbidden_reason` has one, and it has to have one."""
    if entry["answer"] != "forbidden_reason":
        if "reason" in entry:
            raise shape.wrong(where, f"means nothing to the answer {entry['answer']!r}")
    elif "reason" not in entry:
        raise shape.wrong(where, "is missing: the answer 'forbidden_reason' needs one")
    elif not re.fullmatch(r"[A-Z][A-Z0-9_]*", entry["reason"]):
        raise shape.wrong(where, f"must be a word such as CONSUMER_SUSPENDED, not {entry['reason']!r}")
