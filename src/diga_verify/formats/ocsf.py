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
from typing import Any

from diga_verify.formats.ascii import ascii_pieces
from diga_verify.formats.ocsf_events import Event, events
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import caveats, facts
from diga_verify.judgement import JudgedPlacement
from diga_verify.model import Role
from diga_verify.moment import moment
from diga_verify.report import Report

VERSION = "1.5.0"
"""Of the OCSF schema."""
_SEVERITIES = {1: "Informational", 3: "Medium", 4: "High", 5: "Critical"}


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
    for one in events(report):
        event = _written(one, report, labels, times, taken)
        yield event | {"unmapped": {"run": run, **event["unmapped"]}}


def _written(
    event: Event, report: Report, labels: Sequence[str], times: dict[str, Any], taken: Counter[str]
) -> dict[str, Any]:
    outcome, detail = event.outcome, "\n".join(map(plain, event.lines))
    region = _region(event)
    return {
        "message": plain(event.title),
        "metadata": _metadata(event, report, labels),
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
        "cloud": _cloud(report, region),
        **({"remediation": {"desc": plain(event.step)}} if event.step else {}),
        "unmapped": _unmapped(event, report),
    }


def _metadata(event: Event, report: Report, labels: Sequence[str]) -> dict[str, Any]:
    return {
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
    }


def _cloud(report: Report, region: dict[str, str]) -> dict[str, Any]:
    project = plain(report.project.id)
    return {
        "provider": "gcp",
        "account": {"name": project, "type": "GCP Account", "type_id": 5, "uid": project},
        "project_uid": project,
        **region,
    }


def _times(report: Report) -> dict[str, Any]:
    started, finished = moment(report.started_at), moment(report.finished_at)
    return {
        "time": round(finished.timestamp() * 1000) if finished else 0,
        **({"time_dt": finished.isoformat()} if finished else {}),
        **({"start_time": round(started.timestamp() * 1000)} if started else {}),
        **({"end_time": round(finished.timestamp() * 1000)} if finished else {}),
    }


def _uid(event: Event, report: Report, taken: Counter[str]) -> str:
    """The same in every run. Of findings that are alike in everything that lasts each has a number of its own."""
    parts = json.dumps([report.project.id, report.environment, *event.identity])
    uid = f"diga-verify-{hashlib.sha256(parts.encode()).hexdigest()[:32]}"
    taken[uid] += 1
    return uid if taken[uid] == 1 else f"{uid}-{taken[uid]}"


def _compliance(event: Event) -> dict[str, Any]:
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


def _region(event: Event) -> dict[str, str]:
    """The location of what the event is about: of a whole resource, where it lives."""
    places: Sequence[JudgedPlacement] = event.judged.placements if event.judged else ()
    primary = next((one for one in places if one.placement.role is Role.PRIMARY), None)
    place = event.place or primary
    return {"region": plain(place.location)} if place and place.location else {}


def _resource(event: Event, region: dict[str, str]) -> dict[str, Any]:
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


def _unmapped(event: Event, report: Report) -> dict[str, Any]:
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
