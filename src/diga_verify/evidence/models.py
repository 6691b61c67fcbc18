"""The form of an evidence file, and what no run says of itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diga_verify.errors import EvidenceError, ReadError
from diga_verify.evidence.stored import Asked, Stored
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.listing import PROJECT
from diga_verify.gateway.records import Record
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Call, Reason, Recovery
from diga_verify.moment import moment
from diga_verify.reading import Course, permissions_of
from diga_verify.second_witness import INVENTORY
from diga_verify.services import SERVICES

_CLOCKS_DIFFER = timedelta(days=1)
"""Clocks are set while runs last. Waivers go by days."""


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


_Three = Annotated[list[str], Field(min_length=3, max_length=3)]


class _Recovery(_Strict):
    since: str | None
    before: list[_Three]
    sources: list[_Three]
    max_age_hours: float | None

    def asked(self) -> Recovery:
        before, sources = (tuple((a, b, c) for a, b, c in many) for many in (self.before, self.sources))
        return Recovery(self.since, before, sources, self.max_age_hours)


class _Run(_Strict):
    environment: str
    project: str
    types: list[str]
    resources: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    whole: bool
    strict: bool
    deep: bool
    recovery: _Recovery | None = None
    principal: str | None
    simulated: bool
    api_root: str | None
    network_variables: list[str]
    started_at: str
    finished_at: str
    finished: list[str]
    stopped: _Error | None
    interrupted_by: Literal[2, 15] | None
    """SIGINT or SIGTERM: the only signals that end a run with a report."""

    def contradictions(self) -> Iterator[str]:
        """What no run says of itself, in sentences."""
        if self.simulated is (self.api_root is None):
            yield f"simulated is {self.simulated}, and api_root is {self.api_root!r}"
        if not self.types:
            yield "the run looked at no types"
        if len(set(self.types)) < len(self.types):
            yield f"the run looked at one of {', '.join(self.types)} twice"
        if self.whole and (self.resources or not set(TYPES) <= set(self.types)):
            yield "the run was about the whole project, and looked only at some types or resources"
        first = {PROJECT, *map(permissions_of, self.types)}
        rest = {*self.types, INVENTORY, SERVICES}
        for unknown in sorted(set(self.finished) - first - rest):
            yield f"the run finished {unknown!r}, which is no task of it"
        lacking = sorted(first.difference(self.finished))
        if lacking and not rest.isdisjoint(self.finished):
            yield f"what comes after it was finished without {', '.join(lacking)}"

    def asked(self) -> Asked:
        wanted = frozenset((type, name) for type, name in self.resources)
        return Asked(
            environment=self.environment,
            project=self.project,
            scope=Scope(tuple(self.types), wanted, self.whole),
            strict=self.strict,
            deep=self.deep,
            recovery=self.recovery.asked() if self.recovery else None,
            principal=self.principal,
            simulated=self.simulated,
            api_root=self.api_root,
            network_variables=tuple(self.network_variables),
            started_at=self.started_at,
            finished_at=self.finished_at,
        )


class EvidenceFile(_Strict):
    """The whole file."""

    schema_version: Literal["1"]
    tool: _Tool
    run: _Run
    policy: _Policy
    answers: Mapping[str, _Record]
    sha256: str

    def stored(self, path: str) -> Stored:
        run = self.run
        for contradiction in (*run.contradictions(), *self._contradictions(path)):
            raise EvidenceError(f"{path} contradicts itself: {contradiction}")
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

    def _contradictions(self, path: str) -> Iterator[str]:
        asked = Endpoints(self.run.api_root)
        for name, answer in self.answers.items():
            if re.sub(r" #[0-9]+\Z", "", name) != f"{answer.method} {answer.scope}":
                yield f"the call {name!r} is one of {answer.method!r} about {answer.scope!r}"
            for url in (str(request.get("url")) for request in answer.requests):
                if not asked.trusts(url):
                    yield f"{url} was asked, which is not {self.run.api_root or 'Google'}"
        calls = sorted(_time(answer.started_at, path) for answer in self.answers.values())
        began, ended = _time(self.run.started_at, path), _time(self.run.finished_at, path)
        if calls and abs(calls[0] - began) > _CLOCKS_DIFFER:
            yield f"the run began at {self.run.started_at}, and asked first at {calls[0].isoformat()}"
        if calls and calls[-1] - ended > _CLOCKS_DIFFER:
            yield f"the run ended at {self.run.finished_at}, and asked last at {calls[-1].isoformat()}"


def _time(stamp: str, path: str) -> datetime:
    time = moment(stamp)
    if time is None:
        raise EvidenceError(f"{path} has {stamp!r} where a time is due, which is no time")
    return time
