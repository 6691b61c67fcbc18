"""Waiting ends when it is meant to."""

from __future__ import annotations

import threading

import pytest

from diga_verify.gateway.bounded import within


def test_what_work_returns() -> None:
    assert within(60, lambda: "done") == "done"


def test_what_work_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_work_that_does_not_end() -> None:
    ends = threading.Event()
    others = set(threading.enumerate())
    with pytest.raises(TimeoutError):
        within(0.01, ends.wait)
    left = [thread for thread in threading.enumerate() if thread.name == "bounded" and thread not in others]
    assert left
    assert all(thread.daemon for thread in left)
    ends.set()
    for thread in left:
        thread.join()
