"""Sending: each channel within its time, none of them able to stop another, and no secret in what is said."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from diga_verify.formats.page import plain
from diga_verify.gateway.bounded import within
from diga_verify.notify import apprise, email, slack, sms
from diga_verify.notify.messages import Message
from diga_verify.notify.result import NotifyResult, Outcome
from diga_verify.notify.secret import ChannelError
from diga_verify.policy.notify import Channel, Email, Notify, Slack, Sms
from diga_verify.redact import redact

CHANNEL_SECONDS = 10.0
_TALKATIVE = ("apprise", "requests", "urllib3")
"""Libraries whose logs may hold URLs."""


def send(
    notify: Notify,
    messages: Mapping[str, Message],
    now: datetime,
    *,
    seconds: float = CHANNEL_SECONDS,
) -> NotifyResult:
    """Send each channel its message, all at once, each within `seconds`."""
    due = [one for one in notify.channels() if one[1] in messages]

    def told(one: tuple[str, str, Channel]) -> Outcome:
        kind, name, channel = one
        return Outcome(kind, name, _problem(channel, messages[name], now, seconds))

    with _hushed(), ThreadPoolExecutor(max(1, len(due)), thread_name_prefix="channel") as pool:
        return NotifyResult(tuple(pool.map(told, due)))


def _problem(channel: Channel, message: Message, now: datetime, seconds: float) -> str | None:
    """Why the channel did not take the message; None where it did."""
    try:
        within(seconds, lambda: _deliver(channel, message, now))
    except ChannelError as error:
        return plain(redact(str(error)))
    except TimeoutError:
        return f"it was not done within {seconds:.0f} s"
    except Exception as error:  # noqa: BLE001 - no channel changes a verdict; what the error says may hold a secret
        return f"it failed unexpectedly ({type(error).__name__})"
    return None


def _deliver(channel: Channel, message: Message, now: datetime) -> None:
    if isinstance(channel, Slack):
        slack.send(channel, message)
    elif isinstance(channel, Email):
        email.send(channel, message, now)
    elif isinstance(channel, Sms):
        sms.send(channel, message)
    else:
        apprise.send(channel, message)


@contextmanager
def _hushed() -> Iterator[None]:
    """While inside, libraries log nothing, and warn of nothing."""
    silence = logging.NullHandler()
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [one.propagate for one in loggers]
    for one in loggers:
        one.addHandler(silence)
        one.propagate = False
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for one, propagated in zip(loggers, before, strict=True):
            one.propagate = propagated
            one.removeHandler(silence)
