"""How long we wait, told by a clock of our own."""

from __future__ import annotations

import pytest

from diga_verify.errors import ReadError
from diga_verify.gateway.patience import Patience
from diga_verify.model import Reason

BUSY = ReadError(Reason.SERVER_ERROR, "try again")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def patience(time: Time) -> Patience:
    return Patience(clock=lambda: time.now, sleep=time.sleep, jitter=lambda _, most: most)


def test_a_call_ends_with_its_budget_or_with_the_run(patience: Patience) -> None:
    assert patience.deadline(1000.0) == 145.0
    assert patience.deadline(120.0) == 120.0


def test_the_wait_grows_and_ends(patience: Patience, time: Time) -> None:
    assert [patience.wait(attempt, BUSY, None, 1000.0) for attempt in (1, 2, 3, 4)] == [True, True, True, False]
    assert time.slept == [1.0, 2.0, 4.0]


def test_the_wait_has_a_ceiling(time: Time) -> None:
    patience = Patience(
        attempts=20, backoff_most=8.0, clock=lambda: time.now, sleep=time.sleep, jitter=lambda _, most: most
    )
    assert patience.wait(10, BUSY, None, 1000.0)
    assert time.slept == [8.0]


def test_the_server_may_say_how_long(patience: Patience, time: Time) -> None:
    assert patience.wait(1, BUSY, 20.0, 1000.0)
    assert time.slept == [20.0]


def test_no_wait_beyond_the_deadline(patience: Patience, time: Time) -> None:
    assert not patience.wait(1, BUSY, 20.0, 119.0)
    assert not patience.wait(1, BUSY, None, 100.5)
    assert time.slept == []


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.CONNECTION_FAILED, Reason.TIMEOUT])
def test_what_may_pass_is_asked_again(patience: Patience, time: Time, reason: Reason) -> None:
    assert patience.wait(1, ReadError(reason, "busy"), 2.0, 1000.0)
    assert time.slept == [2.0]


def test_a_wait_that_ends_with_the_deadline_is_not_worth_it(patience: Patience) -> None:
    assert not patience.wait(1, BUSY, 20.0, 120.0)
    assert patience.wait(1, BUSY, 20.0, 120.5)


def test_a_server_that_does_not_want_us_to_wait(patience: Patience, time: Time) -> None:
    assert patience.wait(1, BUSY, 0.0, 1000.0)
    assert time.slept == [0.0]


def test_the_wait_varies_from_its_first_step_up_to_its_ceiling(time: Time) -> None:
    between: list[tuple[float, float]] = []

    def jitter(least: float, most: float) -> float:
        between.append((least, most))
        return least

    patience = Patience(clock=lambda: time.now, sleep=time.sleep, jitter=jitter)
    assert all(patience.wait(attempt, BUSY, None, 1000.0) for attempt in (1, 2, 3))
    assert between == [(0.5, 1.0), (0.5, 2.0), (0.5, 4.0)]
    assert time.slept == [0.5, 0.5, 0.5]


def test_how_patient_a_run_is() -> None:
    usual = Patience()
    assert (usual.run, usual.type, usual.call, usual.read, usual.connect) == (180.0, 120.0, 45.0, 10.0, 5.0)
    assert usual.token == 10.0
    assert (usual.attempts, usual.backoff_first, usual.backoff_most) == (4, 0.5, 8.0)


@pytest.mark.parametrize(
    "reason", [Reason.PERMISSION_DENIED, Reason.API_DISABLED, Reason.MALFORMED_ANSWER, Reason.REDIRECTED]
)
def test_what_stays_is_not_asked_again(patience: Patience, time: Time, reason: Reason) -> None:
    assert not patience.wait(1, ReadError(reason, "no"), None, 1000.0)
    assert time.slept == []
