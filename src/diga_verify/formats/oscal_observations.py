"""What OSCAL assessment results say of single resources and findings: inventory items and observations.

Identifiers follow from what they name, so that a resource has the same one in every report. Whatever is of others is
one line without anything that a terminal would obey; what is of our own is in properties of our own namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from diga_verify.formats.findings import Finding, findings
from diga_verify.formats.page import plain
from diga_verify.formats.words import about_placement, about_unused, where, yes
from diga_verify.judgement import GRAVEST_FIRST, JudgedPlacement, JudgedResource
from diga_verify.model import Verdict
from diga_verify.moment import moment
from diga_verify.report import Report

NAMESPACE = "urn:diga-verify:oscal:v1"
"""Of the names of our own that properties have."""
_IDENTIFIERS = UUID("7c0f4f0e-52a6-5d0b-9c3e-6f1f8a3b2d41")
_NO_TIME = "1970-01-01T00:00:00+00:00"
Node = dict[str, Any]
"""One object of an OSCAL document."""
Named = Mapping[str, Sequence[JudgedResource]]
"""The resources by full name. More than one have one name where two answers differ about it."""


@lru_cache(maxsize=64)
def identifier(*parts: str) -> str:
    """A UUID that is the same for the same parts."""
    return str(uuid5(_IDENTIFIERS, json.dumps(parts)))


def tool_id(report: Report) -> str:
    """The identifier of this program, in its version."""
    return identifier("tool", report.version)


def project_id(report: Report) -> str:
    """The identifier of the project that was assessed."""
    return identifier("project", report.project.id)


def item_id(full_name: str, report: Report) -> str:
    """The identifier of a resource."""
    return identifier("resource", report.project.id, full_name)


def string(text: str) -> str:
    """Foreign text as OSCAL takes it: one line, not empty, without blanks at its ends."""
    return plain(text).strip() or "(empty)"


@lru_cache(maxsize=4)
def time(text: str) -> str:
    """A time as OSCAL takes it; what is no time is the beginning of time."""
    at = moment(text)
    return at.isoformat() if at else _NO_TIME


def props(**values: str | None) -> list[Node]:
    """Properties of our own, save those that are empty."""
    return [
        {"name": name.replace("_", "-"), "ns": NAMESPACE, "value": string(value)}
        for name, value in values.items()
        if value
    ]


def by_name(report: Report) -> Named:
    """The resources by full name, in the order of the report."""
    named: dict[str, list[JudgedResource]] = {}
    for judged in report.judgement.resources:
        named.setdefault(judged.resource.full_name, []).append(judged)
    return named


def inventory_item(full_name: str, twins: Sequence[JudgedResource], report: Report) -> Node:
    """A resource as part of the system that was assessed."""
    resource = twins[0].resource
    return {
        "uuid": item_id(full_name, report),
        "description": string(f"{resource.type} {resource.name} ({resource.kind})"),
        "props": props(type=resource.type, name=resource.name, full_name=string(full_name), kind=resource.kind),
    }


class Observations:
    """What was observed of each resource, then of what is none. That of a resource is made when it is its turn."""

    def __init__(self, report: Report, named: Named) -> None:
        self._report = report
        self._named = named
        own = report.project.id, report.environment
        self._of_others: dict[str, Node] = {}
        for finding in findings(report):
            if finding.judged is None:
                uuid = identifier("finding", *own, *finding.identity)
                self._of_others[uuid] = _of_finding(uuid, finding, report, named, self._of_others.get(uuid))
        self.ids: Mapping[str, str] = {
            **{name: identifier("observation", *own, name) for name in named},
            **{uuid: uuid for uuid in self._of_others},
        }
        """Their identifiers, in their order, by what they are about: a resource's full name, or a finding's own."""

    def nodes(self) -> Iterator[Node]:
        """The observations themselves."""
        for name, twins in self._named.items():
            yield _of_resource(self.ids[name], name, twins, self._report)
        yield from self._of_others.values()


def _observation(uuid: str, title: str, lines: Sequence[str], subject: Node, report: Report) -> Node:
    return {
        "uuid": uuid,
        "title": string(title),
        "description": "\n".join(map(plain, lines)),
        "methods": ["EXAMINE"],
        "types": ["finding"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": tool_id(report)}]}],
        "subjects": [subject],
        "collected": time(report.finished_at),
    }


def _of_resource(uuid: str, full_name: str, twins: Sequence[JudgedResource], report: Report) -> Node:
    judged = min(twins, key=lambda one: GRAVEST_FIRST.index(one.verdict))
    resource, severity = judged.resource, judged.severity
    lines = [line for one in twins for line in _about(one, report)]
    subject = {"subject-uuid": item_id(full_name, report), "type": "inventory-item", "title": string(full_name)}
    title = f"{resource.type} {resource.name}: {judged.verdict}"
    observation = _observation(uuid, title, lines or ["no places of it are known"], subject, report)
    observation["types"] = ["control-objective"] if judged.verdict is Verdict.COMPLIANT else ["finding"]
    enforced = report.enforced or any(one.enforced for one in twins)
    observation["props"] = props(verdict=judged.verdict, severity=severity, enforced=yes(enforced))
    evidence = [_evidence(place, report) for one in twins for place in one.placements]
    return observation | ({"relevant-evidence": evidence} if evidence else {})


def _about(judged: JudgedResource, report: Report) -> Iterator[str]:
    if judged.declared_unused:
        yield from about_unused(judged, report)
    for place in judged.placements:
        if place.verdict is Verdict.COMPLIANT:
            yield f"compliant: {place.placement.role} in {where(place)}"
        else:
            first, *more = about_placement(judged, place, report)
            yield f"{place.verdict}: {first}"
            yield from (f"  {line}" for line in more)


def _evidence(place: JudgedPlacement, report: Report) -> Node:
    """Where it was read. With an evidence file, also where in that it stands."""
    placement = place.placement
    kept = {"href": f"#{identifier('evidence', report.evidence.sha256)}"} if report.evidence else {}
    about = f" ({placement.about})" if placement.about else ""
    return {
        **kept,
        "description": string(f"{placement.role} in {where(place)}, read from {placement.field}{about}"),
        "props": props(
            role=placement.role,
            location=place.location,
            field=placement.field,
            verdict=place.verdict,
            severity=place.severity,
            evidence_pointer=placement.source,
        ),
    }


def _of_finding(uuid: str, finding: Finding, report: Report, named: Named, before: Node | None) -> Node:
    """What is missing, unread, or about the run. Of findings that are alike in all that lasts, one has the lines of
    all."""
    subject = {"subject-uuid": project_id(report), "type": "component", "title": string(finding.name)}
    if finding.unread is not None and finding.unread.resource in named:
        subject |= {"subject-uuid": item_id(finding.name, report), "type": "inventory-item"}
    observation = _observation(uuid, finding.title, finding.lines, subject, report)
    if before is not None:
        observation["description"] = f"{before['description']}\n{observation['description']}"
    observation["props"] = props(kind=finding.kind, reason=finding.reason, enforced=yes(finding.enforced))
    return observation
