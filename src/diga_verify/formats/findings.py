"""What a report holds against a project, one by one: for the formats that machines keep from run to run.

Every resource that is not compliant, everything missing and everything not verified has a finding, and so has a run
that is not compliant for no other reason. What a finding is stays the same from run to run: see `Finding.identity`.
Texts may hold foreign words: whoever shows them makes them harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from diga_verify.formats.words import about_missing, about_placement, about_unread, about_unused, caveats, counts
from diga_verify.formats.words import conclusion as concluded
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.locations.algebra import normalise
from diga_verify.model import PROOF_LACKING, Reason, Severity, Unread, Verdict
from diga_verify.report import Report

_WITHIN_BRACKETS = re.compile(r"\[[^\]]*\]")


class Kind(StrEnum):
    """What a finding says, the gravest first."""

    OUTSIDE_LAW = "outside-law"
    OUTSIDE_POLICY = "outside-policy"
    UNUSED_TYPE = "unused-type"
    MISSING = "missing"
    NOT_READ = "not-read"
    NOT_PROVEN = "not-proven"
    IDLE_WAIVER = "idle-waiver"
    RUN = "run-not-compliant"
    WAIVED = "waived"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return [*Kind].index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, not verified, or waived."""

    kind: Kind
    enforced: bool
    """Whether it stops the deployment, which a waived one never does."""
    type: str
    name: str
    """Full name of the resource; the scope of what was not read; `TYPE/NAME` of what is missing."""
    title: str
    lines: tuple[str, ...]
    """All there is about it, as in the other formats; one of them may begin with `next: `."""
    line: int | None = None
    """Of the policy: the rule that is broken, the expectation, the waiver. None where no line says so."""
    judged: JudgedResource | None = None
    place: JudgedPlacement | None = None
    unread: Unread | None = None

    @property
    def reason(self) -> Reason | None:
        """Why it is not verified, where a reason is known."""
        return self.unread.reason if self.unread else self.place.reason if self.place else None

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same from run to run: neither lines of the policy nor places in lists, no names of single
        backups, no words of ours save `kind`. Placements that are alike in all of it are one thing."""
        role = self.place.placement.role.value if self.place else ""
        location = normalise(self.place.location or "") if self.place else ""
        field = self.place.placement.field if self.place else self.unread.scope if self.unread else ""
        reason = self.reason.value if self.reason else ""
        return self.kind.value, self.type, self.name, role, _WITHIN_BRACKETS.sub("[]", field), location, reason

    @property
    def step(self) -> str:
        """What to do about it; empty where nothing is to be done."""
        return next((one.removeprefix("next: ") for one in self.lines if one.startswith("next: ")), "")


def findings(report: Report) -> tuple[Finding, ...]:
    """All findings, those that stop a deployment first, then the gravest; else in the order of the report."""
    found = [*_of_resources(report), *_missing(report)]
    found += _unread(report, {_scope(one) for one in found if one.place})
    found += _unmentioned(report, {one.judged.resource.full_name for one in found if one.judged}, found)
    found += _run(report, found)
    return tuple(sorted(found, key=lambda one: (one.kind is Kind.WAIVED, not one.enforced, one.kind.rank)))


def _of_resources(report: Report) -> Iterator[Finding]:
    for judged in report.judgement.resources:
        resource = judged.resource
        enforced = judged.enforced or report.enforced
        if judged.declared_unused:
            title = f"{resource.type} {resource.name}: of a type that is declared unused"
            lines = tuple(about_unused(judged, report))
            yield Finding(
                Kind.UNUSED_TYPE, enforced, resource.type, resource.full_name, title, lines, None, judged=judged
            )
        for place in judged.placements:
            kind = _kind(place)
            if kind is None:
                continue
            title = f"{resource.type} {resource.name}: {place.placement.role} in {place.location or 'no location'}"
            yield Finding(
                kind,
                enforced and kind is not Kind.WAIVED,
                resource.type,
                resource.full_name,
                title,
                tuple(about_placement(judged, place, report)),
                place.waiver.line if place.waiver else place.allowed.line,
                judged,
                place,
            )


def _kind(place: JudgedPlacement) -> Kind | None:
    if place.verdict is Verdict.UNVERIFIED:
        return _kind_of(place.reason)
    if place.verdict is Verdict.VIOLATION:
        return Kind.OUTSIDE_LAW if place.severity is Severity.CRITICAL else Kind.OUTSIDE_POLICY
    return Kind.WAIVED if place.verdict is Verdict.WAIVED else None


def _kind_of(reason: Reason | None) -> Kind:
    if reason is Reason.UNMATCHED_WAIVER:
        return Kind.IDLE_WAIVER
    return Kind.NOT_PROVEN if reason is None or reason in PROOF_LACKING else Kind.NOT_READ


def _missing(report: Report) -> Iterator[Finding]:
    for one in report.judgement.missing:
        name = f"{one.type}/{one.name}{f' in {one.location}' if one.location else ''}"
        lines = tuple(about_missing(one, report))
        title = f"{one.type} {one.name}: expected, and not there"
        yield Finding(Kind.MISSING, report.enforced, one.type, name, title, lines, one.line)


def _unread(report: Report, told: set[tuple[str, Reason | None]]) -> Iterator[Finding]:
    """What is unread, save for placements that have findings of their own."""
    enforced = {one.resource.full_name for one in report.judgement.resources if one.enforced}
    for one in report.judgement.unread:
        if (one.scope, one.reason) not in told:
            own = report.enforced or one.resource in enforced
            title = f"{one.type}: {one.reason}"
            lines = tuple(about_unread(one))
            name = one.resource or one.scope
            yield Finding(_kind_of(one.reason), own, one.type, name, title, lines, unread=one)


def _scope(finding: Finding) -> tuple[str, Reason | None]:
    """What the judgement calls a placement that is not proven, where it lists what is unread."""
    field = finding.place.placement.field if finding.place else ""
    return f"{finding.name} {field}", finding.reason


def _unmentioned(report: Report, mentioned: set[str], found: list[Finding]) -> Iterator[Finding]:
    """Resources that are unverified, and of which nothing else says why."""
    mentioned |= {one.unread.resource for one in found if one.unread and one.unread.resource}
    for judged in report.of(Verdict.UNVERIFIED):
        resource = judged.resource
        if resource.full_name not in mentioned:
            title = f"{resource.type} {resource.name}: not verified"
            lines = (f"{resource.kind} {resource.name}: no places of it are known",)
            enforced = judged.enforced or report.enforced
            yield Finding(
                Kind.NOT_PROVEN, enforced, resource.type, resource.full_name, title, lines, None, judged=judged
            )


def _run(report: Report, found: list[Finding]) -> Iterator[Finding]:
    """The run itself, where it broke off, or is not compliant and nothing found says so."""
    silent = all(one.kind is Kind.WAIVED for one in found)
    wrong = report.verdict is not Verdict.COMPLIANT or report.exit_code != 0
    if report.interrupted_by is not None or (silent and wrong):
        title = f"the run ended {report.verdict}, exit {report.exit_code}"
        lines = (concluded(report), counts(report), *map(str, caveats(report)))
        enforced = report.enforced or report.exit_code != 0
        yield Finding(Kind.RUN, enforced, "run", project_name(report), title, lines)


def project_name(report: Report) -> str:
    """The project as a full resource name."""
    return f"//cloudresourcemanager.googleapis.com/projects/{report.project.id}"
