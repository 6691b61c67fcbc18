"""The judgement: resources and a policy in, verdicts out. Pure: no clock, no network, no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from diga_verify import absent
from diga_verify.judgement import GRAVEST_FIRST, JudgedPlacement, JudgedResource, Judgement, Scope
from diga_verify.locations.algebra import bound
from diga_verify.model import Enforcement, Placement, Reason, Resource, Role, Severity, Unread, Verdict
from diga_verify.policy.rules import Rules, Waiver

_KEPT = 4096
"""So many judgements are kept, for most placements of a large project are like others."""


def evaluate(
    resources: Iterable[Resource],
    unread: Iterable[Unread],
    rules: Rules,
    scope: Scope,
    enforcement: Enforcement,
) -> Judgement:
    """Judge everything in `scope`. `unread` is what the run could not read; what cannot be proven is added to it."""
    found = sorted(set_apart(resources), key=lambda one: (_rank(scope, one.type), one.full_name))
    owners = {one.full_name: one for one in found}
    settled = [one for one in unread if not rules.settles(one)]
    empty = [*absent.nothing_found(found, settled, rules, scope)]
    missing = tuple(absent.missing(found, settled, rules, scope))
    chosen = [one for one in found if scope.holds(one, owners.get(one.owner))]
    # What is about a resource that nobody asked for is left out; about one that nobody found, it is kept.
    others = owners.keys() - {one.full_name for one in chosen}
    kept = [one for one in (*settled, *empty) if one.resource not in others]
    troubled = {one.resource for one in kept if one.resource}
    judge = _Judge(rules, enforcement)
    judged = tuple(judge.resource(one, owners.get(one.owner), one.full_name in troubled) for one in chosen)
    unproven = [one for resource in judged for one in _unproven(resource)]
    used = {place.waiver for resource in judged for place in resource.placements if place.waiver is not None}
    idle = [*absent.unmatched(used, kept, rules, scope)]
    return Judgement(
        resources=judged,
        missing=missing,
        unread=tuple(sorted({*kept, *unproven, *idle}, key=lambda one: _unread_order(scope, one))),
        declared_unused=tuple(type for type in scope.types if type in rules.unused),
        waivers_used=tuple(waiver for waiver in rules.waivers if waiver in used),
    )


def set_apart(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Each resource once; where two answers differ about one resource, both stand, for either may be true."""
    first: dict[str, Resource] = {}
    twins: dict[tuple[str, tuple[Placement, ...]], list[Resource]] = {}
    for resource in resources:
        name = resource.full_name
        if name not in first:
            first[name] = resource
            yield resource
        elif resource != first[name]:
            others = twins.setdefault((name, resource.placements), [])
            if resource not in others:
                others.append(resource)
                yield resource


class _Judge:
    """Judges resources by the rules. Placements that are alike are judged once, and share what was found."""

    def __init__(self, rules: Rules, enforcement: Enforcement) -> None:
        self._rules = rules
        self._enforced = enforcement is Enforcement.REQUIRED
        self._waivers: dict[str, list[Waiver]] = {}
        for waiver in rules.waivers:
            self._waivers.setdefault(waiver.resource, []).append(waiver)
        # Placements are equal wherever in the evidence they stand, and must not be taken for each other there.
        self._alike = lru_cache(_KEPT)(lambda place, _source, type: _judge_placement(place, type, rules))

    def resource(self, resource: Resource, owner: Resource | None, troubled: bool) -> JudgedResource:
        """`troubled`: something about it is unread."""
        placements = tuple(self._placement(place, resource) for place in resource.placements)
        verdicts = {place.verdict for place in placements}
        unused = resource.type in self._rules.unused
        if unused:
            verdicts.add(Verdict.VIOLATION)
        if troubled or not placements:
            verdicts.add(Verdict.UNVERIFIED)
        personal = any(self._rules.holds_personal_data(one.labels) for one in (resource, owner) if one is not None)
        return JudgedResource(
            resource=resource,
            verdict=next(verdict for verdict in GRAVEST_FIRST if verdict in verdicts),
            placements=placements,
            enforced=self._enforced or personal,
            declared_unused=unused,
        )

    def _placement(self, place: Placement, resource: Resource) -> JudgedPlacement:
        judged = self._alike(place, place.source, resource.type)
        if judged.verdict is not Verdict.VIOLATION:
            return judged
        waivers = self._waivers.get(resource.full_name, ())
        waiver = next((one for one in waivers if one.matches(resource.full_name, place.role, judged.location)), None)
        return judged if waiver is None else replace(judged, verdict=Verdict.WAIVED, waiver=waiver)


def _judge_placement(place: Placement, type: str, rules: Rules) -> JudgedPlacement:
    """What the rules make of a placement of a resource of this type; waivers do not count here."""
    allowed = rules.allowed(type, place.role)
    assumption = rules.assumed_location(type, place.role) if place.reason is Reason.DEFAULT_LOCATION else None
    location = assumption.location if assumption is not None else place.location
    # A key lies where Cloud KMS says, whatever it encrypts.
    known = bound(location, "kms" if place.role is Role.KEY else type, place.members)
    if allowed.area.covers(location, known):
        return JudgedPlacement(place, location, known, Verdict.COMPLIANT, None, allowed, assumption=assumption)
    if known is None:
        reason = place.reason or (Reason.UNKNOWN_LOCATION if location else Reason.MISSING_LOCATION)
        return JudgedPlacement(place, location, None, Verdict.UNVERIFIED, None, allowed, reason=reason)
    severity = Severity.HIGH if known.lawful else Severity.CRITICAL
    return JudgedPlacement(place, location, known, Verdict.VIOLATION, severity, allowed, assumption=assumption)


def _unproven(judged: JudgedResource) -> Iterator[Unread]:
    if not judged.placements:
        one = judged.resource
        detail = f"{one.kind} {one.name}: its checker found no place where it keeps data"
        yield Unread(one.type, one.full_name, Reason.MISSING_LOCATION, detail, resource=one.full_name)
    for place in judged.placements:
        if place.verdict is Verdict.UNVERIFIED and place.reason is not None:
            resource = judged.resource
            yield Unread(
                resource.type,
                f"{resource.full_name} {place.placement.field}",
                place.reason,
                f"{resource.kind} {resource.name}: {_why(place)}",
                resource=resource.full_name,
            )


def _why(place: JudgedPlacement) -> str:
    about = f" ({place.placement.about})" if place.placement.about else ""
    said = {
        Reason.UNKNOWN_LOCATION: f"nothing is known about the location {place.location!r}",
        Reason.MISSING_LOCATION: "the answer names no location",
        Reason.DEFAULT_LOCATION: "the answer names no location, so the service chooses one, and no backup shows which",
        Reason.EXTERNAL_KEY: "the key material is held outside Google, and no API tells where",
        Reason.EXTERNAL_DATA: "the data is kept by another system, and the API does not tell where",
        Reason.UNKNOWN_SOURCE: "what it was restored from is not known to lie in this project",
        Reason.MALFORMED_ANSWER: "the field holds something that tells no place we know how to judge",
    }
    return f"{said.get(place.reason or Reason.MISSING_LOCATION, 'it could not be read')}{about}"


def _rank(scope: Scope, type: str) -> int:
    return scope.types.index(type) if type in scope.types else len(scope.types)


def _unread_order(scope: Scope, unread: Unread) -> tuple[int, str, str, str, str, bool]:
    about = unread.resource or ""
    return (_rank(scope, unread.type), unread.scope, unread.reason, unread.detail, about, unread.off_in_project)
