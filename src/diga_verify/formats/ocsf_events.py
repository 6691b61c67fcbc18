"""The events of the OCSF report: one for each finding and for each compliant resource, and what they differ in.

What is not verified is a warning that somebody must look at, and never passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diga_verify.assessment import concerned
from diga_verify.controls import CONTROLS, Control
from diga_verify.formats.findings import Finding, Kind, findings, project_name
from diga_verify.formats.words import conclusion, counts, where
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Severity, Verdict
from diga_verify.report import Report

_NO_PROOF = (Kind.NOT_READ, Kind.NOT_PROVEN, Kind.IDLE_WAIVER, Kind.RUN)
_ABOUT_ALL_CONTROLS = (Kind.NOT_READ, Kind.NOT_PROVEN, Kind.RUN)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Codes and captions of one outcome: of the finding, of the compliance check, and as Prowler calls it."""

    status: tuple[int, str]
    compliance: tuple[int, str]
    code: str


_PASS = Outcome((1, "New"), (1, "Pass"), "PASS")
_FAIL = Outcome((1, "New"), (3, "Fail"), "FAIL")
_WAIVED = Outcome((3, "Suppressed"), (3, "Fail"), "FAIL")
_OPEN = Outcome((1, "New"), (2, "Warning"), "MANUAL")


@dataclass(frozen=True, slots=True)
class Event:
    """What events differ in."""

    identity: tuple[str, ...]
    """What lasts from run to run."""
    outcome: Outcome
    severity: int
    """As OCSF numbers them: 1 informational, 3 medium, 4 high, 5 critical."""
    type: str
    title: str
    lines: tuple[str, ...]
    name: str
    """Of what it is about."""
    controls: tuple[Control, ...] = ()
    """Those that it keeps from being satisfied: that one resource passes satisfies none."""
    step: str = ""
    judged: JudgedResource | None = None
    place: JudgedPlacement | None = None
    more: tuple[tuple[str, Any], ...] = ()
    """What OCSF has no place for."""


def events(report: Report) -> Iterator[Event]:
    """Findings first, in the order of their gravity."""
    found = findings(report)
    yield from map(_found, found)
    yield from map(_compliant, report.of(Verdict.COMPLIANT))
    if not found and not report.summary.compliant:
        yield _nothing_due(report)


def _found(finding: Finding) -> Event:
    outcome = _WAIVED if finding.kind is Kind.WAIVED else _OPEN if finding.kind in _NO_PROOF else _FAIL
    reason = finding.reason.value if finding.reason else None
    return Event(
        identity=finding.identity,
        outcome=outcome,
        severity=_severity(finding),
        type=finding.type,
        title=finding.title,
        lines=finding.lines,
        name=finding.name,
        controls=_controls(finding),
        step=finding.step,
        judged=finding.judged,
        place=finding.place,
        more=(("kind", finding.kind.value), ("enforced", finding.enforced), ("line", finding.line), ("reason", reason)),
    )


def _severity(finding: Finding) -> int:
    if finding.place is not None and finding.place.severity is not None:
        return 5 if finding.place.severity is Severity.CRITICAL else 4
    return 3 if finding.kind is Kind.IDLE_WAIVER else 4


def _controls(finding: Finding) -> tuple[Control, ...]:
    if finding.judged is not None:
        return concerned(finding.judged, finding.place)
    return CONTROLS if finding.kind in _ABOUT_ALL_CONTROLS else ()


def _compliant(judged: JudgedResource) -> Event:
    resource = judged.resource
    return Event(
        identity=("compliant", resource.type, resource.full_name),
        outcome=_PASS,
        severity=1,
        type=resource.type,
        title=f"{resource.type} {resource.name}: compliant",
        lines=tuple(dict.fromkeys(f"{place.placement.role} in {where(place)}" for place in judged.placements)),
        name=resource.full_name,
        judged=judged,
        more=(("kind", "compliant"), ("enforced", judged.enforced)),
    )


def _nothing_due(report: Report) -> Event:
    """A compliant run that found nothing because nothing was to be found."""
    return Event(
        identity=("compliant", "run"),
        outcome=_PASS,
        severity=1,
        type="run",
        title="no resources, and none expected",
        lines=(conclusion(report), counts(report)),
        name=project_name(report),
    )
