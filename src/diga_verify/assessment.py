"""What a report says about the control texts that auditors work with. docs/controls.md has the reasons.

A report is about where data is stored. No control is about that alone, so that `satisfied` is never the last word
on one: `Control.scope` says how far it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from diga_verify.controls import CONTROLS, Control, Matter
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.locations.algebra import Bound
from diga_verify.model import Role, Verdict
from diga_verify.report import Report


class Standing(StrEnum):
    """What a report says about a control. Nothing starts out satisfied."""

    SATISFIED = "satisfied"
    """As far as its scope goes, and no further."""
    NOT_SATISFIED = "not-satisfied"
    """Data lies, or may lie, where the control does not have it."""
    NOT_PROVEN = "not-proven"
    """The report shows neither."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A control, and what a report says about it."""

    control: Control
    standing: Standing
    resources: tuple[str, ...]
    """Full names of the resources to which it owes its standing, each once, in the report's order. Empty if it is
    satisfied, or if what keeps it from being proven is no resource: a list that was not read, a part that was selected.
    """


def concerned(judged: JudgedResource, place: JudgedPlacement | None) -> tuple[Control, ...]:
    """The controls that a finding keeps from being satisfied, in the order of `CONTROLS`.

    Without a placement it is about the resource as a whole: what is not read of it touches every control; that its
    type should not be there is no matter of places, and touches none.
    """
    if place is None:
        return CONTROLS if judged.verdict is Verdict.UNVERIFIED else ()
    return tuple(control for control in CONTROLS if _says(_kind(place), control.matter) is not Standing.SATISFIED)


def assessed(report: Report) -> tuple[Assessed, ...]:
    """What a report says about every control, in the order of `CONTROLS`."""
    said = cache(_said)  # there are few kinds of places, however many resources
    against: dict[Matter, dict[str, None]] = {matter: {} for matter in Matter}
    doubtful: dict[Matter, dict[str, None]] = {matter: {} for matter in Matter}
    for judged in report.judgement.resources:
        name = judged.resource.full_name
        for matter, standings in said(frozenset(map(_kind, judged.placements))):
            if Standing.NOT_SATISFIED in standings:
                against[matter][name] = None
            if Standing.NOT_PROVEN in standings or _is_doubtful(judged, matter, report):
                doubtful[matter][name] = None
    return tuple(_assess(one, tuple(against[one.matter]), tuple(doubtful[one.matter]), report) for one in CONTROLS)


def _assess(control: Control, against: tuple[str, ...], doubtful: tuple[str, ...], report: Report) -> Assessed:
    if against:
        return Assessed(control, Standing.NOT_SATISFIED, against)
    # A part of a project, a stand-in, or a policy that did not govern the run proves nothing of the project.
    real = report.whole and not report.simulated and not report.what_if
    proves = real and report.verdict is Verdict.COMPLIANT
    if doubtful or not proves:
        return Assessed(control, Standing.NOT_PROVEN, doubtful)
    return Assessed(control, Standing.SATISFIED, ())


def _is_doubtful(judged: JudgedResource, matter: Matter, report: Report) -> bool:
    """Whether a resource as a whole keeps controls of this matter from being proven."""
    # Only --deep looks for the replicas of a dataset, and replicas are all that this matter is about.
    unseen = matter is Matter.REPLICATION and judged.resource.type == "bigquery" and not report.deep
    return unseen or judged.verdict in (Verdict.VIOLATION, Verdict.UNVERIFIED)


class _Kind(NamedTuple):
    """What of a placement matters to controls."""

    bound: Bound | None
    verdict: Verdict
    role: Role
    assumed: bool


def _kind(place: JudgedPlacement) -> _Kind:
    return _Kind(place.bound, place.verdict, place.placement.role, place.assumption is not None)


def _said(kinds: frozenset[_Kind]) -> Sequence[tuple[Matter, frozenset[Standing]]]:
    """What placements of these kinds say about the controls of each matter."""
    return [(matter, frozenset(_says(kind, matter) for kind in kinds)) for matter in Matter]


def _says(place: _Kind, matter: Matter) -> Standing:
    """What a placement, taken alone, says about a control of this matter."""
    if matter in (Matter.LAW, Matter.TRANSFER):
        return _says_of_countries(place, matter)
    proven = place.verdict is Verdict.COMPLIANT and not place.assumed
    if proven or (matter is Matter.REPLICATION and not _is_copy(place)):
        return Standing.SATISFIED
    # What is waived or assumed is somebody's word: it may be good, and is not proof.
    return Standing.NOT_SATISFIED if place.verdict is Verdict.VIOLATION else Standing.NOT_PROVEN


def _says_of_countries(place: _Kind, matter: Matter) -> Standing:
    """Whatever the policy makes of it: a policy can allow and waive what the law does not."""
    if place.bound is None or place.assumed:
        return Standing.NOT_PROVEN
    if place.bound.lawful:
        return Standing.SATISFIED
    return Standing.NOT_SATISFIED if matter is Matter.LAW else Standing.NOT_PROVEN


def _is_copy(place: _Kind) -> bool:
    """Whether it is, or may be, one of several places where the same data lies."""
    several = place.bound is None or len(place.bound.regions) != 1
    return several or place.role in (Role.REPLICA, Role.BACKUP)
