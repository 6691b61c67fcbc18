"""What a policy allows, and whether a location lies within it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from diga_verify.locations.bound import Bound, bound_of_multi, bound_of_regions, normalise, region_of
from diga_verify.locations.table import table

if TYPE_CHECKING:
    from collections.abc import Iterable

_JURISDICTION = "jurisdiction:"


class UnknownEntry(ValueError):  # noqa: N818 - it names what the policy's author wrote
    """A policy names something that is no jurisdiction and no location that stands for anything known."""

    def __init__(self, entry: str, suggestions: tuple[str, ...]) -> None:
        reasons = dict.fromkeys(left_out.reason for left_out in table().unknown if left_out.id == entry.lower())
        why = f" ({' '.join(reasons)})" if reasons else ""
        hint = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"{entry!r} stands for no known location{why}{hint}")
        self.entry = entry
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class Area:
    """What a policy allows: the union of its entries."""

    regions: frozenset[str] = frozenset()
    jurisdictions: frozenset[str] = frozenset()
    """`EU`, `EEA`, `CH`, `adequacy`, or a country's code."""
    names: frozenset[str] = frozenset()
    """Zones, dual- and multi-regions and `global`, each allowed by its own name."""

    def covers(self, location: str | None, bound: Bound | None) -> bool:
        """Whether a location is allowed: by its name, or because its bound lies wholly within the area.

        A name allows what it stands for and no more: for another type the same name may be that of other regions. A
        location without a bound is never allowed, and `anywhere` is never within a jurisdiction.
        """
        if location is None or bound is None:
            return False
        if self._allows_by_name(normalise(location), bound):
            return True
        if bound.anywhere:
            return False
        countries = self._countries()
        if bound.regions:
            regions = table().regions
            return all(id_ in self.regions or regions[id_].country in countries for id_ in bound.regions)
        return countries.issuperset(bound.countries)

    def __or__(self, other: Area) -> Area:
        return Area(
            regions=self.regions | other.regions,
            jurisdictions=self.jurisdictions | other.jurisdictions,
            names=self.names | other.names,
        )

    def _allows_by_name(self, id_: str, bound: Bound) -> bool:
        return id_ in self.names and any(meant.holds(bound) for meant in _meanings(id_))

    def _countries(self) -> frozenset[str]:
        return _countries_of(self.jurisdictions)


@cache
def _countries_of(jurisdictions: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(table().jurisdictions[name] for name in jurisdictions))


def area(entries: Iterable[str]) -> Area:
    """The union of entries: a region, a zone, a dual- or multi-region, `global`, `jurisdiction:NAME`.

    Upper and lower case are alike in locations, and not in jurisdictions. Raises `UnknownEntry`.
    """
    whole = Area()
    for entry in entries:
        whole |= _area_of(entry)
    return whole


def known_entries() -> tuple[str, ...]:
    """Everything that `area` accepts, in lower case, save the zones: a region's id and `ZONE_SUFFIX`."""
    ids = {*table().regions, *(multi.id for multi in table().multis)}
    return (*sorted(ids), *sorted(_JURISDICTION + name for name in table().jurisdictions))


def _area_of(entry: str) -> Area:
    id_ = entry.lower()
    if id_ in table().regions:
        return Area(regions=frozenset({id_}))
    if _meanings(id_):
        return Area(names=frozenset({id_}))
    jurisdiction = entry.removeprefix(_JURISDICTION)
    if jurisdiction != entry and jurisdiction in table().jurisdictions:
        return Area(jurisdictions=frozenset({jurisdiction}))
    raise UnknownEntry(entry, _suggestions(entry))


def _meanings(id_: str) -> list[Bound]:
    """All that an id stands for, to whichever type."""
    if region := region_of(id_):
        return [bound_of_regions({region.id})]
    return [bound_of_multi(multi) for multi in table().multis if multi.id == id_]


def _suggestions(entry: str) -> tuple[str, ...]:
    known = {known.lower(): known for known in known_entries()}
    return tuple(known[match] for match in get_close_matches(entry.lower(), known))
