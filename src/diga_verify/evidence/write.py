"""From what a run was told to the bytes of its evidence file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import diga_verify
from diga_verify.errors import ReadError
from diga_verify.evidence.stored import SCHEMA_VERSION, Stored
from diga_verify.gateway.records import ANSWERS, Record
from diga_verify.model import Json, Recovery


def write(stored: Stored) -> bytes:
    """The file."""
    content = _content(stored)
    return canonical({**content, "sha256": hashlib.sha256(canonical(content)).hexdigest()})


def code_sha256() -> str:
    """Of all files of the program that is running, with their names: which code wrote the evidence."""
    code = hashlib.sha256()
    root = Path(diga_verify.__file__).parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml", ".json"}):
        data = path.read_bytes()
        code.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        code.update(data)
    return code.hexdigest()


def _content(stored: Stored) -> dict[str, Any]:
    asked, course = stored.asked, stored.course
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {
            "name": "diga-verify",
            "version": stored.version,
            "sha256": code_sha256(),
            "checkers": {type: list(origin) for type, origin in sorted(stored.checkers.items())},
        },
        "run": {
            "environment": asked.environment,
            "project": asked.project,
            "types": list(asked.scope.types),
            "resources": [list(one) for one in sorted(asked.scope.wanted)],
            "whole": asked.scope.whole,
            "strict": asked.strict,
            "deep": asked.deep,
            "recovery": _recovery(asked.recovery),
            "principal": asked.principal,
            "simulated": asked.simulated,
            "api_root": asked.api_root,
            "network_variables": list(asked.network_variables),
            "started_at": asked.started_at,
            "finished_at": asked.finished_at,
            "finished": sorted(course.finished),
            "stopped": _error(course.stopped),
            "interrupted_by": course.interrupted_by,
        },
        "policy": {
            "path": stored.policy_path,
            "sha256": hashlib.sha256(stored.policy).hexdigest(),
            "text": stored.policy.decode("utf-8"),
        },
        ANSWERS: {record.name: _record(record) for record in stored.records},
    }


def _recovery(asked: Recovery | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    return {
        "since": asked.since,
        "before": [list(one) for one in asked.before],
        "sources": [list(one) for one in asked.sources],
        "max_age_hours": asked.max_age_hours,
    }


def _record(record: Record) -> dict[str, Any]:
    call = record.call
    return {
        "service": call.service,
        "method": call.method,
        "scope": call.scope,
        "started_at": call.started_at,
        "duration_ms": call.duration_ms,
        "requests": list(record.requests),
        "pages": list(record.pages),
        "error": _error(record.error),
    }


def _error(error: ReadError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"reason": error.reason.value, "detail": error.detail, "consumer": error.consumer}


def canonical(tree: Json) -> bytes:
    """The one way to write it down."""
    return json.dumps(tree, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
