"""What changed in the resources: which there are, where they are, and what the policy made of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from diga_verify.changes import Change, Effect, Kind, State
from diga_verify.drift.effect import NOT_KNOWN, NOT_THERE, effect, of_verdict, rank
from diga_verify.drift.places import Places, Turnover, path, spot, where
from diga_verify.drift.scope import Seen, Twins
from diga_verify.model import Role


def of_resources(before: Seen, after: Seen, turnover: Turnover) -> Iterator[Change]:
    """Every change of a resource or of one of its placements."""
    gone = [name for name in before.resources if name not in after.resources]
    come = [name for name in after.resources if name not in before.resources]
    anew = _made_anew(before, gone, after, come)
    for old, new in [*((name, name) for name in before.resources if name in after.resources), *anew]:
        yield from _of_resource(before, after, before.resources[old], after.resources[new], turnover)
    for twins in _unlike(before, set(gone) - {old for old, _ in anew}, after, turnover):
        hidden = after.blind(twins[0].resource)
        kind, now = (Kind.NOT_SEEN, NOT_KNOWN) if hidden else (Kind.VANISHED, NOT_THERE)
        then = _summary(twins)
        yield _change(kind, effect(then, now), twins, before=then)
    for twins in _unlike(after, set(come) - {new for _, new in anew}, before, turnover):
        hidden = before.blind(twins[0].resource)
        kind, then = (Kind.NEWLY_SEEN, NOT_KNOWN) if hidden else (Kind.APPEARED, NOT_THERE)
        now = _summary(twins)
        yield _change(kind, effect(then, now), twins, after=now)


def _of_resource(before: Seen, after: Seen, old: Twins, new: Twins, turnover: Turnover) -> Iterator[Change]:
    resource = new[0].resource
    if old[0].resource.full_name != resource.full_name:
        names = [replace(_gravest(twins), value=twins[0].resource.full_name) for twins in (old, new)]
        yield _change(Kind.MOVED, effect(*names), new, *names)
    then, now = _gravest(old), _gravest(new)
    if then != now:
        yield _change(Kind.VERDICT, effect(then, now), new, then, now)
    yield from _of_enforcement(before, after, old, new)
    both = old[0].resource, resource
    places = Places(resource, partial(before.blind_to, both), partial(after.blind_to, both), turnover)
    yield from places.changes(*([place for one in twins for place in one.placements] for twins in (old, new)))


def _of_enforcement(before: Seen, after: Seen, old: Twins, new: Twins) -> Iterator[Change]:
    """A resource whose labels no longer say that it holds personal data may be judged more leniently from now on."""
    then, now = (any(one.enforced for one in twins) for twins in (old, new))
    if then != now and before.report.enforced == after.report.enforced:
        words = [State("enforced" if one else "not enforced") for one in (then, now)]
        yield _change(Kind.ENFORCEMENT, Effect.WORSE if then else Effect.BETTER, new, *words)


def _made_anew(before: Seen, gone: Sequence[str], after: Seen, come: Sequence[str]) -> list[tuple[str, str]]:
    """Old and new full names of what was removed here and made anew there: one name and kind, in full names that hold
    a location. Only where that name is the only one on both sides, and both sides could have seen both."""
    olds = _by_short_name(before, (name for name in gone if not after.blind(before.resources[name][0].resource)))
    news = _by_short_name(after, (name for name in come if not before.blind(after.resources[name][0].resource)))
    both = [(olds[key], news[key]) for key in olds if key in news]
    return [(old[0], new[0]) for old, new in both if len(old) == len(new) == 1]


def _by_short_name(seen: Seen, names: Iterable[str]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for name in names:
        one = seen.resources[name][0].resource
        found.setdefault((one.type, one.kind, one.name), []).append(name)
    return found


def _unlike(here: Seen, names: set[str], there: Seen, turnover: Turnover) -> Iterator[Twins]:
    """Without backups of which there are others at the very same places: those come and go every day."""
    known = {_signature(twins) for twins in there.resources.values()}
    for name, twins in here.resources.items():
        if name in names and _is_backup(twins) and _signature(twins) in known:
            turnover.count += 1
        elif name in names:
            yield twins


def _is_backup(twins: Twins) -> bool:
    roles = {place.placement.role for one in twins for place in one.placements}
    return Role.BACKUP in roles and roles <= {Role.BACKUP, Role.KEY}


def _signature(twins: Twins) -> Hashable:
    one = twins[0].resource
    places = frozenset((path(place), spot(place)) for judged in twins for place in judged.placements)
    return one.type, one.kind, one.owner, places, _gravest(twins)


def _gravest(twins: Twins) -> State:
    states = [of_verdict(one.verdict, one.severity) for one in twins]
    return max(states, key=rank)


def _summary(twins: Twins) -> State:
    """A whole resource as one side of a change: its places, and what the policy made of them."""
    found = dict.fromkeys(f"{place.placement.role} {where(place)}" for one in twins for place in one.placements)
    return replace(_gravest(twins), value=", ".join(found) or "no known place")


def _change(kind: Kind, how: Effect, twins: Twins, before: State | None = None, after: State | None = None) -> Change:
    one = twins[0].resource
    return Change(kind, how, one.type, one.name, one.full_name, before=before, after=after)
