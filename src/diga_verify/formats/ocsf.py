"""The report as OCSF compliance findings (class 2003), for security lakes and whatever else takes what Prowler writes.

One array, with an event for every placement that is a finding, for everything missing or not verified, and for every
compliant resource. What is not verified is a warning that somebody must look at, and never passes. Every event tells
which run it is from and how that ended, so that one taken out of its array does not mislead.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diga_verify.controls import CONTROLS, Control, concerned
from diga_verify.evaluate import JudgedPlacement, JudgedResource
from diga_verify.formats.ascii import ascii_pieces
from diga_verify.formats.findings import Finding, Kind, findings, project_name
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import caveats, conclusion, counts, facts, where
from diga_verify.model import Role, Severity, Verdict
from diga_verify.moment import moment
from diga_verify.report import Report

VERSION = "1.5.0"
"""Of the OCSF schema."""
_SEVERITIES = {1: "Informational", 3: "Medium", 4: "High", 5: "Critical"}
_NO_PROOF = (Kind.NOT_READ, Kind.NOT_PROVEN, Kind.IDLE_WAIVER, Kind.RUN)
_ABOUT_ALL_CONTROLS = (Kind.NOT_READ, Kind.NOT_PROVEN, Kind.RUN)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Codes and captions of one outcome: of the finding, of the compliance check, and as Prowler calls it."""

    status: tuple[int, str]
    compliance: tuple[int, str]
    code: str


_PASS = _Outcome((1, "New"), (1, "Pass"), "PASS")
_FAIL = _Outcome((1, "New"), (3, "Fail"), "FAIL")
_WAIVED = _Outcome((3, "Suppressed"), (3, "Fail"), "FAIL")
_OPEN = _Outcome((1, "New"), (2, "Warning"), "MANUAL")


@dataclass(frozen=True, slots=True)
class _Event:
    """What events differ in."""

    identity: tuple[str, ...]
    outcome: _Outcome
    severity: int
    type: str
    title: str
    lines: tuple[str, ...]
    name: str
    controls: tuple[Control, ...] = ()
    """Those that it keeps from being satisfied: that one resource passes satisfies none."""
    step: str = ""
    judged: JudgedResource | None = None
    place: JudgedPlacement | None = None
    more: tuple[tuple[str, Any], ...] = ()


def render(report: Report, page: Page) -> str:
    """The report as one ASCII JSON array of events: findings first, in the order of their gravity."""
    return "".join(pieces(report, page))


def pieces(report: Report, page: Page) -> Iterator[str]:
    """The same event by event."""
    return ascii_pieces(_documents(report))


def _documents(report: Report) -> Iterator[dict[str, Any]]:
    taken: Counter[str] = Counter()
    run = {name: plain(value) for name, value in facts(report).items()}
    labels, times = [caveat.word for caveat in caveats(report)], _times(report)
    for one in _events(report):
        event = _written(one, report, labels, times, taken)
        yield event | {"unmapped": {"run": run, **event["unmapped"]}}


def _events(report: Report) -> Iterator[_Event]:
    found = findings(report)
    yield from map(_found, found)
    yield from map(_compliant, report.of(Verdict.COMPLIANT))
    if not found and not report.summary.compliant:
        yield _nothing_due(report)


def _found(finding: Finding) -> _Event:
    outcome = _WAIVED if finding.kind is Kind.WAIVED else _OPEN if finding.kind in _NO_PROOF else _FAIL
    reason = finding.reason.value if finding.reason else None
    return _Event(
        finding.identity,
        outcome,
        _severity(finding),
        finding.type,
        finding.title,
        finding.lines,
        finding.name,
        _controls(finding),
        finding.step,
        finding.judged,
        finding.place,
        (("kind", finding.kind.value), ("enforced", finding.enforced), ("line", finding.line), ("reason", reason)),
    )


def _severity(finding: Finding) -> int:
    if finding.place is not None and finding.place.severity is not None:
        return 5 if finding.place.severity is Severity.CRITICAL else 4
    return 3 if finding.kind is Kind.IDLE_WAIVER else 4


def _controls(finding: Finding) -> tuple[Control, ...]:
    if finding.judged is not None:
        return concerned(finding.judged, finding.place)
    return CONTROLS if finding.kind in _ABOUT_ALL_CONTROLS else ()


def _compliant(judged: JudgedResource) -> _Event:
    resource = judged.resource
    return _Event(
        ("compliant", resource.type, resource.full_name),
        _PASS,
        1,
        resource.type,
        f"{resource.type} {resource.name}: compliant",
        tuple(dict.fromkeys(f"{place.placement.role} in {where(place)}" for place in judged.placements)),
        resource.full_name,
        judged=judged,
        more=(("kind", "compliant"), ("enforced", judged.enforced)),
    )


def _nothing_due(report: Report) -> _Event:
    """A compliant run that found nothing because nothing was to be found."""
    title = "no resources, and none expected"
    lines = (conclusion(report), counts(report))
    return _Event(("compliant", "run"), _PASS, 1, "run", title, lines, project_name(report))


def _written(
    event: _Event, report: Report, labels: Sequence[str], times: dict[str, Any], taken: Counter[str]
) -> dict[str, Any]:
    outcome, detail = event.outcome, "\n".join(map(plain, event.lines))
    region = _region(event)
    return {
        "message": plain(event.title),
        "metadata": {
            "event_code": plain(f"residency-{event.type}"),
            "product": {
                "name": "diga-verify",
                "uid": "diga-verify",
                "vendor_name": "diga-verify",
                "version": plain(report.version),
            },
            "labels": labels,
            "profiles": ["cloud", "datetime"],
            "version": VERSION,
        },
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "severity_id": event.severity,
        "severity": _SEVERITIES[event.severity],
        "status_id": outcome.status[0],
        "status": outcome.status[1],
        "status_code": outcome.code,
        "status_detail": detail,
        **times,
        "finding_info": {
            "uid": _uid(event, report, taken),
            "title": plain(event.title),
            "desc": detail,
            "types": ["Data residency"],
        },
        "compliance": _compliance(event),
        "resources": [_resource(event, region)],
        "cloud": {
            "provider": "gcp",
            "account": {
                "name": plain(report.project.id),
                "type": "GCP Account",
                "type_id": 5,
                "uid": plain(report.project.id),
            },
            "project_uid": plain(report.project.id),
            **region,
        },
        **({"remediation": {"desc": plain(event.step)}} if event.step else {}),
        "unmapped": _unmapped(event, report),
    }


def _times(report: Report) -> dict[str, Any]:
    started, finished = moment(report.started_at), moment(report.finished_at)
    return {
        "time": round(finished.timestamp() * 1000) if finished else 0,
        **({"time_dt": finished.isoformat()} if finished else {}),
        **({"start_time": round(started.timestamp() * 1000)} if started else {}),
        **({"end_time": round(finished.timestamp() * 1000)} if finished else {}),
    }


def _uid(event: _Event, report: Report, taken: Counter[str]) -> str:
    """The same in every run. Of findings that are alike in everything that lasts each has a number of its own."""
    parts = json.dumps([report.project.id, report.environment, *event.identity])
    uid = f"diga-verify-{hashlib.sha256(parts.encode()).hexdigest()[:32]}"
    taken[uid] += 1
    return uid if taken[uid] == 1 else f"{uid}-{taken[uid]}"


def _compliance(event: _Event) -> dict[str, Any]:
    status_id, status = event.outcome.compliance
    controls = event.controls
    named = {
        "standards": [*dict.fromkeys(one.framework for one in controls)],
        "requirements": [one.name for one in controls],
    }
    return {
        "status_id": status_id,
        "status": status,
        "control": plain(f"residency-{event.type}"),
        **({name: value for name, value in named.items() if value}),
    }


def _region(event: _Event) -> dict[str, str]:
    """The location of what the event is about: of a whole resource, where it lives."""
    places: Sequence[JudgedPlacement] = event.judged.placements if event.judged else ()
    primary = next((one for one in places if one.placement.role is Role.PRIMARY), None)
    place = event.place or primary
    return {"region": plain(place.location)} if place and place.location else {}


def _resource(event: _Event, region: dict[str, str]) -> dict[str, Any]:
    if event.judged is None:
        return {"uid": plain(event.name), "name": plain(event.name), "group": {"name": plain(event.type)}, **region}
    resource = event.judged.resource
    return {
        "uid": plain(resource.full_name),
        "name": plain(resource.name),
        "type": plain(resource.kind),
        "group": {"name": plain(resource.type)},
        **region,
        "labels": [plain(f"{key}:{value}") for key, value in sorted(resource.labels.items())],
        "data": {"placements": [_place(place) for place in event.judged.placements]},
    }


def _place(place: JudgedPlacement) -> dict[str, Any]:
    return {
        "role": place.placement.role.value,
        "location": plain(place.location) if place.location else None,
        "field": plain(place.placement.field),
        "verdict": place.verdict.value,
    }


def _unmapped(event: _Event, report: Report) -> dict[str, Any]:
    """What OCSF has no place for."""
    place = event.place
    return {
        "finding": dict(event.more),
        **({"placement": dict(_of_placement(place))} if place else {}),
        **({"evidence_sha256": plain(report.evidence.sha256)} if report.evidence else {}),
    }


def _of_placement(place: JudgedPlacement) -> Iterator[tuple[str, Any]]:
    yield from _place(place).items()
    yield "regions", [plain(one) for one in place.bound.regions] if place.bound else []
    yield "countries", [plain(one) for one in place.bound.countries] if place.bound else []
    yield "about", plain(place.placement.about)
    yield "allowed", [plain(entry) for entry in place.allowed.entries]
    yield "rule_line", place.allowed.line
    if place.placement.source is not None:
        yield "source", plain(place.placement.source)
    if place.waiver is not None:
        yield (
            "waiver",
            {
                "reason": plain(place.waiver.reason),
                "owner": plain(place.waiver.owner),
                "expires": place.waiver.expires.isoformat(),
                "line": place.waiver.line,
            },
        )
