"""The JSON report, version 1: a promise to other programs, therefore written key by key.

Its schema is report.schema.json beside this file. Two runs over the same world differ only in times.
"""

from __future__ import annotations

import json
import re
from typing import Any

from diga_verify.evaluate import JudgedPlacement, JudgedResource
from diga_verify.formats.advice import next_step
from diga_verify.formats.page import Page
from diga_verify.model import Call, Unread, Verdict, Witness
from diga_verify.policy.rules import Waiver
from diga_verify.report import SCHEMA_VERSION, Report
from diga_verify.second_witness import NAME

_ORDERS = re.compile(r"(?<=#)#|<(?=[/!])|\x7f")
"""What could begin `##[command]` in a log, `</script>` or `<!--` in a page, and the one control character that ASCII
JSON may hold. All of it stands within strings only, where an escape changes no value."""


def render(report: Report, page: Page) -> str:
    """The report as ASCII JSON with a line end: nothing in it can be a terminal's, a log's or a browser's command."""
    text = json.dumps(document(report), indent=2, ensure_ascii=True)
    return _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as JSON types. See report.schema.json."""
    summary = report.summary
    judgement = report.judgement
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "diga-verify", "version": report.version},
        "environment": report.environment,
        "enforcement": report.enforcement.value,
        "strict": report.strict,
        "deep": report.deep,
        "project": {"id": report.project.id, "number": report.project.number},
        "policy": {"path": report.policy_path, "sha256": report.policy_sha256},
        "principal": report.principal,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "verdict": report.verdict.value,
        "complete": report.complete,
        "exit_code": report.exit_code,
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
        "resources": [_resource(judged) for judged in judgement.resources],
        "missing": [{"type": one.type, "name": one.name, "line": one.line} for one in judgement.missing],
        "unread": [_unread(one) for one in judgement.unread],
        "second_witness": _witness(report.witness),
        "declared_unused": list(judgement.declared_unused),
        "waivers": [_waiver(one) for one in judgement.waivers_used],
        "limits": [{"type": one.type, "text": one.text} for one in report.limits],
        "checkers": [
            {"type": one.type, "distribution": one.distribution, "version": one.version} for one in report.checkers
        ],
        "tables": {"locations": report.table_date, "adequacy_review": report.adequacy_review_date},
        "calls": [_call(one) for one in report.calls],
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
        "placements": [_placement(judged, place) for place in judged.placements],
    }


def _placement(judged: JudgedResource, place: JudgedPlacement) -> dict[str, Any]:
    bound = place.bound
    violation = place.verdict is Verdict.VIOLATION
    return {
        "role": place.placement.role.value,
        "location": place.location,
        "regions": list(bound.regions) if bound else [],
        "countries": list(bound.countries) if bound else [],
        "stands_for": bound.description if bound else None,
        "lawful": bound.lawful if bound else None,
        "field": place.placement.field,
        "about": place.placement.about or None,
        "verdict": place.verdict.value,
        "severity": place.severity.value if place.severity else None,
        "allowed": list(place.allowed.entries),
        "rule_line": place.allowed.line,
        "assumed": place.assumption is not None,
        "waiver_line": place.waiver.line if place.waiver else None,
        "reason": place.reason.value if place.reason else None,
        "next": next_step(judged, place) if violation else None,
    }


def _unread(unread: Unread) -> dict[str, Any]:
    return {
        "type": unread.type,
        "scope": unread.scope,
        "reason": unread.reason.value,
        "detail": unread.detail,
        "resource": unread.resource,
    }


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "name": NAME,
        "heard": list(witness.heard),
        "silent": [{"asset_type": name, "reason": reason.value} for name, reason in witness.silent],
        "assets": len(witness.assets),
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
