"""Telling people, with everything that it takes: see cli/notify.py for when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from diga_verify.cli import screen
from diga_verify.errors import OutputError, UsageError
from diga_verify.notify.link import report_link
from diga_verify.notify.messages import Message, message, trial
from diga_verify.notify.result import STATE, NotifyResult, Outcome
from diga_verify.notify.routing import Plan, after, plan, settled
from diga_verify.notify.secret import ChannelError
from diga_verify.notify.send import send
from diga_verify.notify.state import State, Subject, load, save
from diga_verify.policy.notify import Notify
from diga_verify.report import Report

FAILED = 4


def announced(report: Report, notify: Notify, path: Path | None, earlier: Report | None) -> NotifyResult:
    """Tell everybody who is to be told of a run, and remember it."""
    now = datetime.now(UTC)
    before, kept, subject = _remembered(path, _subject(report))
    by_baseline = path is None and earlier is not None and _subject(earlier).is_same(subject)
    if earlier is not None and by_baseline:
        before = after(earlier, notify)
    planned = plan(report, notify, before, now)
    result = send(notify, _messages(report, notify, planned, now), now)
    for one in result.failed:
        screen.note(f"warning: notify: {one.kind} {one.channel} was not told: {one.problem}")
    if path is None:
        _warn_of_no_state(notify, lost=by_baseline and bool(result.failed))
    elif kept is None or not _saved(kept, settled(planned, result.sent, now), subject, now):
        return NotifyResult((*result.outcomes, Outcome(STATE, str(path), "it could not be used")))
    return result


def _saved(path: Path, state: State, subject: Subject, now: datetime) -> bool:
    try:
        save(path, state, subject, now)
    except OutputError:
        screen.note(f"warning: notify: {path} could not be written: the next run tells everything again")
        return False
    return True


def _warn_of_no_state(notify: Notify, *, lost: bool) -> None:
    if any(route.after_hours for route in notify.routes):
        screen.note("warning: notify: nothing escalates without --notify-state")
    if lost:
        screen.note(
            "warning: notify: what was not told is lost without --notify-state: "
            "the next run takes its baseline for told"
        )


def _remembered(path: Path | None, subject: Subject) -> tuple[State, Path | None, Subject]:
    """What the state file says, the file if it may be written, and whom it is about."""
    if path is None:
        return State(), None, subject
    try:
        state, known = load(path, subject)
    except UsageError as error:
        screen.note(f"warning: notify: {error}; everything is told as new")
        return State(), None, subject
    return state, path, known


def _subject(report: Report) -> Subject:
    return Subject(report.project, report.environment, report.simulated)


def _messages(report: Report, notify: Notify, planned: Plan, now: datetime) -> dict[str, Message]:
    link = None
    try:
        link = report_link(notify, report.environment, report.project.id)
    except ChannelError as error:
        screen.note(f"warning: notify: {error}")
    return {name: message(report, notices, link, now) for name, notices in planned.notices.items()}


def tested(notify: Notify, environment: str | None) -> int:
    """Send every channel a harmless message, and say what became of it; the exit code. Raises UsageError."""
    names = _named(notify, environment)
    if not names:
        raise UsageError(f"no channel is told of {environment}: there is nothing to test")
    result = send(notify, dict.fromkeys(names, trial(environment)), datetime.now(UTC))
    for one in result.outcomes:
        screen.tell(f"{'ok' if one.problem is None else 'FAILED':8s}{one.kind:9s}{one.channel}{_because(one.problem)}")
    return FAILED if result.failed else 0


def _because(problem: str | None) -> str:
    return "" if problem is None else f": {problem}"


def _named(notify: Notify, environment: str | None) -> list[str]:
    return [name for _, name, _ in notify.channels() if environment is None or notify.routes_of(name, environment)]


def routes(notify: Notify, environment: str | None) -> Iterator[str]:
    """Who is told of what, as lines."""
    for kind, name, _ in notify.channels():
        for route in notify.routes:
            if name in route.to and (environment is None or environment in (route.environments or [environment])):
                when = f"after {route.after_hours} h" if route.after_hours else "at once"
                where = ", ".join(route.environments or ["every environment"])
                yield f"{kind:9s}{name}: {', '.join(route.when)} in {where}, {when}"
    yield f"what stays is told again after {notify.repeat_hours} h; --test sends every channel a harmless message"


def rehearse(report: Report, notify: Notify, path: Path | None) -> None:
    """Say what would be sent, and send nothing."""
    now = datetime.now(UTC)
    before, _, _ = _remembered(path, _subject(report))
    messages = _messages(report, notify, plan(report, notify, before, now), now)
    if not messages:
        screen.tell("Nobody would be told anything.")
    for kind, name, _ in notify.channels():
        if name in messages:
            screen.tell(f"To {kind} {name}:", *(f"  {line}" for line in messages[name].text.splitlines()), "")
