"""How many calls a service gets at once, and how fast: ceilings that hold for a whole run, lowered by a service that
says that it is too much, and raised again little by little.

Every service has ceilings of its own: one that is asked much, or that has had enough, holds no other up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from diga_verify.errors import ReadError
from diga_verify.model import Reason

CALLS_IN_FLIGHT = 64
"""At most so many calls of one service are under way at once: Cloud KMS, which is asked in each of its locations, has
some 60 of them."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds: all of them at once, or spread over the time."""

    calls: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds


RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "bigquery.googleapis.com": Rate(100, 1.0),
        "cloudasset.googleapis.com": Rate(100, 60.0),
        "cloudkms.googleapis.com": Rate(300, 60.0),
        "container.googleapis.com": Rate(3000, 60.0),
        "redis.googleapis.com": Rate(3000, 60.0),
        "sqladmin.googleapis.com": Rate(180, 60.0),
    }
)
"""What Google grants a project, or a user, that has not asked for more; docs/calls.md has the sources."""
OTHER = Rate(600, 60.0)
"""For a service of which no quota is documented."""
_ROUNDING = 1e-6
"""What a call may lack of its allowance: sums of small parts are not exact."""


class Pace:
    """How one service is asked. Time is a parameter, in seconds of any clock that only goes forward."""

    def __init__(self, rate: Rate, at_once: int, now: float) -> None:
        self.under_way = 0
        self._rate = rate
        self._at_once = at_once
        self._share = 1.0
        self._allowance = float(rate.calls)
        self._counted = now
        self._lowered = float("-inf")
        self._not_before = float("-inf")

    @property
    def at_once(self) -> int:
        """How many calls may be under way now."""
        return max(1, int(self._at_once * self._share))

    @property
    def per_second(self) -> float:
        """How many calls a second there may be in the long run, as things are."""
        return self._rate.per_second * self._share

    def wait(self, now: float) -> float | None:
        """0.0 if a call may begin; otherwise the seconds until it is worth asking again, or None if a call that is
        under way must end first."""
        self._count(now)
        if now < self._not_before:
            return self._not_before - now
        if self.under_way >= self.at_once:
            return None
        lacking = 1.0 - self._allowance
        return lacking / self.per_second if lacking > _ROUNDING else 0.0

    def begin(self) -> None:
        """A call begins."""
        self.under_way += 1
        self._allowance -= 1.0

    def end(self, now: float, began: float, *, refused: bool = False, asked: float | None = None) -> None:
        """A call that began at `began` is over. `refused`: the service said that it is asked too much, and may have
        `asked` for a pause of so many seconds."""
        self.under_way -= 1
        self._count(now)
        if not refused:
            self._share = min(1.0, self._share + 1.0 / (self._at_once * self.at_once))
            return
        self._not_before = max(self._not_before, now + (asked or 0.0))
        # Calls that had begun before the ceiling was lowered say nothing about the lower one.
        if began >= self._lowered:
            self._share = max(self._share / 2, 1.0 / self._at_once)
            self._allowance /= 2
            self._lowered = now

    def _count(self, now: float) -> None:
        earned = max(0.0, now - self._counted) * self.per_second
        self._allowance = min(max(1.0, self._rate.calls * self._share), self._allowance + earned)
        self._counted = now


class Place:
    """That of one attempt of a call below the ceilings of its service."""

    def __init__(self) -> None:
        self.waited = 0.0
        """Seconds until the attempt could begin."""
        self.was_refused = False
        self.asked: float | None = None

    def refused(self, asked: float | None) -> None:
        """The service answered that it is asked too much; `asked` are the seconds that it wants to be left alone."""
        self.was_refused, self.asked = True, asked


class Ceiling:
    """The ceilings of a run. Safe to use from many threads."""

    def __init__(self, at_once: int, clock: Callable[[], float]) -> None:
        self._at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._services: dict[str, tuple[Pace, threading.Condition]] = {}

    @contextmanager
    def place(self, service: str, until: float) -> Iterator[Place]:
        """Wait until the service may be asked. Raises ReadError when that is not before `until`."""
        pace, freed = self._service(service)
        place = Place()
        with freed:
            came = self._clock()
            try:
                while (seconds := pace.wait(self._clock())) != 0.0:
                    freed.wait(self._patience(service, seconds, until))
                pace.begin()
            finally:
                began = self._clock()
                _pass_on(pace, freed, began)
            place.waited = began - came
        try:
            yield place
        finally:
            with freed:
                pace.end(self._clock(), began, refused=place.was_refused, asked=place.asked)
                _pass_on(pace, freed, self._clock())

    def _service(self, service: str) -> tuple[Pace, threading.Condition]:
        with self._lock:
            if service not in self._services:
                pace = Pace(RATES.get(service, OTHER), self._at_once, self._clock())
                self._services[service] = (pace, threading.Condition())
            return self._services[service]

    def _patience(self, service: str, seconds: float | None, until: float) -> float:
        """How long to wait for a place that is free in `seconds`. Raises ReadError when that is in vain."""
        left = until - self._clock()
        if left <= 0.0:
            raise ReadError(Reason.TIMEOUT, "no time was left to ask")
        if seconds is not None and seconds >= left:
            detail = f"{service} may be asked again in {seconds:.0f} s, and there are {left:.0f} s left"
            raise ReadError(Reason.RATE_LIMITED, detail)
        return left if seconds is None else seconds


def _pass_on(pace: Pace, freed: threading.Condition, now: float) -> None:
    """Wake one of those who wait, which looks how long that still is, and wakes the next: of all at once, most would
    wake in vain. Nobody, where a call must end first: its end comes here too."""
    if pace.wait(now) is not None:
        freed.notify()
