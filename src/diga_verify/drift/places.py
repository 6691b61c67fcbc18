"""What changed in the places of one resource.

Placements are matched as multisets, by location and by the path of their field without its indices, for lists may
be given in another order each time. Within one role and path, what is left of the old is taken to have moved to what
is left of the new. Backups come and go: one that is gone has moved nowhere.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from diga_verify.changes import Change, Kind, State
from diga_verify.drift.effect import NOT_KNOWN, NOT_THERE, effect
from diga_verify.judgement import JudgedPlacement
from diga_verify.locations.algebra import normalise
from diga_verify.model import Resource, Role, Severity, Verdict

_INDEX = re.compile(r"\[[^\]]*\]")
_Pairs = list[tuple[JudgedPlacement, JudgedPlacement]]


@dataclass(slots=True)
class Turnover:
    """Counts what is not told one by one, since others like it were there before and after."""

    count: int = 0


@dataclass(slots=True)
class Places:
    """The places of one resource in two runs."""

    resource: Resource
    """As the new run has it, or the one run that has it."""
    blind_before: Callable[[Role], bool]
    """Whether the old run could have overlooked a placement of a role."""
    blind_after: Callable[[Role], bool]
    turnover: Turnover
    _told: set[Hashable] = field(default_factory=set)

    def changes(self, old: Sequence[JudgedPlacement], new: Sequence[JudgedPlacement]) -> Iterator[Change]:
        """Every place that is new, gone or judged otherwise, each once however many fields of one path name it."""
        olds, news = sorted(old, key=_order), sorted(new, key=_order)
        before, after = ({(path(one), spot(one)) for one in places} for places in (old, new))
        _, olds, news = _paired(olds, news, lambda one: (path(one), spot(one), one.placement.about, judged(one)))
        stayed, olds, news = _paired(olds, news, lambda one: (path(one), spot(one)))
        moved: _Pairs = []
        for alike in (_itself, _its_path):
            more, olds, news = _paired(olds, news, alike)
            moved += more
        for one, other in stayed:
            if judged(one) != judged(other):
                yield from self._tell(Kind.VERDICT, one, other)
        for one, other in moved:
            yield from self._tell(_kind_of_move(one, other), one, other)
        for one in olds:
            hidden = self.blind_after(one.placement.role)
            kind = None if (path(one), spot(one)) in after else Kind.NOT_SEEN if hidden else Kind.PLACEMENT_VANISHED
            yield from self._tell(kind, one, None)
        for one in news:
            hidden = self.blind_before(one.placement.role)
            kind = None if (path(one), spot(one)) in before else Kind.NEWLY_SEEN if hidden else Kind.PLACEMENT_APPEARED
            yield from self._tell(kind, None, one)

    def _tell(self, kind: Kind | None, old: JudgedPlacement | None, new: JudgedPlacement | None) -> Iterator[Change]:
        both = [one for one in (old, new) if one is not None]
        same = (kind, *((path(one), spot(one), judged(one)) for one in both))
        if kind is None or same in self._told:
            self.turnover.count += len(both)
            return
        self._told.add(same)
        absent = NOT_KNOWN if kind in (Kind.NOT_SEEN, Kind.NEWLY_SEEN) else NOT_THERE
        before, after = (state(one) if one is not None else None for one in (old, new))
        yield Change(
            kind=kind,
            effect=effect(before or absent, after or absent),
            type=self.resource.type,
            name=self.resource.name,
            full_name=self.resource.full_name,
            role=both[-1].placement.role,
            field=both[-1].placement.field,
            about=both[-1].placement.about,
            before=before,
            after=after,
        )


def path(place: JudgedPlacement) -> tuple[Role, str]:
    """The role, and the field's path without the indices and ids in it."""
    return place.placement.role, without_indices(place.placement.field)


def without_indices(field: str) -> str:
    return _INDEX.sub("[]", field)


def spot(place: JudgedPlacement) -> tuple[str, tuple[str, ...]]:
    """The location, and the regions that the answer named as its own, however they are written."""
    members = sorted(normalise(member) for member in place.placement.members)
    return ("" if place.location is None else normalise(place.location)), tuple(members)


def state(place: JudgedPlacement) -> State:
    """The placement as one side of a change: where it is, and what the policy made of it."""
    _, members = spot(place)
    between = f" ({', '.join(members)})" if members else ""
    return State(f"{where(place)}{between}", place.verdict, place.severity)


def judged(place: JudgedPlacement) -> tuple[Verdict, Severity | None]:
    return place.verdict, place.severity


def where(place: JudgedPlacement) -> str:
    """The location, as the API wrote it."""
    return place.location or "no location"


def _kind_of_move(old: JudgedPlacement, new: JudgedPlacement) -> Kind:
    """It is no move when nobody knows where from, or where to."""
    if old.location is None:
        return Kind.NEWLY_SEEN
    return Kind.NOT_SEEN if new.location is None else Kind.MOVED


def _itself(place: JudgedPlacement) -> Hashable:
    """The same thing whatever its number in the list. A backup is told by its whole field, which holds its id."""
    one = place.placement
    return ((one.role, one.field) if _is_backup(place) else path(place)), one.about


def _its_path(place: JudgedPlacement) -> Hashable | None:
    return None if _is_backup(place) else path(place)


def _is_backup(place: JudgedPlacement) -> bool:
    """Whether it tells of one of the backups, as opposed to where they are configured to go."""
    field = place.placement.field
    return "[" in field and (place.placement.role is Role.BACKUP or field.startswith("backup"))


def _order(place: JudgedPlacement) -> tuple[object, ...]:
    one = place.placement
    return (one.role, one.field, *spot(place), one.about, place.verdict, place.severity or "")


def _paired(
    olds: Sequence[JudgedPlacement], news: Sequence[JudgedPlacement], alike: Callable[[JudgedPlacement], Hashable]
) -> tuple[_Pairs, list[JudgedPlacement], list[JudgedPlacement]]:
    """Pairs with an equal key, each placement in one pair at most, and what is left of both. None is no key."""
    waiting: dict[Hashable, deque[JudgedPlacement]] = {}
    for one in news:
        waiting.setdefault(alike(one), deque()).append(one)
    pairs: _Pairs = []
    left: list[JudgedPlacement] = []
    for one in olds:
        partners = waiting.get(key) if (key := alike(one)) is not None else None
        if partners:
            pairs.append((one, partners.popleft()))
        else:
            left.append(one)
    return pairs, left, sorted((one for ones in waiting.values() for one in ones), key=_order)
