"""The shape of a stored report, strictly as formats/json.py writes it: report.schema.json as pydantic models.

What its values mean to each other is for checks.py.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from diga_verify.assessment import Standing
from diga_verify.formats.stored.drift import StoredDrift
from diga_verify.formats.stored.kinds import (
    Count,
    Countries,
    Day,
    Line,
    OneReason,
    OneRole,
    OneSeverity,
    OneVerdict,
    Sha256,
    Signal,
    Table,
    Texts,
    Time,
)
from diga_verify.model import Enforcement
from diga_verify.report import LimitKind


class Tool(Table):
    name: Literal["diga-verify"]
    version: str


class ProjectRecord(Table):
    id: str
    number: str | None
    state: str | None


class PolicyFile(Table):
    path: str
    sha256: Sha256


class Counts(Table):
    resources: Count
    compliant: Count
    violations: Count
    unverified: Count
    waived: Count
    missing: Count
    unread: Count


class ReadPlacement(Table):
    location: str | None
    members: Texts
    reason: OneReason | None


class StoredPlacement(Table):
    role: OneRole
    location: str | None
    regions: Texts
    countries: Countries
    stands_for: str | None
    anywhere: bool | None
    lawful: bool | None
    field: str
    about: str | None
    read: ReadPlacement
    evidence: str | None
    verdict: OneVerdict
    severity: OneSeverity | None
    allowed: Texts
    allowed_sets: Texts
    rule_line: Line
    assumed: bool
    assumed_line: Line | None
    waiver_line: Line | None
    reason: OneReason | None
    next: str | None


class StoredResource(Table):
    type: str
    name: str
    full_name: str
    kind: str
    verdict: OneVerdict
    severity: OneSeverity | None
    enforced: bool
    declared_unused: bool
    labels: dict[str, str]
    owner: str | None
    live: bool
    placements: list[StoredPlacement]


class StoredMissing(Table):
    type: str
    name: str
    location: str | None
    line: Line | None
    alike: Texts


class StoredUnread(Table):
    type: str
    scope: str
    reason: OneReason
    detail: str
    resource: str | None
    off_in_project: bool


class SilentAssets(Table):
    asset_type: str
    reason: OneReason


class ListedAsset(Table):
    type: str
    full_name: str


class StoredWitness(Table):
    name: str
    heard: Texts
    silent: list[SilentAssets]
    assets: Count
    listed: list[ListedAsset]


class StoredWaiver(Table):
    resource: str
    role: OneRole
    location: str
    reason: str
    owner: str
    expires: Annotated[date, Field(strict=False)]
    line: Line


class StoredLimit(Table):
    type: str
    text: str
    kind: Annotated[LimitKind, Field(strict=False)]


class UnreadService(Table):
    service: str
    product: str
    holds: str


class StoredServices(Table):
    enabled: Texts | None
    reason: OneReason | None
    not_read: list[UnreadService]


class StoredControl(Table):
    id: str
    framework: str
    clause: str
    title: str
    summary: str
    scope: str
    url: str
    standing: Annotated[Standing, Field(strict=False)]
    resources: Texts


class EvidenceFile(Table):
    sha256: Sha256


class StoredChecker(Table):
    type: str
    distribution: str
    version: str
    permissions: Texts


class Tables(Table):
    locations: Day
    adequacy_review: Day


class StoredCall(Table):
    service: str
    method: str
    scope: str
    pages: Count
    status: str
    started_at: Time
    duration_ms: Count


class StoredThere(Table):
    type: str
    name: str
    full_name: str


class StoredSource(Table):
    type: str
    name: str
    source: str


class StoredRecovery(Table):
    since: Time | None
    before: list[StoredThere]
    restored_from: list[StoredSource]
    backup_newer_than_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None


class StoredReport(Table):
    """The whole document."""

    schema_version: Literal["1"]
    tool: Tool
    environment: str
    enforcement: Annotated[Enforcement, Field(strict=False)]
    strict: bool
    deep: bool
    after_restore: StoredRecovery | None
    project: ProjectRecord
    policy: PolicyFile
    principal: str | None
    started_at: Time
    finished_at: Time
    verdict: OneVerdict
    complete: bool
    exit_code: Count
    interrupted_by: Signal | None
    what_if: bool
    simulated: bool
    api_root: str | None
    network_variables: Texts
    scope: Literal["project", "selected"]
    selection: Texts
    summary: Counts
    resources: list[StoredResource]
    missing: list[StoredMissing]
    unread: list[StoredUnread]
    second_witness: StoredWitness
    declared_unused: Texts
    waivers: list[StoredWaiver]
    limits: list[StoredLimit]
    services: StoredServices
    controls: list[StoredControl]
    evidence: EvidenceFile | None
    drift: StoredDrift | None
    checkers: list[StoredChecker]
    tables: Tables
    calls: list[StoredCall]
