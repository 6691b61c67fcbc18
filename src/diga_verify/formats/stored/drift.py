"""The changes in a stored report: drift.schema.json as pydantic models, and the `Drift` that they were written of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from diga_verify.changes import Change, Drift, Effect, Kind, Side, State
from diga_verify.formats.stored.kinds import Count, OneRole, OneSeverity, OneVerdict, Sha256, Table, Texts, Time


class StoredState(Table):
    value: str
    verdict: OneVerdict | None
    severity: OneSeverity | None

    def rebuilt(self) -> State:
        return State(self.value, self.verdict, self.severity)


class StoredChange(Table):
    kind: Annotated[Kind, Field(strict=False)]
    effect: Annotated[Effect, Field(strict=False)]
    type: str | None
    name: str
    full_name: str | None
    role: OneRole | None
    field: str | None
    about: str | None
    before: StoredState | None
    after: StoredState | None

    def rebuilt(self) -> Change:
        return Change(
            kind=self.kind,
            effect=self.effect,
            type=self.type or "",
            name=self.name,
            full_name=self.full_name or "",
            role=self.role,
            field=self.field or "",
            about=self.about or "",
            before=self.before.rebuilt() if self.before else None,
            after=self.after.rebuilt() if self.after else None,
        )


class StoredSide(Table):
    started_at: Time
    finished_at: Time
    verdict: OneVerdict
    complete: bool
    exit_code: Count
    simulated: bool
    deep: bool
    scope: Literal["project", "selected"]
    selection: Texts
    policy_sha256: Sha256
    principal: str | None
    tool_version: str

    def rebuilt(self) -> Side:
        return Side(
            started_at=self.started_at,
            finished_at=self.finished_at,
            verdict=self.verdict,
            complete=self.complete,
            exit_code=self.exit_code,
            simulated=self.simulated,
            deep=self.deep,
            whole=self.scope == "project",
            selection=self.selection,
            policy_sha256=self.policy_sha256,
            principal=self.principal,
            version=self.tool_version,
        )


class ChangeCounts(Table):
    changes: Count
    worse: Count
    better: Count
    neutral: Count
    turnover: Count


class StoredDrift(Table):
    """The whole document."""

    schema_version: Literal["1"]
    environment: str
    project: str
    old: StoredSide
    new: StoredSide
    summary: ChangeCounts
    caveats: Texts
    changes: list[StoredChange]

    def rebuilt(self) -> Drift:
        return Drift(
            environment=self.environment,
            project=self.project,
            old=self.old.rebuilt(),
            new=self.new.rebuilt(),
            changes=tuple(one.rebuilt() for one in self.changes),
            turnover=self.summary.turnover,
            caveats=self.caveats,
        )
