"""From the shape of a stored report to the Report that it was written of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from diga_verify.judgement import JudgedPlacement, JudgedResource, Judgement, Missing
from diga_verify.locations.algebra import Area, Bound, UnknownEntry, area
from diga_verify.model import Asset, Call, Placement, Project, Recovery, Resource, Unread, Witness
from diga_verify.policy.rules import Allowed, Assumption, Waiver
from diga_verify.report import CheckerOrigin, Evidence, Limit, Report
from diga_verify.services import DataService, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diga_verify.formats.stored.models import (
        StoredPlacement,
        StoredRecovery,
        StoredReport,
        StoredResource,
        StoredServices,
        StoredWitness,
    )


@dataclass(frozen=True, slots=True)
class _BoundOfItsTime(Bound):
    """A bound of which the law said something else when the report was written than our table says now."""

    was_lawful: bool = False

    @property
    def lawful(self) -> bool:
        return self.was_lawful


def rebuilt(stored: StoredReport) -> Report:
    """The report. Raises ValueError where a part of it is no possible value; checks.py looks at all of it together."""
    builder = _Builder(stored)
    whole = stored.scope == "project"
    return Report(
        environment=stored.environment,
        enforcement=stored.enforcement,
        strict=stored.strict,
        deep=stored.deep,
        project=Project(stored.project.id, stored.project.number, stored.project.state),
        policy_path=stored.policy.path,
        policy_sha256=stored.policy.sha256,
        principal=stored.principal,
        started_at=stored.started_at,
        finished_at=stored.finished_at,
        simulated=stored.simulated,
        api_root=stored.api_root,
        network_variables=stored.network_variables,
        whole=whole,
        selection=tuple(one.type for one in stored.checkers) if whole else stored.selection,
        judgement=builder.judgement(),
        witness=_witness(stored.second_witness),
        calls=tuple(
            Call(one.service, one.method, one.scope, one.pages, one.status, one.started_at, one.duration_ms)
            for one in stored.calls
        ),
        checkers=tuple(
            CheckerOrigin(one.type, one.distribution, one.version, one.permissions) for one in stored.checkers
        ),
        limits=tuple(Limit(one.type, one.text, one.kind) for one in stored.limits),
        table_date=stored.tables.locations,
        adequacy_review_date=stored.tables.adequacy_review,
        interrupted_by=stored.interrupted_by,
        services=_services(stored.services),
        evidence=Evidence(stored.evidence.sha256) if stored.evidence else None,
        what_if=stored.what_if,
        drift=stored.drift.rebuilt() if stored.drift else None,
        recovery=_recovery(stored.after_restore) if stored.after_restore else None,
        version=stored.tool.version,
    )


class _Builder:
    """The judgement of one report. What many placements have in common is made once."""

    def __init__(self, stored: StoredReport) -> None:
        self._stored = stored
        self._waivers = tuple(
            Waiver(one.resource, one.role, one.location, one.reason, one.owner, one.expires, one.line)
            for one in stored.waivers
        )
        self._waivers_of: dict[str, list[Waiver]] = {}
        for waiver in self._waivers:
            self._waivers_of.setdefault(waiver.resource, []).append(waiver)
        self._allowed = cache(_allowed)
        self._bound = cache(_bound)

    def judgement(self) -> Judgement:
        stored = self._stored
        resources = tuple(map(self._resource, stored.resources))
        used = {place.waiver for judged in resources for place in judged.placements if place.waiver is not None}
        return Judgement(
            resources=resources,
            missing=tuple(Missing(one.type, one.name, one.location, one.line, one.alike) for one in stored.missing),
            unread=tuple(
                Unread(one.type, one.scope, one.reason, one.detail, one.resource, one.off_in_project)
                for one in stored.unread
            ),
            declared_unused=stored.declared_unused,
            waivers_used=tuple(waiver for waiver in self._waivers if waiver in used),
        )

    def _resource(self, one: StoredResource) -> JudgedResource:
        places = tuple(self._placement(place, one) for place in one.placements)
        resource = Resource(
            type=one.type,
            name=one.name,
            full_name=one.full_name,
            kind=one.kind,
            placements=tuple(place.placement for place in places),
            labels=one.labels,
            owner=one.owner or "",
            live=one.live,
        )
        return JudgedResource(resource, one.verdict, places, one.enforced, one.declared_unused)

    def _placement(self, one: StoredPlacement, resource: StoredResource) -> JudgedPlacement:
        read = one.read
        return JudgedPlacement(
            placement=Placement(
                role=one.role,
                location=read.location,
                field=one.field,
                members=read.members,
                reason=read.reason,
                about=one.about or "",
                source=one.evidence,
            ),
            location=one.location,
            bound=self._bound(one.regions, one.countries, one.stands_for, one.anywhere, one.lawful),
            verdict=one.verdict,
            severity=one.severity,
            allowed=self._allowed(one.allowed, one.allowed_sets, one.rule_line),
            waiver=self._waiver(one, resource.full_name) if one.waiver_line is not None else None,
            assumption=_assumption(one),
            reason=one.reason,
        )

    def _waiver(self, one: StoredPlacement, full_name: str) -> Waiver | None:
        """The policy's first that fits, as when the run judged."""
        waivers = self._waivers_of.get(full_name, ())
        return next((waiver for waiver in waivers if waiver.matches(full_name, one.role, one.location)), None)


def _assumption(one: StoredPlacement) -> Assumption | None:
    if one.assumed_line is None or one.location is None:
        return None
    return Assumption(one.location, one.assumed_line)


def _bound(
    regions: tuple[str, ...],
    countries: tuple[str, ...],
    description: str | None,
    anywhere: bool | None,
    lawful: bool | None,
) -> Bound | None:
    if description is None or anywhere is None or lawful is None:
        return None
    bound = Bound(regions, countries, anywhere, description)
    return bound if bound.lawful is lawful else _BoundOfItsTime(regions, countries, anywhere, description, lawful)


def _allowed(entries: tuple[str, ...], sets: tuple[str, ...], line: int) -> Allowed:
    return Allowed(_area(entries), entries, sets, line)


def _area(entries: Sequence[str]) -> Area:
    """What the entries allow; one that our table does not know (any more) allows what is called so."""
    whole = Area()
    for entry in entries:
        try:
            whole |= area([entry])
        except UnknownEntry:
            whole |= Area(names=frozenset({entry.lower()}))
    return whole


def _recovery(stored: StoredRecovery) -> Recovery:
    return Recovery(
        since=stored.since,
        before=tuple((one.type, one.name, one.full_name) for one in stored.before),
        sources=tuple((one.type, one.name, one.source) for one in stored.restored_from),
        max_age_hours=stored.backup_newer_than_hours,
    )


def _services(stored: StoredServices) -> Services:
    not_read = tuple(DataService(one.service, one.product, one.holds) for one in stored.not_read)
    return Services(stored.enabled, stored.reason, not_read)


def _witness(stored: StoredWitness) -> Witness:
    return Witness(
        heard=stored.heard,
        silent=tuple((one.asset_type, one.reason) for one in stored.silent),
        assets=tuple(Asset(one.type, one.full_name) for one in stored.listed),
    )
