"""What of a run can be compared with another: what both looked at, and what of it each could not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from diga_verify.judgement import JudgedResource, Scope
from diga_verify.model import PROOF_LACKING, Resource, Role
from diga_verify.report import Report

Twins = tuple[JudgedResource, ...]
"""What a run found under one full name: more than one where two answers differ about one resource."""


NOTHING_IN_COMMON = "the two runs looked at nothing that is the same: nothing is compared"


@dataclass(frozen=True, slots=True)
class Seen:
    """One run, as far as the other looked at the same."""

    report: Report
    types: frozenset[str]
    """The types that both looked at."""
    resources: dict[str, Twins]
    """By full name, in the run's order."""
    scopes: tuple[Scope, Scope]
    incomplete: frozenset[str]
    """Types of which something was not read that may have shown anything of the type."""
    troubled: frozenset[str]
    """Full names of the resources of which something was not read."""

    def blind(self, resource: Resource) -> bool:
        """Whether the run could have overlooked a resource, or a part of it, that is there."""
        return resource.type in self.incomplete or not {resource.full_name, resource.owner}.isdisjoint(self.troubled)

    def blind_to(self, both: tuple[Resource, Resource], role: Role) -> bool:
        """Whether it could have overlooked a placement of a resource, as the one run has it or the other. Replicas of
        datasets are seen by a deep run only."""
        shallow = not self.report.deep and (both[0].type, role) == ("bigquery", Role.REPLICA)
        return shallow or any(map(self.blind, both))

    def asked_for(self, type: str, name: str) -> bool:
        """Whether both runs looked for whatever has this name."""
        return type in self.types and all(not one.wanted or (type, name) in one.wanted for one in self.scopes)


def common(old: Report, new: Report) -> tuple[Seen, Seen]:
    """Both runs, each without what the other did not look at."""
    scopes = scope(old), scope(new)
    types = frozenset(scopes[0].types) & frozenset(scopes[1].types)
    owners = {judged.resource.full_name: judged.resource for one in (old, new) for judged in one.judgement.resources}
    seen = partial(_seen, types=types, scopes=scopes, owners=owners)
    return seen(old), seen(new)


def scope(report: Report) -> Scope:
    """What a run looked at."""
    chosen = () if report.whole else report.selection
    wanted = frozenset((type, name) for type, slash, name in (one.partition("/") for one in chosen) if slash)
    return Scope(tuple(origin.type for origin in report.checkers), wanted, report.whole)


def _seen(report: Report, types: frozenset[str], scopes: tuple[Scope, Scope], owners: dict[str, Resource]) -> Seen:
    resources: dict[str, Twins] = {}
    for judged in report.judgement.resources:
        one = judged.resource
        if one.type in types and all(scope.holds(one, owners.get(one.owner)) for scope in scopes):
            resources[one.full_name] = (*resources.get(one.full_name, ()), judged)
    unread = [one for one in report.judgement.unread if one.reason not in PROOF_LACKING]
    return Seen(
        report=report,
        types=types,
        resources=resources,
        scopes=scopes,
        incomplete=frozenset(one.type for one in unread if one.resource is None),
        troubled=frozenset(one.resource for one in unread if one.resource is not None),
    )


def caveats(before: Seen, after: Seen) -> Iterator[str]:
    """What must be known before the changes, or that there are none, can be understood."""
    old, new = before.report, after.report
    wanted = [one.wanted for one in before.scopes]
    apart = all(wanted) and wanted[0].isdisjoint(wanted[1])
    if not before.types or (apart and not (before.resources or after.resources)):
        yield NOTHING_IN_COMMON
    for word, report in (("old", old), ("new", new)):
        if report.interrupted_by is not None:
            yield f"the {word} run was interrupted: what it did not read is not compared"
        elif not report.complete:
            yield f"the {word} run is incomplete: what it could not read is not compared"
        if not report.whole:
            yield f"the {word} run looked only at {', '.join(report.selection)}: nothing else is compared"
    for word, report in (("old", old), ("new", new)):
        left_out = [type for type in scope(report).types if type not in before.types]
        if report.whole and left_out:
            yield f"only the {word} run looked at {', '.join(left_out)}: not compared"
    if old.started_at > new.started_at:
        yield "the old run began after the new one: are they the right way round?"
    if old.simulated or new.simulated:
        which = "both runs" if old.simulated and new.simulated else f"the {'old' if old.simulated else 'new'} run"
        yield f"{which} asked a stand-in, not Google Cloud"
    for word, report in (("old", old), ("new", new)):
        if report.what_if:
            yield f"the {word} report judges stored answers by another policy than the run's own"
    if old.deep != new.deep:
        yield f"only the {'old' if old.deep else 'new'} run was --deep: the other could not see replicas of datasets"
    if old.principal != new.principal:
        yield f"the runs asked as different callers: {old.principal or 'nobody'}, then {new.principal or 'nobody'}"
