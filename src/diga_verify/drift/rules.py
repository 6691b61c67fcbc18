"""What changed in the policy, in what is enforced, and in the tool, as far as two reports show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from diga_verify.changes import Change, Effect, Kind, State
from diga_verify.drift.effect import by_rank
from diga_verify.drift.scope import Seen
from diga_verify.locations.algebra import Area, bound, known_entries, normalise
from diga_verify.model import Enforcement, Role
from diga_verify.policy.rules import Allowed, Waiver
from diga_verify.report import Report

_LENIENT_LAST = (Enforcement.REQUIRED, Enforcement.RECOMMENDED, Enforcement.FREE)
_WaiverKey = tuple[str, Role, str]


def of_policy(before: Seen, after: Seen) -> Iterator[Change]:
    """Every change of the policy. A policy that allows, excuses or demands less than before is worse."""
    old, new = before.report, after.report
    yield from _differing(Kind.POLICY, "sha256", old.policy_sha256, new.policy_sha256)
    yield from _enforcement(old, new)
    yield from _allowed(before, after)
    if old.policy_sha256 != new.policy_sha256:
        # With the same policy a waiver is in use or not, which the changes of what it covers tell.
        yield from _waivers(before, after)
    then, now = (frozenset(seen.report.judgement.declared_unused) & seen.types for seen in (before, after))
    for type in sorted(then ^ now):
        words = [State("declared unused" if type in unused else "used") for unused in (then, now)]
        yield Change(Kind.POLICY, Effect.NEUTRAL, type, "unused", before=words[0], after=words[1])


def of_tool(old: Report, new: Report) -> Iterator[Change]:
    """Every change of the program, its tables and its checkers."""
    yield from _differing(Kind.TOOL, "version", old.version, new.version)
    yield from _differing(Kind.TOOL, "location table", old.table_date, new.table_date)
    yield from _differing(Kind.TOOL, "adequacy review", old.adequacy_review_date, new.adequacy_review_date)
    then, now = ({one.type: f"{one.distribution} {one.version}" for one in run.checkers} for run in (old, new))
    for type in sorted(then.keys() & now.keys()):
        # What both distributions are is said by the version of the program.
        if then[type] != now[type] and (then[type], now[type]) != tuple(
            f"diga-verify {one.version}" for one in (old, new)
        ):
            yield from _differing(Kind.TOOL, "checker", then[type], now[type], type)


def _differing(kind: Kind, name: str, then: str, now: str, type: str = "") -> Iterator[Change]:
    if then != now:
        yield Change(kind, Effect.NEUTRAL, type, name, before=State(then), after=State(now))


def _enforcement(old: Report, new: Report) -> Iterator[Change]:
    then, now = (Enforcement.REQUIRED if one.strict else one.enforcement for one in (old, new))
    if then != now:
        how = by_rank((_LENIENT_LAST.index(then),), (_LENIENT_LAST.index(now),))
        yield Change(Kind.ENFORCEMENT, how, "", "enforcement", before=State(then), after=State(now))


def _allowed(before: Seen, after: Seen) -> Iterator[Change]:
    """What the placements of both runs were held against, by type and role."""
    then, now = _rules(before), _rules(after)
    for type, role in sorted(then.keys() & now.keys()):
        old, new = then[type, role], now[type, role]
        if set(old.entries) != set(new.entries):
            words = [State(", ".join(one.entries)) for one in (old, new)]
            how = _width(old.area, new.area, "kms" if role is Role.KEY else type)
            yield Change(Kind.POLICY, how, type, "allowed", role=role, before=words[0], after=words[1])


def _rules(seen: Seen) -> dict[tuple[str, Role], Allowed]:
    return {
        (judged.resource.type, place.placement.role): place.allowed
        for twins in seen.resources.values()
        for judged in twins
        for place in judged.placements
    }


def _width(old: Area, new: Area, type: str) -> Effect:
    """Worse when more is allowed and nothing less."""
    then, now = _allowed_ids(old, type), _allowed_ids(new, type)
    if then == now or not (then <= now or now <= then):
        return Effect.NEUTRAL
    return Effect.WORSE if then < now else Effect.BETTER


@cache
def _allowed_ids(area: Area, type: str) -> frozenset[str]:
    """All locations that the area covers, of those that are known; its zones by their own names."""
    ids = {*known_entries(), *area.names}
    return frozenset(name for name in ids if area.covers(name, bound(name, type)))


def _waivers(before: Seen, after: Seen) -> Iterator[Change]:
    then, now = (_in_force(seen.report.judgement.waivers_used) for seen in (before, after))
    there = before.resources.keys() & after.resources.keys()
    for key in sorted(then.keys() | now.keys()):
        old, new = then.get(key), now.get(key)
        if key[0] in there and _said(old) != _said(new):
            resource = after.resources[key[0]][0].resource
            yield Change(
                Kind.POLICY,
                _leniency(old, new),
                resource.type,
                f"waiver for {key[2]}",
                resource.full_name,
                key[1],
                before=_said(old),
                after=_said(new),
            )


def _in_force(waivers: Iterable[Waiver]) -> dict[_WaiverKey, Waiver]:
    return {(one.resource, one.role, normalise(one.location)): one for one in waivers}


def _said(waiver: Waiver | None) -> State | None:
    return None if waiver is None else State(f"until {waiver.expires}, {waiver.owner}: {waiver.reason}")


def _leniency(old: Waiver | None, new: Waiver | None) -> Effect:
    """A waiver that is there, or lasts longer, excuses more."""
    return by_rank(*((0 if one is None else one.expires.toordinal(),) for one in (old, new)))
