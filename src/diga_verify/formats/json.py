"""The JSON report, version 1: a promise to other programs, therefore written key by key.

Its schema is report.schema.json beside this file. Two runs over the same world differ only in times. Everything that
any format shows is in it: stored/ makes the report of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from diga_verify.assessment import Assessed, assessed
from diga_verify.formats import drift_json
from diga_verify.formats.advice import follow_up
from diga_verify.formats.ascii import ascii_pieces
from diga_verify.formats.page import Page
from diga_verify.judgement import JudgedPlacement, JudgedResource, Missing
from diga_verify.model import Call, Placement, Recovery, Unread, Witness
from diga_verify.policy.rules import Waiver
from diga_verify.report import SCHEMA_VERSION, CheckerOrigin, Report
from diga_verify.second_witness import NAME
from diga_verify.services import Services


def render(report: Report, page: Page) -> str:
    """The report as ASCII JSON with a line end: nothing in it can be a terminal's, a log's or a browser's command."""
    return "".join(pieces(report, page))


def pieces(report: Report, page: Page) -> Iterator[str]:
    """The same in pieces."""
    return ascii_pieces(document(report, many=iter))


def document(report: Report, many: Callable[[Iterable[Any]], Any] = list) -> dict[str, Any]:
    """The report as JSON types, of which `many` makes the arrays that may be long. See report.schema.json."""
    summary = report.summary
    judgement = report.judgement
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "diga-verify", "version": report.version},
        "environment": report.environment,
        "enforcement": report.enforcement.value,
        "strict": report.strict,
        "deep": report.deep,
        "after_restore": _recovery(report.recovery),
        "project": {"id": report.project.id, "number": report.project.number, "state": report.project.state},
        "policy": {"path": report.policy_path, "sha256": report.policy_sha256},
        "principal": report.principal,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "verdict": report.verdict.value,
        "complete": report.complete,
        "exit_code": report.exit_code,
        "interrupted_by": report.interrupted_by,
        "what_if": report.what_if,
        "simulated": report.simulated,
        "api_root": report.api_root,
        "network_variables": list(report.network_variables),
        "scope": "project" if report.whole else "selected",
        "selection": [] if report.whole else list(report.selection),
        "summary": {
            "resources": summary.resources,
            "compliant": summary.compliant,
            "violations": summary.violations,
            "unverified": summary.unverified,
            "waived": summary.waived,
            "missing": summary.missing,
            "unread": summary.unread,
        },
        "resources": many(map(_resource, judgement.resources)),
        "missing": [_missing(one) for one in judgement.missing],
        "unread": many(map(_unread, judgement.unread)),
        "second_witness": _witness(report.witness, many),
        "declared_unused": list(judgement.declared_unused),
        "waivers": [_waiver(one) for one in judgement.waivers_used],
        "limits": [{"type": one.type, "text": one.text, "kind": one.kind.value} for one in report.limits],
        "services": _services(report.services),
        "controls": [_control(one) for one in assessed(report)],
        "evidence": {"sha256": report.evidence.sha256} if report.evidence else None,
        "drift": drift_json.document(report.drift) if report.drift else None,
        "checkers": [_checker(one) for one in report.checkers],
        "tables": {"locations": report.table_date, "adequacy_review": report.adequacy_review_date},
        "calls": many(map(_call, report.calls)),
    }


def _resource(judged: JudgedResource) -> dict[str, Any]:
    resource = judged.resource
    return {
        "type": resource.type,
        "name": resource.name,
        "full_name": resource.full_name,
        "kind": resource.kind,
        "verdict": judged.verdict.value,
        "severity": judged.severity.value if judged.severity else None,
        "enforced": judged.enforced,
        "declared_unused": judged.declared_unused,
        "labels": dict(sorted(resource.labels.items())),
        "owner": resource.owner or None,
        "live": resource.live,
        "placements": [_placement(judged, place) for place in judged.placements],
    }


def _placement(judged: JudgedResource, place: JudgedPlacement) -> dict[str, Any]:
    bound = place.bound
    return {
        "role": place.placement.role.value,
        "location": place.location,
        "regions": list(bound.regions) if bound else [],
        "countries": list(bound.countries) if bound else [],
        "stands_for": bound.description if bound else None,
        "anywhere": bound.anywhere if bound else None,
        "lawful": bound.lawful if bound else None,
        "field": place.placement.field,
        "about": place.placement.about or None,
        "read": _read(place.placement),
        "evidence": place.placement.source,
        "verdict": place.verdict.value,
        "severity": place.severity.value if place.severity else None,
        "allowed": list(place.allowed.entries),
        "allowed_sets": list(place.allowed.sets),
        "rule_line": place.allowed.line,
        "assumed": place.assumption is not None,
        "assumed_line": place.assumption.line if place.assumption else None,
        "waiver_line": place.waiver.line if place.waiver else None,
        "reason": place.reason.value if place.reason else None,
        "next": follow_up(judged, place),
    }


def _read(placement: Placement) -> dict[str, Any]:
    return {
        "location": placement.location,
        "members": list(placement.members),
        "reason": placement.reason.value if placement.reason else None,
    }


def _recovery(asked: Recovery | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    return {
        "since": asked.since,
        "before": [{"type": type, "name": name, "full_name": full} for type, name, full in asked.before],
        "restored_from": [{"type": type, "name": name, "source": source} for type, name, source in asked.sources],
        "backup_newer_than_hours": asked.max_age_hours,
    }


def _missing(missing: Missing) -> dict[str, Any]:
    return {
        "type": missing.type,
        "name": missing.name,
        "location": missing.location,
        "line": missing.line,
        "alike": list(missing.alike),
    }


def _unread(unread: Unread) -> dict[str, Any]:
    return {
        "type": unread.type,
        "scope": unread.scope,
        "reason": unread.reason.value,
        "detail": unread.detail,
        "resource": unread.resource,
        "off_in_project": unread.off_in_project,
    }


def _witness(witness: Witness, many: Callable[[Iterable[Any]], Any]) -> dict[str, Any]:
    return {
        "name": NAME,
        "heard": list(witness.heard),
        "silent": [{"asset_type": name, "reason": reason.value} for name, reason in witness.silent],
        "assets": len(witness.assets),
        "listed": many(
            {"type": one.type, "full_name": one.full_name}
            for one in sorted(witness.assets, key=lambda one: (one.type, one.full_name))
        ),
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "resource": waiver.resource,
        "role": waiver.role.value,
        "location": waiver.location,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
        "line": waiver.line,
    }


def _services(services: Services) -> dict[str, Any]:
    return {
        "enabled": None if services.names is None else list(services.names),
        "reason": services.reason.value if services.reason else None,
        "not_read": [{"service": one.service, "product": one.product, "holds": one.holds} for one in services.not_read],
    }


def _control(one: Assessed) -> dict[str, Any]:
    control = one.control
    return {
        "id": control.id,
        "framework": control.framework,
        "clause": control.clause,
        "title": control.title,
        "summary": control.summary,
        "scope": control.scope,
        "url": control.url,
        "standing": one.standing.value,
        "resources": list(one.resources),
    }


def _checker(origin: CheckerOrigin) -> dict[str, Any]:
    return {
        "type": origin.type,
        "distribution": origin.distribution,
        "version": origin.version,
        "permissions": list(origin.permissions),
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "service": call.service,
        "method": call.method,
        "scope": call.scope,
        "pages": call.pages,
        "status": call.status,
        "started_at": call.started_at,
        "duration_ms": call.duration_ms,
    }
