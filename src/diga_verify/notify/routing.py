"""Who is to be told of what, now. Pure: report, state and clock come in, and nothing is sent.

What is open is told to a channel once, again after `repeat_hours`, and to further channels when it has been open as
long as their route says. It is open until a run that read everything which could show it did not find it any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from diga_verify.formats.findings import Finding, Kind, findings
from diga_verify.gateway.listing import PROJECT
from diga_verify.model import Reason
from diga_verify.moment import moment
from diga_verify.notify.state import Need, Open, State
from diga_verify.policy.notify import Gravity, Notify
from diga_verify.report import Report
from diga_verify.second_witness import INVENTORY

_GRAVITIES = {
    Kind.OUTSIDE_LAW: Gravity.CRITICAL,
    Kind.OUTSIDE_POLICY: Gravity.HIGH,
    Kind.UNUSED_TYPE: Gravity.HIGH,
    Kind.MISSING: Gravity.MISSING,
    Kind.NOT_READ: Gravity.UNVERIFIED,
    Kind.NOT_PROVEN: Gravity.UNVERIFIED,
    Kind.IDLE_WAIVER: Gravity.UNVERIFIED,
    Kind.RUN: Gravity.UNVERIFIED,
}
"""Of what a report can hold. What is waived is told to nobody: somebody answers for it."""
_OF_NO_TYPE = frozenset({"policy", "run", PROJECT, INVENTORY})
"""What findings that are about no resource type have for one."""


class Why(StrEnum):
    """Why somebody is told of something."""

    NEW = "new"
    ESCALATED = "escalated"  # new to this channel only, which is told of what stays
    AGAIN = "still there"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a channel is to be told."""

    why: Why
    about: Open


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is to be told of what."""

    notices: dict[str, tuple[Notice, ...]]
    """By channel, those that are told nothing left out; the gravest first."""
    open: tuple[Open, ...]
    """What is open now."""
    gone: tuple[Open, ...]
    """What is not any more."""


def plan(report: Report, notify: Notify, before: State, now: datetime) -> Plan:
    """Who is to be told of what a run found, given what was open and told before."""
    found = {one.key: one for one in _found(report, now)}
    known = {one.key: one for one in before.open}
    sight = _Sight(report)
    current = [_continued(one, known.get(key), now) for key, one in found.items()]
    unseen = [one for key, one in known.items() if key not in found]
    gone = {one.key: one for one in unseen if sight.shows_absence(one)}
    current += [replace(one, seen=False) for one in unseen if one.key not in gone]
    notices = {
        name: (*_due(name, notify, report.environment, current, now), *_over(name, gone.values()))
        for _, name, _ in notify.channels()
    }
    return Plan({name: ours for name, ours in notices.items() if ours}, tuple(current), tuple(gone.values()))


def settled(planned: Plan, reached: Collection[str], now: datetime) -> State:
    """What to remember, when of all channels these were reached. Whoever was not is told by the next run."""
    told_of = {
        (name, notice.about.key)
        for name, notices in planned.notices.items()
        if name in reached
        for notice in notices
        if notice.why is not Why.RESOLVED
    }
    still = [
        replace(one, told={**one.told, **{name: now for name in reached if (name, one.key) in told_of}})
        for one in planned.open
    ]
    to_hear = set(planned.notices) - {*reached}
    unheard = [
        replace(one, gone=True, told={name: at for name, at in one.told.items() if name in to_hear})
        for one in planned.gone
    ]
    return State((*still, *(one for one in unheard if one.told)))


def after(report: Report, notify: Notify) -> State:
    """What would be remembered of an earlier run if all that was due at once was told at its end."""
    at = moment(report.finished_at)
    if at is None:
        return State()
    planned = plan(report, notify, State(), at)
    return settled(planned, tuple(planned.notices), at)


def key(gravity: Gravity, finding: Finding) -> str:
    """What stays the same of a finding from run to run: not why it could not be read, which changes with the weather,
    nor, if it is a backup, which of many it is."""
    _, *what, _ = finding.identity
    return hashlib.sha256("\0".join((gravity, *what)).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _found(report: Report, now: datetime) -> Iterator[Open]:
    needs = _asked(report)
    for one in findings(report):
        gravity = _GRAVITIES.get(one.kind)
        if gravity is not None:
            yield Open(key(gravity, one), gravity, one.type, one.name, one.title, one.step, now, needs)


def _asked(report: Report) -> frozenset[Need]:
    """What the run was asked for besides."""
    recovery = report.recovery
    asked = {
        Need.DEEP: report.deep,
        Need.AFTER_RESTORE: recovery is not None,
        Need.BASELINE: recovery is not None and recovery.since is not None,
    }
    return frozenset(need for need, wanted in asked.items() if wanted)


def _continued(one: Open, before: Open | None, now: datetime) -> Open:
    """What was found, with its past. One that was gone, and is there again, is new."""
    if before is None or before.gone:
        return one
    return replace(one, since=min(before.since, now), needs=before.needs & one.needs, told=before.told)


def _due(channel: str, notify: Notify, environment: str, current: Iterable[Open], now: datetime) -> Iterator[Notice]:
    routes = notify.routes_of(channel, environment)
    repeat = timedelta(hours=notify.repeat_hours)
    for one in sorted(current, key=lambda one: [*Gravity].index(one.gravity)):
        steps = [route.after_hours for route in routes if one.gravity in route.when]
        if one.gone or not any(now - one.since >= timedelta(hours=hours) for hours in steps):
            continue
        told = one.told.get(channel)
        if told is None:
            yield Notice(Why.ESCALATED if min(steps) else Why.NEW, one)
        elif told > now or now - told >= repeat:  # a clock that went wrong must silence nobody
            yield Notice(Why.AGAIN, one)


def _over(channel: str, gone: Iterable[Open]) -> Iterator[Notice]:
    return (Notice(Why.RESOLVED, one) for one in gone if channel in one.told)


class _Sight:
    """What a run saw well enough to say that something is not there."""

    def __init__(self, report: Report) -> None:
        unread = [one for one in report.judgement.unread if one.reason is not Reason.UNMATCHED_WAIVER]
        self._whole = report.whole and report.interrupted_by is None
        self._asked = _asked(report)
        self._types = {origin.type for origin in report.checkers}
        self._blind = {one.type for one in unread if one.resource is None}
        self._unclear = {one.resource for one in unread} | {
            one.name for one in findings(report) if one.kind in (Kind.NOT_READ, Kind.NOT_PROVEN)
        }
        self._complete = report.complete

    def shows_absence(self, one: Open) -> bool:
        """Whether it would have been found if it were still there."""
        if not self._whole or self._blind - self._types or not one.needs <= self._asked:
            return False
        if one.type in _OF_NO_TYPE:
            return self._complete
        return one.type in self._types and one.type not in self._blind and one.name not in self._unclear
