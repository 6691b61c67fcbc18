"""Evidence: what the APIs answered in a run, in one file from which the run can be repeated offline.

The file is one line of ASCII JSON with sorted keys (docs/evidence.md has every key). It holds the SHA-256 of its own
content, so that no change goes unnoticed, and there is only one way to write it down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import diga_verify
from diga_verify import __version__
from diga_verify.errors import EvidenceError, ReadError
from diga_verify.evaluate import Scope
from diga_verify.gateway.records import ANSWERS, Record
from diga_verify.model import Call, Json, Reason
from diga_verify.reading import Course

SCHEMA_VERSION = "1"
MAX_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a run, by whom and when."""

    environment: str
    project: str
    """By id or number, as on the command line."""
    scope: Scope
    strict: bool
    deep: bool
    principal: str | None
    simulated: bool
    api_root: str | None
    network_variables: tuple[str, ...]
    started_at: str
    finished_at: str


@dataclass(frozen=True, slots=True)
class Stored:
    """All that an evidence file holds."""

    asked: Asked
    course: Course
    policy_path: str
    policy: bytes
    records: tuple[Record, ...]
    checkers: Mapping[str, tuple[str, str]]
    """Distribution and version of the checker of each type."""
    version: str = __version__


def write(stored: Stored) -> bytes:
    """The file."""
    content = _content(stored)
    return _canonical({**content, "sha256": hashlib.sha256(_canonical(content)).hexdigest()})


def read(data: bytes, path: str) -> Stored:
    """What a file of evidence holds. Raises EvidenceError unless every byte of it is as it was written."""
    tree = _tree(data, path)
    version = tree.get("schema_version")
    if version != SCHEMA_VERSION:
        raise EvidenceError(f"{path} is evidence of version {version!r}, and this program reads {SCHEMA_VERSION!r}")
    content = {key: value for key, value in tree.items() if key != "sha256"}
    due, told = hashlib.sha256(_canonical(content)).hexdigest(), tree.get("sha256")
    if due != told:
        raise EvidenceError(f"{path} was changed: its content has the SHA-256 {due}, and it says {told}")
    if _canonical(tree) != data:
        raise EvidenceError(f"{path} was changed: it is not written as evidence is (one line, sorted keys)")
    try:
        file = _File.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EvidenceError(f"{path} is no evidence of diga-verify: {place}: {first['msg']}") from None
    return file.stored(path)


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


def _canonical(tree: Json) -> bytes:
    """The one way to write it down."""
    return json.dumps(tree, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def _tree(data: bytes, path: str) -> dict[str, Any]:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path} is no JSON ({type(error).__name__}): no evidence, or it was changed") from None
    if not isinstance(tree, dict):
        raise EvidenceError(f"{path} is no evidence of diga-verify: it holds no JSON object")
    return tree


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Error(_Strict):
    reason: Annotated[Reason, Field(strict=False)]
    detail: str
    consumer: str | None

    def error(self) -> ReadError:
        return ReadError(self.reason, self.detail, self.consumer)


class _Record(_Strict):
    service: str
    method: str
    scope: str
    started_at: str
    duration_ms: int
    requests: list[dict[str, Any]]
    pages: list[dict[str, Any]]
    error: _Error | None

    def record(self, name: str) -> Record:
        error = self.error.error() if self.error else None
        status = error.reason.value if error else "ok"
        call = Call(self.service, self.method, self.scope, len(self.pages), status, self.started_at, self.duration_ms)
        return Record(name, call, tuple(self.requests), tuple(self.pages), error)


class _Tool(_Strict):
    name: Literal["diga-verify"]
    version: str
    sha256: str
    checkers: dict[str, Annotated[list[str], Field(min_length=2, max_length=2)]]


class _Policy(_Strict):
    path: str
    sha256: str
    text: str


class _Run(_Strict):
    environment: str
    project: str
    types: list[str]
    resources: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    whole: bool
    strict: bool
    deep: bool
    principal: str | None
    simulated: bool
    api_root: str | None
    network_variables: list[str]
    started_at: str
    finished_at: str
    finished: list[str]
    stopped: _Error | None
    interrupted_by: int | None

    def asked(self) -> Asked:
        wanted = frozenset((type, name) for type, name in self.resources)
        return Asked(
            environment=self.environment,
            project=self.project,
            scope=Scope(tuple(self.types), wanted, self.whole),
            strict=self.strict,
            deep=self.deep,
            principal=self.principal,
            simulated=self.simulated,
            api_root=self.api_root,
            network_variables=tuple(self.network_variables),
            started_at=self.started_at,
            finished_at=self.finished_at,
        )


class _File(_Strict):
    schema_version: Literal["1"]
    tool: _Tool
    run: _Run
    policy: _Policy
    answers: Mapping[str, _Record]
    sha256: str

    def stored(self, path: str) -> Stored:
        run = self.run
        policy = self.policy.text.encode("utf-8", "surrogatepass")
        if hashlib.sha256(policy).hexdigest() != self.policy.sha256:
            raise EvidenceError(f"{path} holds another policy than the one whose SHA-256 it gives")
        return Stored(
            asked=run.asked(),
            course=Course(frozenset(run.finished), run.stopped.error() if run.stopped else None, run.interrupted_by),
            policy_path=self.policy.path,
            policy=policy,
            records=tuple(answer.record(name) for name, answer in self.answers.items()),
            checkers={type: (name, version) for type, (name, version) in self.tool.checkers.items()},
            version=self.tool.version,
        )
