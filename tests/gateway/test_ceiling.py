"""The ceilings of a service: so many calls at once, so many in a time, fewer when it says that this is too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import ReadError
from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT, OTHER, RATES, Ceiling, Pace, Rate
from diga_verify.model import Reason

FAST = Rate(1000, 1.0)
FOREVER = 1e9


def run(pace: Pace, now: float, *, refused: bool = False, asked: float | None = None) -> None:
    """One call that takes no time."""
    assert pace.wait(now) == 0.0
    pace.begin()
    pace.end(now, now, refused=refused, asked=asked)


# --- so many at once


def test_no_more_at_once_than_the_ceiling() -> None:
    pace = Pace(FAST, 2, 0.0)
    for _ in range(2):
        assert pace.wait(0.0) == 0.0
        pace.begin()
    assert pace.wait(0.0) is None
    pace.end(0.0, 0.0)
    assert pace.wait(0.0) == 0.0


# --- so many in a time


def test_a_minute_s_calls_may_come_at_once_and_then_as_they_are_earned() -> None:
    pace = Pace(Rate(300, 60.0), 64, 0.0)
    for _ in range(300):
        run(pace, 0.0)
    assert pace.wait(0.0) == pytest.approx(0.2)
    assert pace.wait(0.1) == pytest.approx(0.1)
    run(pace, 0.2)
    assert pace.wait(0.2) == pytest.approx(0.2)


def test_what_is_not_used_is_not_saved_up() -> None:
    pace = Pace(Rate(2, 1.0), 64, 0.0)
    for _ in range(2):
        run(pace, 1000.0)
    assert pace.wait(1000.0) == pytest.approx(0.5)


# --- less of both when the service has had enough


def test_a_refusal_halves_both_ceilings() -> None:
    pace = Pace(Rate(300, 60.0), 64, 0.0)
    assert (pace.at_once, pace.per_second) == (64, 5.0)
    run(pace, 0.0, refused=True)
    assert (pace.at_once, pace.per_second) == (32, 2.5)
    run(pace, 1.0, refused=True)
    assert (pace.at_once, pace.per_second) == (16, 1.25)


def test_calls_that_were_under_way_already_lower_the_ceiling_once() -> None:
    pace = Pace(FAST, 64, 0.0)
    for _ in range(64):
        pace.begin()
    for late in range(64):
        pace.end(1.0 + late / 100, 0.0, refused=True)
    assert pace.at_once == 32


def test_one_call_is_always_left() -> None:
    pace = Pace(Rate(60, 60.0), 4, 0.0)
    for now in range(0, 10_000, 100):
        run(pace, float(now), refused=True)
    assert pace.at_once == 1
    assert pace.per_second == 0.25


def test_a_service_that_grants_little_is_not_lost() -> None:
    pace = Pace(Rate(2, 1.0), 64, 0.0)
    for now in range(0, 1000, 100):
        run(pace, float(now), refused=True)
    assert pace.wait(1000.0) == 0.0


def test_calls_that_go_well_raise_it_again_one_by_one() -> None:
    pace = Pace(Rate(10_000, 1.0), 64, 0.0)
    run(pace, 0.0, refused=True)
    grown = []
    for _ in range(33):
        run(pace, 1.0)
        grown.append(pace.at_once)
    assert grown[0] == 32
    assert grown[-1] == 33
    for _ in range(64 * 64):
        run(pace, 2.0)
    assert pace.at_once == 64
    assert pace.per_second == 10_000.0


def test_a_refusal_takes_half_of_what_was_earned() -> None:
    pace = Pace(Rate(100, 100.0), 64, 0.0)
    run(pace, 0.0, refused=True)
    for _ in range(49):
        run(pace, 0.0)
    assert pace.wait(0.0) != 0.0


def test_a_pause_that_the_service_asks_for_is_everybody_s() -> None:
    pace = Pace(FAST, 64, 0.0)
    pace.begin()
    pace.begin()
    pace.end(1.0, 0.0, refused=True, asked=30.0)
    assert pace.wait(1.0) == 30.0
    pace.end(2.0, 0.0, refused=True, asked=5.0)
    assert pace.wait(2.0) == 29.0
    assert pace.wait(31.0) == 0.0


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans(), st.none() | st.floats(0.0, 20.0)), max_size=60),
)
def test_whatever_happens_it_goes_on_and_stays_below_the_ceilings(
    most: int, story: list[tuple[float, bool, float | None]]
) -> None:
    pace, now = Pace(Rate(10, 10.0), most, 0.0), 0.0
    begun: list[float] = []
    for passed, refused, asked in story:
        now += passed
        for _ in range(5):  # a pause, the rate, and what rounding leaves
            wait = pace.wait(now)
            assert wait is not None
            now += wait
        assert wait == 0.0
        pace.begin()
        begun.append(now)
        pace.end(now, now, refused=refused, asked=asked)
        assert 1 <= pace.at_once <= most
        assert sum(now - 10.0 < one for one in begun) <= 20 + 1


# --- for threads


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []
    yield started
    for thread in started:
        thread.join(60)


def test_a_full_service_holds_no_other_up(clock: Clock) -> None:
    ceiling = Ceiling(1, clock)
    with ceiling.place("a", FOREVER), ceiling.place("b", FOREVER) as place:
        assert place.waited == 0.0


def test_who_waits_is_let_in_when_a_call_ends(clock: Clock, threads: list[threading.Thread]) -> None:
    ceiling = Ceiling(2, clock)
    seen: list[int] = []
    lock, under_way = threading.Lock(), [0]

    def ask() -> None:
        with ceiling.place("a", FOREVER):
            with lock:
                under_way[0] += 1
                seen.append(under_way[0])
            with lock:
                under_way[0] -= 1

    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(ceiling.place("a", FOREVER))
        threads += [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        assert seen == []
    for thread in threads:
        thread.join(60)
    assert len(seen) == 20
    assert max(seen) <= 2


def test_a_place_is_free_again_whatever_happened_there(clock: Clock) -> None:
    ceiling = Ceiling(1, clock)
    with pytest.raises(KeyError), ceiling.place("a", FOREVER):
        raise KeyError
    with ceiling.place("a", FOREVER):
        pass


def test_no_place_before_the_time_is_up(clock: Clock) -> None:
    ceiling = Ceiling(1, clock)
    with ceiling.place("a", FOREVER), pytest.raises(ReadError) as late, ceiling.place("a", clock.now):
        pass
    assert late.value.reason is Reason.TIMEOUT


def test_a_pause_longer_than_the_time_left_is_not_waited_for(clock: Clock) -> None:
    ceiling = Ceiling(8, clock)
    with ceiling.place("a", FOREVER) as place:
        place.refused(40.0)
    with pytest.raises(ReadError) as caught, ceiling.place("a", clock.now + 39.0):
        pass
    assert (caught.value.reason, caught.value.detail) == (
        Reason.RATE_LIMITED,
        "a may be asked again in 40 s, and there are 39 s left",
    )
    clock.now += 40.0
    with ceiling.place("a", clock.now + 1.0) as place:
        assert place.waited == 0.0


def test_who_gives_up_wakes_the_next(clock: Clock, threads: list[threading.Thread]) -> None:
    """A place that is freed is offered to one of those who wait. If that one has no time left, it is another's."""
    ceiling = Ceiling(1, clock)
    came: list[str] = []

    def ask(until: float) -> None:
        try:
            with ceiling.place("a", until):
                came.append("in")
        except ReadError:
            came.append("late")

    with ceiling.place("a", FOREVER):
        threads += [threading.Thread(target=ask, args=(until,)) for until in (150.0, 150.0, FOREVER, FOREVER)]
        for thread in threads:
            thread.start()
        clock.now = 200.0
    for thread in threads:
        thread.join(60)
    assert sorted(came) in (["in", "in", "late", "late"], ["in", "in", "in", "late"], ["in"] * 4)


# --- the numbers


def test_the_ceilings() -> None:
    assert CALLS_IN_FLIGHT == 64
    assert all(host.endswith(".googleapis.com") for host in RATES)
    assert {host.partition(".")[0]: (rate.calls, rate.seconds) for host, rate in RATES.items()} == {
        "bigquery": (100, 1.0),
        "cloudasset": (100, 60.0),
        "cloudkms": (300, 60.0),
        "container": (3000, 60.0),
        "redis": (3000, 60.0),
        "sqladmin": (180, 60.0),
    }
    assert (OTHER.calls, OTHER.seconds) == (600, 60.0)
