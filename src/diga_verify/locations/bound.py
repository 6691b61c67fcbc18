"""What a location certainly stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diga_verify.locations.table import Multi, Region, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ZONE_SUFFIX = r"-(?:[a-z]|ai[0-9]+[a-z])"
"""What makes a zone of a region's id, as a regular expression: `-a`, or `-ai1a` for an AI zone."""

_ZONE = re.compile(rf"(?P<region>.+){ZONE_SUFFIX}")
_IN_PATH = re.compile(r"(?:^|(?:^|/)projects/[^/]+/)(?:locations|zones|regions)/([^/]+)")


def normalise(location: str) -> str:
    """The location id in what an API said: trimmed, in lower case, and out of the name or URL around it.

    Takes `L` of `projects/P/locations/L[/...]`, and likewise of `.../zones/L` and `.../regions/L`, as Compute
    Engine writes them. Strips nothing else, so whatever has another shape stays unknown.
    """
    text = location.strip().lower()
    path = _IN_PATH.search(text)
    return path[1].strip() if path else text


@dataclass(frozen=True, slots=True)
class Bound:
    """The smallest known set that certainly holds the data. Raises `ValueError` for a set of nothing."""

    regions: tuple[str, ...]
    """Region ids, sorted; `()` when only countries are known, or when `anywhere`."""
    countries: tuple[str, ...]
    """ISO 3166-1 alpha-2, sorted; `()` only when `anywhere`."""
    anywhere: bool
    description: str
    """For people: `europe-west3 (Frankfurt, Germany)`."""

    def __post_init__(self) -> None:
        if self.anywhere == bool(self.countries):
            raise ValueError("a bound has countries, or is anywhere")

    @property
    def lawful(self) -> bool:
        """Whether all of it lies where DiGAV section 4(3) allows: EU, EEA, Switzerland, adequacy decision."""
        return not self.anywhere and table().lawful.issuperset(self.countries)

    def holds(self, other: Bound) -> bool:
        """Whether all of the other bound certainly lies within this one."""
        if self.anywhere or other.anywhere:
            return self.anywhere
        if self.regions:
            return bool(other.regions) and set(self.regions).issuperset(other.regions)
        return set(self.countries).issuperset(other.countries)


def bound(location: str | None, type: str, members: Sequence[str] = ()) -> Bound | None:
    """What a location certainly stands for to a type; None when nothing is known.

    `members` are regions that the API named as the location's own, for example those in Cloud Storage's
    `customPlacementConfig.dataLocations`. They narrow the bound, if all are known regions. Where they
    contradict the table, the bound holds both.
    """
    whole = None if location is None else _bound_of_id(normalise(location), type)
    if whole is None or not members:
        return whole
    regions = {normalise(member) for member in members}
    if not regions <= table().regions.keys():
        return None
    part = bound_of_regions(regions)
    return part if whole.holds(part) else _union(whole, part)


def region_of(id_: str) -> Region | None:
    """The region that an id names, itself or as a zone. Exact: `europe-west1` is not in `europe-west10`."""
    zone = _ZONE.fullmatch(id_)
    return table().regions.get(zone["region"] if zone else id_)


def bound_of_regions(ids: Iterable[str]) -> Bound:
    """The bound of some known regions."""
    regions = [table().regions[id_] for id_ in sorted(ids)]
    return Bound(
        regions=tuple(region.id for region in regions),
        countries=tuple(sorted({region.country for region in regions})),
        anywhere=False,
        description=_describe(regions),
    )


def bound_of_multi(multi: Multi) -> Bound:
    """The bound of a multi- or dual-region, as the table has it."""
    countries = multi.countries or {table().regions[id_].country for id_ in multi.regions}
    return Bound(multi.regions, tuple(sorted(countries)), multi.anywhere, multi.description)


def _bound_of_id(id_: str, type_: str) -> Bound | None:
    if region := region_of(id_):
        return bound_of_regions({region.id})
    multi = table().multi(id_, type_)
    return bound_of_multi(multi) if multi else None


def _union(one: Bound, other: Bound) -> Bound:
    """The bound of two that contradict each other; so neither is `anywhere`, which holds everything."""
    regions = {*one.regions, *other.regions} if one.regions and other.regions else ()
    countries = {*one.countries, *other.countries}
    description = f"{one.description}; but the API also names {other.description}"
    return Bound(tuple(sorted(regions)), tuple(sorted(countries)), anywhere=False, description=description)


def _describe(regions: Sequence[Region]) -> str:
    if len(regions) == 1:
        place, country = regions[0].place, table().countries[regions[0].country]
        return f"{regions[0].id} ({place})" if place == country else f"{regions[0].id} ({place}, {country})"
    *first, last = (f"{region.id} ({region.place})" for region in regions)
    return f"{'dual' if len(regions) == 2 else 'multi'}-region {', '.join(first)} and {last}"
