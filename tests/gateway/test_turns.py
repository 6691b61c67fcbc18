"""Turns: who comes next begins when the one before waits for the network, or is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context

import pytest

from diga_verify.gateway import turns
from diga_verify.gateway.turns import Turn, pass_on


@pytest.fixture
def start() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> threading.Thread:
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(60)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_AT_MOST", 60.0)


def test_each_begins_when_the_one_before_has_passed_on(
    start: Callable[[Callable[[], None]], threading.Thread],
) -> None:
    first = Turn()
    second = Turn(first)
    story: list[str] = []
    asked, answered = threading.Event(), threading.Event()

    def early() -> None:
        with first.taken():
            story.append("first loads")
            pass_on()
            asked.set()
            assert answered.wait(60)
            story.append("first is answered")

    def late() -> None:
        with second.taken():
            story.append("second loads")
            answered.set()

    start(late)
    start(early).join(60)
    assert asked.is_set()
    assert story == ["first loads", "second loads", "first is answered"]


@pytest.mark.parametrize("error", [None, KeyError])
def test_a_turn_that_asks_nothing_is_over_with_its_end(error: type[Exception] | None) -> None:
    first = Turn()
    if error is None:
        with first.taken():
            pass
    else:
        with pytest.raises(error), first.taken():
            raise error
    with Turn(first).taken():
        pass


def test_a_helper_passes_on_for_whom_it_helps() -> None:
    first = Turn()
    with first.taken():
        helper = threading.Thread(target=copy_context().run, args=(pass_on,))
        helper.start()
        helper.join(60)
        with Turn(first).taken():
            pass


def test_who_has_no_turn_passes_nothing_on() -> None:
    pass_on()
    first = Turn()
    with first.taken():
        stranger = threading.Thread(target=pass_on)
        stranger.start()
        stranger.join(60)
        assert not first._over.is_set()
    pass_on()


def test_a_turn_that_does_not_end_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_AT_MOST", 0.01)
    with Turn().taken(), Turn(Turn()).taken():
        pass
