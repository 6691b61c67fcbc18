"""`--watch`: the gate again and again, until a repair has taken effect (docs/on-call.md).

Each look is a whole run, with its own deadline and the policy as it is by then. What it found is said on stderr; what
becomes of the last one is up to the gate, as if there had been no other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diga_verify.cli import screen
from diga_verify.errors import Interrupted, UsageError
from diga_verify.model import Reason, Verdict
from diga_verify.moment import today

if TYPE_CHECKING:
    from rich.console import RenderableType

    from diga_verify.report import Report
    from diga_verify.verify import Run

_EVERY, _LEAST, _LONGEST = 30.0, 10.0, 3600.0
"""Seconds between two looks, at least, and for how long. A look costs the quota that any other run costs."""
_SHOWN = 10
"""So many findings at most are told of one look; the report has all of them."""
_COLUMNS = 14

Watch = Annotated[bool, typer.Option("--watch", help="Look again and again, until everything is compliant.")]
Every = Annotated[
    float | None,
    typer.Option("--watch-every", metavar="SECONDS", min=_LEAST, help="Between two looks.", show_default=f"{_EVERY:g}"),
]
Longest = Annotated[
    float | None,
    typer.Option("--watch-for", metavar="SECONDS", min=1.0, help="Then stop looking.", show_default=f"{_LONGEST:g}"),
]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and for all of them. Time itself is a parameter, so that tests need not wait."""

    every: float = _EVERY
    longest: float = _LONGEST
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = datetime.now


@dataclass(frozen=True, slots=True)
class Watched:
    """The last look: what was asked, and what was found. `signal` ended the watch while nobody looked."""

    run: Run
    report: Report
    signal: int | None = None

    def exit_code(self, code: int) -> int:
        """Of the process, whose last look came to `code`."""
        return code if self.signal is None else 128 + self.signal


def ordered(wanted: bool, every: float | None, longest: float | None, policy: Path) -> Pace | None:
    """What the options ask for; None for a single run. Raises UsageError."""
    given = {"--watch-every": every, "--watch-for": longest}
    for option, seconds in given.items():
        if seconds is not None and not wanted:
            raise UsageError(f"{option} says how --watch looks: add --watch, or leave it out")
        if seconds is not None and not math.isfinite(seconds):
            raise UsageError(f"{option} {seconds} is no number of seconds")
    if not wanted:
        return None
    if policy.exists() and not policy.is_file():
        raise UsageError(f"--watch reads the policy anew for every look, and {policy} can be read once: name a file")
    return Pace(_EVERY if every is None else every, _LONGEST if longest is None else longest)


def watched(run: Run, look: Callable[[Run], Report], pace: Pace | None) -> Watched:
    """Look once; with a pace, until everything is compliant, the time is up, or a signal ends it.

    What could not be read is no reason to stop. Raises UsageError and PolicyError when the policy, read anew, is of no
    use any more.
    """
    if pace is None:
        return Watched(run, look(run))
    last: Watched | None = None
    number, started = 0, pace.clock()
    try:
        while True:
            before, last, number = last, Watched(run, look(run)), number + 1
            end = _end(last.report, pace.clock() - started, pace)
            screen.note(*_told(number, before.report if before else None, last.report, pace, end))
            if end is not None:
                return last
            pace.wait(pace.every)
            run = _with_policy_of_now(run)
    except Interrupted as error:
        if last is None:
            raise
        screen.note("diga-verify: stopped watching; what the last look found is the result")
        return replace(last, signal=error.signal)


def _with_policy_of_now(run: Run) -> Run:
    from diga_verify.policy import load_policy

    policy = load_policy(Path(run.policy.path), today=today(), known_types=run.policy.types)
    return replace(run, policy=policy)


def _end(report: Report, spent: float, pace: Pace) -> str | None:
    """Why there is no further look, in words; None if there is one. An environment in which nothing is enforced ends
    every run with 0: here it takes a verdict."""
    if report.interrupted_by is not None:
        return "interrupted"
    if report.exit_code == 0 and report.verdict is Verdict.COMPLIANT:
        return f"done after {_long(spent)}"
    return f"given up after {_long(spent)}, see --watch-for" if spent + pace.every > pace.longest else None


def _told(number: int, before: Report | None, found: Report, pace: Pace, end: str | None) -> list[str]:
    """One look, as lines for a terminal or a log: where things stand, and what is new since the one before."""
    from diga_verify.drift import drift
    from diga_verify.formats.drift_table import findings
    from diga_verify.formats.drift_words import how_many
    from diga_verify.formats.printed import printed, words

    now = pace.now()
    then = f"next look {now + timedelta(seconds=pace.every):%H:%M:%S}" if end is None else end
    changes = None if before is None else drift(before, found)
    moved = "" if changes is None else f"{how_many(changes)}; "
    head = words(f"{now:%H:%M:%S}  look {number}: {moved}{_standing(found)}; {then}")
    new = _open(found) if changes is None else chain.from_iterable(islice(findings(changes), _SHOWN))
    text = printed([head, *new], screen.page(screen.Color.NEVER))
    return text.rstrip("\n").split("\n")


def _standing(report: Report) -> str:
    from diga_verify.formats.printed import many

    summary = report.summary
    counts = [
        *([many(summary.violations, "violation")] if summary.violations else []),
        *([f"{summary.missing} missing"] if summary.missing else []),
        *([f"{lacking} not verified"] if (lacking := summary.unverified + summary.unread) else []),
    ]
    found = ", ".join(counts)
    return f"{report.verdict} ({found})" if found else str(report.verdict)


def _open(report: Report) -> Iterator[RenderableType]:
    """What must be repaired, and what to expect of the repair."""
    from diga_verify.formats.advice import expectation, remedy
    from diga_verify.formats.printed import line, words

    judgement = report.judgement
    found = [("VIOLATION", f"{one.resource.type}  {one.resource.name}") for one in report.of(Verdict.VIOLATION)]
    found += [("MISSING", f"{one.type}  {one.name}") for one in judgement.missing]
    found += [("NOT VERIFIED", f"{one.resource.type}  {one.resource.name}") for one in report.of(Verdict.UNVERIFIED)]
    reasons: dict[Reason, list[str]] = {}
    for unread in judgement.unread:
        reasons.setdefault(unread.reason, []).append(unread.type)
    for reason, types in reasons.items():
        found.append(("NOT VERIFIED", f"{', '.join(dict.fromkeys(types))}: {reason}; {remedy(reason)}"))
    yield from (line(what, text, _COLUMNS) for what, text in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield line("", f"and {len(found) - _SHOWN} more", _COLUMNS)
    if found:
        yield from (line("expect", text, _COLUMNS) for text in map(expectation, [*reasons, None]) if text)
        yield words("")


def _long(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
