"""What changed between two runs as JSON, version 1; its schema is drift.schema.json beside this file."""

from __future__ import annotations

from typing import Any

from diga_verify.changes import Change, Drift, Effect, Side, State
from diga_verify.formats.ascii import ascii_json
from diga_verify.formats.page import Page

DRIFT_SCHEMA_VERSION = "1"


def render(drift: Drift, page: Page) -> str:
    """The changes as ASCII JSON with a line end."""
    return ascii_json(document(drift))


def document(drift: Drift) -> dict[str, Any]:
    """The changes as JSON types. See drift.schema.json."""
    return {
        "schema_version": DRIFT_SCHEMA_VERSION,
        "environment": drift.environment,
        "project": drift.project,
        "old": _side(drift.old),
        "new": _side(drift.new),
        "summary": {
            "changes": len(drift.changes),
            "worse": drift.count(Effect.WORSE),
            "better": drift.count(Effect.BETTER),
            "neutral": drift.count(Effect.NEUTRAL),
            "turnover": drift.turnover,
        },
        "caveats": list(drift.caveats),
        "changes": [_change(one) for one in drift.changes],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "started_at": side.started_at,
        "finished_at": side.finished_at,
        "verdict": side.verdict.value,
        "complete": side.complete,
        "exit_code": side.exit_code,
        "simulated": side.simulated,
        "deep": side.deep,
        "scope": "project" if side.whole else "selected",
        "selection": list(side.selection),
        "policy_sha256": side.policy_sha256,
        "principal": side.principal,
        "tool_version": side.version,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "effect": change.effect.value,
        "type": change.type or None,
        "name": change.name,
        "full_name": change.full_name or None,
        "role": change.role.value if change.role else None,
        "field": change.field or None,
        "about": change.about or None,
        "before": _state(change.before),
        "after": _state(change.after),
    }


def _state(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "value": state.value,
        "verdict": state.verdict.value if state.verdict else None,
        "severity": state.severity.value if state.severity else None,
    }
