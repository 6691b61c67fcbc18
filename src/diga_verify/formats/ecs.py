"""The report as events in Elastic Common Schema, for the audit log: one JSON object per line.

First the run, then every violation, everything missing, everything not read or not proven, every waiver in use, and
every change against the baseline. The same report makes the same lines: `diga_verify.run.id` is the SHA-256 of its JSON
form, which `-o report.json` writes, and `event.id` follows from that and from what the event is about.

ecs-logging makes objects of dotted names, and writes them in the order and with the names that its specification asks
for. What it would say of a log line besides (a logger, a process, a line of source) is left out.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecs_logging import StdlibFormatter

from diga_verify.changes import Change, Drift, Effect, Kind, State
from diga_verify.formats import ecs_fields as parts
from diga_verify.formats import json
from diga_verify.formats.ascii import harmless
from diga_verify.formats.drift_words import LABELS, read_from, said
from diga_verify.formats.findings import Finding, findings
from diga_verify.formats.findings import Kind as FindingKind
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import conclusion, counts
from diga_verify.model import Severity, Verdict
from diga_verify.moment import moment
from diga_verify.policy.rules import Waiver
from diga_verify.report import Report

ECS_VERSION = "8.11.0"
"""Of the schema whose fields are used. ecs-logging itself would say 1.6.0, which lacks some of them."""
INFO, MEDIUM, HIGH, CRITICAL = 1, 3, 4, 5
"""`event.severity`: the numbers that the OCSF format has for the same."""
_LEVELS = {INFO: logging.INFO, MEDIUM: logging.WARNING, HIGH: logging.ERROR, CRITICAL: logging.CRITICAL}
_GRAVITY = {Severity.CRITICAL: CRITICAL, Severity.HIGH: HIGH}
_OUTCOMES = {Verdict.COMPLIANT: "success", Verdict.VIOLATION: "failure"}
_ACTIONS = {
    FindingKind.OUTSIDE_LAW: "residency-violation",
    FindingKind.OUTSIDE_POLICY: "residency-violation",
    FindingKind.UNUSED_TYPE: "residency-violation",
    FindingKind.MISSING: "residency-missing",
    FindingKind.NOT_READ: "residency-unread",
    FindingKind.NOT_PROVEN: "residency-unread",
    FindingKind.IDLE_WAIVER: "residency-unread",
}
"""The other kinds are of the run, and of waivers, which have events of their own."""
_CHANGES = {
    Kind.MOVED: "change",
    Kind.APPEARED: "creation",
    Kind.VANISHED: "deletion",
    Kind.PLACEMENT_APPEARED: "creation",
    Kind.PLACEMENT_VANISHED: "deletion",
    Kind.ENFORCEMENT: "change",
    Kind.POLICY: "change",
}
"""What the schema calls a change. The others change what is known, and nothing in the project or the policy."""


@dataclass(frozen=True, slots=True)
class _Event:
    action: str
    severity: int
    message: str
    fields: Mapping[str, Any]
    identity: tuple[str, ...]
    """What tells it from the other events of its run."""


def lines(report: Report) -> str:
    """The events as ASCII JSON, one a line, each an object as ecs.schema.json has it."""
    return "".join(f"{harmless(_FORMATTER.format(record))}\n" for record in _records(report))


class _Formatter(StdlibFormatter):
    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        return {**super().format_to_ecs(record), "ecs.version": ECS_VERSION}


_OF_LOGS = ("log.logger", "log.origin", "log.original", "process", "error")
_FORMATTER = _Formatter(exclude_fields=_OF_LOGS)


def _records(report: Report) -> Iterator[logging.LogRecord]:
    run_id = _digest(report)
    at = moment(report.finished_at) or datetime.fromtimestamp(0, UTC)
    common = parts.common(report, run_id)
    found = [*_found(report)]
    taken: Counter[tuple[str, ...]] = Counter()
    for sequence, event in enumerate((_of_run(report, 1 + len(found)), *found)):
        taken[event.identity] += 1
        named = {
            "event.action": event.action,
            "event.severity": event.severity,
            "event.sequence": sequence,
            "event.id": parts.digest(run_id, *event.identity, str(taken[event.identity])),
        }
        simulated = "SIMULATED: " if report.simulated else ""
        record = logging.makeLogRecord({"msg": plain(f"{simulated}{event.message}"), **common, **event.fields, **named})
        record.created, record.msecs = at.timestamp(), at.microsecond // 1000
        record.levelno = _LEVELS[event.severity]
        record.levelname = logging.getLevelName(record.levelno)
        yield record


def _digest(report: Report) -> str:
    """Of the JSON report."""
    digest = hashlib.sha256()
    for piece in json.pieces(report, Page()):
        digest.update(piece.encode("ascii"))
    return digest.hexdigest()


def _found(report: Report) -> Iterator[_Event]:
    found = findings(report)
    yield from (_of_finding(one, report) for one in found if one.kind in _ACTIONS)
    covered: dict[Waiver, list[Finding]] = {}
    for one in found:
        if one.place and one.place.waiver:
            covered.setdefault(one.place.waiver, []).append(one)
    for waiver in report.judgement.waivers_used:
        yield _of_waiver(waiver, covered.get(waiver, ()), report)
    if report.drift is not None:
        yield from (_of_change(one, report.drift) for one in report.drift.changes)


def _of_run(report: Report, events: int) -> _Event:
    summary = report.summary
    fields = {
        "event.kind": "event",
        "event.type": ["info"],
        "event.outcome": _OUTCOMES.get(report.verdict, "unknown"),
        **parts.times(report),
        "rule.ruleset": plain(report.policy_path),
        "rule.version": plain(report.policy_sha256),
        "diga_verify.run.events": events,
        "diga_verify.run.enforcement": report.enforcement.value,
        "diga_verify.run.strict": report.strict,
        "diga_verify.run.deep": report.deep,
        "diga_verify.run.interrupted_by": report.interrupted_by,
        "diga_verify.run.selection": [] if report.whole else [plain(one) for one in report.selection],
        "diga_verify.run.network_variables": [plain(one) for one in report.network_variables],
        "diga_verify.run.calls": len(report.calls),
        "diga_verify.summary.resources": summary.resources,
        "diga_verify.summary.compliant": summary.compliant,
        "diga_verify.summary.violations": summary.violations,
        "diga_verify.summary.unverified": summary.unverified,
        "diga_verify.summary.waived": summary.waived,
        "diga_verify.summary.missing": summary.missing,
        "diga_verify.summary.unread": summary.unread,
        "diga_verify.summary.placements": report.placements,
        "diga_verify.evidence.sha256": plain(report.evidence.sha256) if report.evidence else None,
        **(parts.baseline(report.drift) if report.drift else {}),
    }
    ended = f"{report.project.id} {report.environment}: {report.verdict}, exit {report.exit_code}"
    severity = {Verdict.COMPLIANT: INFO, Verdict.UNVERIFIED: HIGH}.get(report.verdict, _worst(report))
    return _Event("residency-run", severity, f"{ended}; {conclusion(report)} {counts(report)}", fields, ("run",))


def _worst(report: Report) -> int:
    return max((_GRAVITY[one.severity] for one in report.judgement.resources if one.severity), default=HIGH)


def _of_finding(finding: Finding, report: Report) -> _Event:
    """A violation, something missing, or something that is not verified."""
    action = _ACTIONS[finding.kind]
    wrong, place, unread = action != "residency-unread", finding.place, finding.unread
    fields = {
        "event.kind": "alert" if wrong else "event",
        "event.type": ["info"],
        "event.outcome": "failure" if wrong else "unknown",
        "event.reason": finding.reason.value if finding.reason else finding.kind.value,
        **parts.rule(report, finding.line, f"{finding.type} {place.placement.role if place else 'expected'}"),
        **parts.finding(finding, report),
        **(parts.resource(finding.judged) if finding.judged else {"diga_verify.resource.type": plain(finding.type)}),
        **(parts.placement(place) if place else {}),
        "diga_verify.unread.scope": plain(unread.scope) if unread else None,
        "diga_verify.unread.detail": plain(unread.detail) if unread else None,
    }
    grave = MEDIUM if finding.kind is FindingKind.IDLE_WAIVER else HIGH
    severity = _GRAVITY[place.severity] if place and place.severity else grave
    allowed = f"; allowed: {', '.join(place.allowed.entries)}" if place and wrong else ""
    detail = f"; {unread.detail}" if unread else ""
    exactly = (place.placement.field, place.placement.about) if place else ()
    return _Event(action, severity, f"{finding.title}{allowed}{detail}", fields, (*finding.identity, *exactly))


def _of_waiver(waiver: Waiver, covered: Sequence[Finding], report: Report) -> _Event:
    """A waiver, and the violations that it covers: one place, as far as fields may tell the same one twice."""
    judged = next((one.judged for one in covered if one.judged), None)
    places = [one.place for one in covered if one.place]
    finished = moment(report.finished_at)
    fields = {
        "event.kind": "event",
        "event.type": ["info"],
        "event.reason": plain(waiver.reason),
        **parts.rule(report, waiver.line, "waiver"),
        **(parts.resource(judged) if judged else {}),
        **(parts.placement(places[0]) if places else {}),
        "diga_verify.waiver.owner": plain(waiver.owner),
        "diga_verify.waiver.expires": waiver.expires.isoformat(),
        "diga_verify.waiver.days_left": (waiver.expires - finished.date()).days if finished else None,
        "diga_verify.waiver.fields": [plain(place.placement.field) for place in places],
    }
    critical = any(place.severity is Severity.CRITICAL for place in places)
    name = f"{judged.resource.type} {judged.resource.name}" if judged else waiver.resource
    told = f"{name}: {waiver.role} in {waiver.location}, waived until {waiver.expires} by {waiver.owner}"
    identity = ("waiver", waiver.resource, waiver.role.value, waiver.location, str(waiver.line))
    return _Event("residency-waiver", HIGH if critical else MEDIUM, f"{told}: {waiver.reason}", fields, identity)


def _of_change(change: Change, drift: Drift) -> _Event:
    """A difference between the baseline and this run."""
    fields = {
        "event.kind": "event",
        "event.type": [_CHANGES.get(change.kind, "info")],
        "event.reason": change.kind.value,
        "diga_verify.change.kind": change.kind.value,
        "diga_verify.change.effect": change.effect.value,
        "diga_verify.change.role": change.role.value if change.role else None,
        "diga_verify.change.field": plain(change.field) or None,
        "diga_verify.change.about": plain(change.about) or None,
        **parts.state("before", change.before),
        **parts.state("after", change.after),
        "diga_verify.resource.type": plain(change.type) or None,
        "diga_verify.resource.name": plain(change.name) or None,
        "diga_verify.resource.full_name": plain(change.full_name) or None,
        **parts.service(change.full_name),
        **parts.baseline(drift),
    }
    after = change.after.severity if change.after else None
    severity = (_GRAVITY[after] if after else HIGH) if change.effect is Effect.WORSE else INFO
    words = (change.type, change.name if change.full_name else "")
    name = f"{' '.join(filter(None, words))}: " if change.type else ""
    source = f", read from {read_from(change)}" if change.field else ""
    message = f"{name}{LABELS[change.kind]}: {said(change)}{source}"
    named = (change.kind.value, change.type, change.name, change.full_name, change.role or "", change.field)
    sides = (*_side(change.before), *_side(change.after))
    return _Event("residency-change", severity, message, fields, ("change", *named, change.about, *sides))


def _side(state: State | None) -> tuple[str, ...]:
    return ("",) if state is None else (state.value, state.verdict or "", state.severity or "")
