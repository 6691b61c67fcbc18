"""Parts that events of the audit log are made of, under the dotted names of Elastic Common Schema.

A name that the schema lacks begins with `diga_verify.`. ecs.schema.json lists all of them with their types. Foreign
text is made harmless here, so that it stays so when a reader undoes the escapes of JSON. What an event does not have is
None.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from diga_verify.changes import Drift, State
from diga_verify.formats.findings import Finding
from diga_verify.formats.page import plain
from diga_verify.formats.words import caveats
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Resource
from diga_verify.moment import moment, stamp
from diga_verify.report import Report

Fields = dict[str, Any]


def common(report: Report, run_id: str) -> Fields:
    """What every event of a run holds."""
    return {
        "event.category": ["configuration"],
        "event.dataset": "diga_verify.audit",
        "event.module": "diga_verify",
        "event.provider": "diga-verify",
        "service.name": "diga-verify",
        "service.version": plain(report.version),
        "cloud.provider": "gcp",
        "cloud.project.id": plain(report.project.id),
        "tags": [one.word.lower().replace(" ", "_") for one in caveats(report)],
        "related.hash": [plain(report.policy_sha256)],
        **_caller(report),
        "diga_verify.run.id": run_id,
        "diga_verify.run.environment": plain(report.environment),
        "diga_verify.run.verdict": report.verdict.value,
        "diga_verify.run.exit_code": report.exit_code,
        "diga_verify.run.complete": report.complete,
        "diga_verify.run.simulated": report.simulated,
        "diga_verify.run.scope": "project" if report.whole else "selected",
    }


def digest(*parts: str) -> str:
    """Half a SHA-256 of the parts, in hexadecimal."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _caller(report: Report) -> Fields:
    if report.principal is None:
        return {}
    return {"user.name": plain(report.principal), "related.user": [plain(report.principal)]}


def times(report: Report) -> Fields:
    """When the run began and ended, and how long it took, in nanoseconds."""
    started, finished = moment(report.started_at), moment(report.finished_at)
    if started is None or finished is None:
        return {}
    milliseconds = max(0, round((finished - started).total_seconds() * 1000))
    return {
        "event.start": stamp(started),
        "event.end": stamp(finished),
        "event.duration": milliseconds * 1_000_000,
    }


def finding(found: Finding, report: Report) -> Fields:
    """What a finding is; its id is the same in every run, and begins the fingerprint in SARIF."""
    return {
        "diga_verify.finding.id": digest(report.project.id, report.environment, *found.identity),
        "diga_verify.finding.kind": found.kind.value,
        "diga_verify.finding.enforced": found.enforced,
        "diga_verify.finding.name": plain(found.name),
        "diga_verify.finding.next": plain(found.step) or None,
        **service(found.name),
    }


def rule(report: Report, line: int | None, name: str) -> Fields:
    """The line of the policy that decided; nothing where none did."""
    if line is None:
        return {}
    return {
        "rule.id": plain(f"{report.policy_path}:{line}"),
        "rule.name": plain(name),
        "rule.ruleset": plain(report.policy_path),
        "rule.version": plain(report.policy_sha256),
    }


def resource(judged: JudgedResource) -> Fields:
    """The resource that an event is about."""
    one = judged.resource
    return {
        "diga_verify.resource.type": plain(one.type),
        "diga_verify.resource.name": plain(one.name),
        "diga_verify.resource.full_name": plain(one.full_name),
        "diga_verify.resource.kind": plain(one.kind),
        "diga_verify.resource.owner": plain(one.owner) or None,
        "diga_verify.resource.live": one.live,
        # One text each: a field for every key that somebody thinks of would fill the index's mapping.
        "diga_verify.resource.labels": [plain(f"{key}={value}") for key, value in sorted(one.labels.items())],
        **service(one.full_name),
        **_cluster(one),
    }


def _cluster(resource: Resource) -> Fields:
    if (resource.type, resource.kind) != ("gke", "cluster"):
        return {}
    return {"orchestrator.type": "kubernetes", "orchestrator.cluster.name": plain(resource.name)}


def service(full_name: str) -> Fields:
    """The host in a full resource name."""
    host = full_name[2:].partition("/")[0] if full_name.startswith("//") else ""
    return {"cloud.service.name": plain(host)} if host else {}


def placement(place: JudgedPlacement) -> Fields:
    """The place that an event is about."""
    regions = place.bound.regions if place.bound else ()
    return {
        # The schema has room for one region: where there are more, none of them alone is where the data is.
        "cloud.region": plain(regions[0]) if len(regions) == 1 else None,
        "diga_verify.placement.role": place.placement.role.value,
        "diga_verify.placement.location": plain(place.location) if place.location else None,
        "diga_verify.placement.field": plain(place.placement.field),
        "diga_verify.placement.about": plain(place.placement.about) or None,
        "diga_verify.placement.verdict": place.verdict.value,
        "diga_verify.placement.severity": place.severity.value if place.severity else None,
        "diga_verify.placement.lawful": place.bound.lawful if place.bound else None,
        "diga_verify.placement.regions": [plain(one) for one in regions],
        "diga_verify.placement.countries": [plain(one) for one in place.bound.countries] if place.bound else [],
        "diga_verify.placement.allowed": [plain(one) for one in place.allowed.entries],
    }


def state(side: str, state: State | None) -> Fields:
    """One side of a change: `before` or `after`."""
    if state is None:
        return {}
    return {
        f"diga_verify.change.{side}.value": plain(state.value),
        f"diga_verify.change.{side}.verdict": state.verdict.value if state.verdict else None,
        f"diga_verify.change.{side}.severity": state.severity.value if state.severity else None,
    }


def baseline(drift: Drift) -> Fields:
    """The run that this one is compared with."""
    finished = moment(drift.old.finished_at)
    return {
        "diga_verify.baseline.finished_at": stamp(finished) if finished else None,
        "diga_verify.baseline.verdict": drift.old.verdict.value,
        "diga_verify.baseline.complete": drift.old.complete,
        "diga_verify.baseline.simulated": drift.old.simulated,
        "diga_verify.baseline.policy_sha256": plain(drift.old.policy_sha256),
        "diga_verify.baseline.caveats": [plain(one) for one in drift.caveats],
    }
