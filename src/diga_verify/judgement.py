"""The shapes of a judgement: what was asked about, and what the policy makes of it. `evaluate` makes them."""

from __future__ import annotations

from dataclasses import dataclass

from diga_verify.locations.algebra import Bound
from diga_verify.model import Placement, Reason, Resource, Severity, Unread, Verdict
from diga_verify.policy.rules import Allowed, Assumption, Waiver

GRAVEST_FIRST = (Verdict.VIOLATION, Verdict.UNVERIFIED, Verdict.WAIVED, Verdict.COMPLIANT)
"""Of several verdicts about one thing, the first of these that is among them counts."""


@dataclass(frozen=True, slots=True)
class JudgedPlacement:
    """A placement, and what the policy makes of it."""

    placement: Placement
    location: str | None
    """The location judged: the placement's own, or the one that the policy assumes where the API is silent."""
    bound: Bound | None
    verdict: Verdict
    severity: Severity | None
    allowed: Allowed
    waiver: Waiver | None = None
    assumption: Assumption | None = None
    reason: Reason | None = None
    """Why it is unverified, when it is."""


@dataclass(frozen=True, slots=True)
class JudgedResource:
    """A resource, and what all its placements together come to."""

    resource: Resource
    verdict: Verdict
    placements: tuple[JudgedPlacement, ...]
    enforced: bool
    """Whether a violation here, or anything unverified, stops the deployment."""
    declared_unused: bool = False
    """The policy says that the project does not use this type: that it is there is the violation."""

    @property
    def severity(self) -> Severity | None:
        """The gravest of its violations."""
        found = {place.severity for place in self.placements if place.verdict is Verdict.VIOLATION}
        if Severity.CRITICAL in found:
            return Severity.CRITICAL
        return Severity.HIGH if found or self.declared_unused else None


@dataclass(frozen=True, slots=True)
class Missing:
    """A resource that must exist and does not."""

    type: str
    name: str
    location: str | None
    line: int | None
    """The line of the policy that expects it; None when the command line asked for it."""
    alike: tuple[str, ...] = ()
    """Names of the type's resources that might have been meant."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run looks at: all types of the project, or what `-t` and `-r` select."""

    types: tuple[str, ...]
    wanted: frozenset[tuple[str, str]] = frozenset()
    """Type and name of the only resources asked for; empty means all."""
    whole: bool = True

    def holds(self, resource: Resource, owner: Resource | None) -> bool:
        """Whether a resource is asked for. A copy is, where its owner is."""
        if not self.wanted:
            return True
        return any((one.type, one.name) in self.wanted for one in (resource, owner) if one is not None)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts of a run, in the order in which reports show them."""

    resources: tuple[JudgedResource, ...]
    missing: tuple[Missing, ...]
    unread: tuple[Unread, ...]
    declared_unused: tuple[str, ...]
    waivers_used: tuple[Waiver, ...]
