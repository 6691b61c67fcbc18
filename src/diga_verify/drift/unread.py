"""What changed in what could not be read, and in what was expected and not there."""

from __future__ import annotations

from collections.abc import Iterator

from diga_verify.changes import Change, Effect, Kind, State
from diga_verify.drift.places import without_indices
from diga_verify.drift.scope import Seen
from diga_verify.model import PROOF_LACKING, Reason, Unread
from diga_verify.second_witness import INVENTORY

_Key = tuple[str, str, str]
_Expected = tuple[str, str, str]


def of_unread(before: Seen, after: Seen) -> Iterator[Change]:
    """What became unread, what was read again, and what is unread for another reason than before."""
    then, now = _reasons(before, after), _reasons(after, before)
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key):
            old, new = (State(one) if one else None for one in (then.get(key), now.get(key)))
            kind = Kind.UNREAD if new else Kind.READ_AGAIN
            how = Effect.NEUTRAL if old and new else Effect.WORSE if new else Effect.BETTER
            yield Change(kind, how, key[0], key[1], key[2], before=old, after=new)
    yield from _types(before, after)
    yield from _witness(before, after)
    yield from _services(before, after)


def _reasons(seen: Seen, other: Seen) -> dict[_Key, str]:
    """The reasons by what is unread, without what the changes of resources and placements tell already."""
    found: dict[_Key, set[str]] = {}
    for one in seen.report.judgement.unread:
        if _is_comparable(one, seen, other):
            key = (one.type, without_indices(one.scope), one.resource or "")
            found.setdefault(key, set()).add(one.reason.value)
    return {key: ", ".join(sorted(reasons)) for key, reasons in found.items()}


def _is_comparable(one: Unread, seen: Seen, other: Seen) -> bool:
    if one.reason is Reason.UNMATCHED_WAIVER:
        return seen.report.whole and other.report.whole
    if one.type not in seen.types and any(one.type in scope.types for scope in seen.scopes):
        return False  # a type that only one of the two looked at
    if one.resource is None:
        return True
    there = one.resource in seen.resources
    if not there and any(one.resource == judged.resource.full_name for judged in seen.report.judgement.resources):
        return False  # a resource that only one of the two looked at
    return one.reason not in PROOF_LACKING and there == (one.resource in other.resources)


def _types(before: Seen, after: Seen) -> Iterator[Change]:
    """Types at which only one of two runs over the whole project looked: a third party's checker came or went."""
    sides = before.report, after.report
    if not all(one.whole for one in sides):
        return
    then, now = ({one.type: f"{one.distribution} {one.version}" for one in run.checkers} for run in sides)
    for type in sorted(then.keys() ^ now.keys()):
        words = [State(found.get(type, "not looked at")) for found in (then, now)]
        how = Effect.WORSE if type in then else Effect.BETTER
        yield Change(Kind.COVERAGE, how, type, "checker", before=words[0], after=words[1])


def _witness(before: Seen, after: Seen) -> Iterator[Change]:
    """Asset types of which the second witness spoke on one side only, where its silence is not said to be unread."""
    sides = before.report, after.report
    if any(one.type == INVENTORY for side in sides for one in side.judgement.unread):
        return
    then, now = (dict.fromkeys(one.witness.heard, "heard") | dict(one.witness.silent) for one in sides)
    for name in sorted(then.keys() & now.keys()):
        if (then[name] == "heard") != (now[name] == "heard"):
            lost = then[name] == "heard"
            how = Effect.WORSE if lost else Effect.BETTER
            yield Change(Kind.COVERAGE, how, INVENTORY, name, before=State(then[name]), after=State(now[name]))


def _services(before: Seen, after: Seen) -> Iterator[Change]:
    """Enabled services that hold data and are not read, where both runs know what is enabled."""
    services = before.report.services, after.report.services
    if any(one.names is None for one in services):
        return
    then, now = ({one.service: one.product for one in known.not_read} for known in services)
    for service in sorted(then.keys() ^ now.keys()):
        words = [State(f"{found[service]}, not read") if service in found else None for found in (then, now)]
        how = Effect.WORSE if service in now else Effect.BETTER
        yield Change(Kind.COVERAGE, how, "", service, before=words[0], after=words[1])


def of_missing(before: Seen, after: Seen) -> Iterator[Change]:
    """Expected resources that went missing, or are not missing any more, and what they were or are instead."""
    then, now = _missing(before), _missing(after)
    for key in sorted(then - now):
        how = Effect.BETTER if _is_there(after, key) else Effect.NEUTRAL
        yield Change(Kind.NOT_MISSING, how, key[0], _named(key), before=_MISSING, after=_otherwise(after, key))
    for key in sorted(now - then):
        yield Change(Kind.MISSING, Effect.WORSE, key[0], _named(key), before=_otherwise(before, key), after=_MISSING)


_MISSING = State("missing")


def _missing(seen: Seen) -> set[_Expected]:
    asked_for = (one for one in seen.report.judgement.missing if seen.asked_for(one.type, one.name))
    return {(one.type, one.name, one.location or "") for one in asked_for}


def _named(key: _Expected) -> str:
    _, name, location = key
    return f"{name} in {location}" if location else name


def _otherwise(seen: Seen, key: _Expected) -> State:
    """What a run that does not say that a resource is missing says of it."""
    if key[0] in seen.incomplete:
        return State("not read")
    return State("there" if _is_there(seen, key) else "not expected")


def _is_there(seen: Seen, key: _Expected) -> bool:
    type, name, location = key
    return any(
        judged.resource.live
        and (judged.resource.type, judged.resource.name) == (type, name)
        and (not location or any(place.location == location for place in judged.placements))
        for twins in seen.resources.values()
        for judged in twins
    )
