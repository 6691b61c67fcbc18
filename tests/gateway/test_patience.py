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


@pytest.mark.parametrize(
    "reason", [Reason.PERMISSION_DENIED, Reason.API_DISABLED, Reason.MALFORMED_ANSWER, Reason.REDIRECTED]
)
def test_what_stays_is_not_asked_again(patience: Patience, time: Time, reason: Reason) -> None:
    assert not patience.wait(1, ReadError(reason, "no"), None, 1000.0)
    assert time.slept == []
