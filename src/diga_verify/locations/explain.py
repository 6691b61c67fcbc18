"""What there is to say about a location, for people."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from diga_verify.locations.bound import Bound, bound_of_multi, bound_of_regions, normalise, region_of
from diga_verify.locations.table import DeliberatelyUnknown, Multi, Region, table
from diga_verify.model import TYPES


@dataclass(frozen=True, slots=True)
class Explanation:
    """One meaning of a location id."""

    location: str
    types: tuple[str, ...]
    """The built-in types to which it means this."""
    bound: Bound | None
    """None when it is deliberately unknown."""
    jurisdictions: tuple[str, ...]
    """The groups of law in which it lies wholly: `EU`, `EEA`, `CH`, `adequacy`."""
    source: str
    note: str
    """What else to know; of a deliberately unknown id, the reason."""


def explain(location: str) -> list[Explanation]:
    """Every meaning of a location, one for each that differs; `[]` if it was never heard of."""
    id_ = normalise(location)
    if region := region_of(id_):
        return [_of_region(id_, region)]
    known = [_of_multi(multi) for multi in table().multis if multi.id == id_]
    unknown = [_of_unknown(left_out) for left_out in table().unknown if left_out.id == id_]
    return known + unknown


def all_locations() -> list[Explanation]:
    """Every meaning of every id in the table, sorted by id; without the zones."""
    ids = {
        *table().regions,
        *(multi.id for multi in table().multis),
        *(left_out.id for left_out in table().unknown),
    }
    return list(chain.from_iterable(map(explain, sorted(ids))))


def table_date() -> str:
    """The day as of which the table holds, ISO 8601."""
    return table().date


def adequacy_review_date() -> str:
    """The day by which the adequacy decisions are to be checked again, ISO 8601."""
    return table().adequacy_review


def _of_region(id_: str, region: Region) -> Explanation:
    where = bound_of_regions({region.id})
    note = table().partial.get(region.country, "")
    return Explanation(id_, TYPES, where, _groups_around(where), table().regions_source, note)


def _of_multi(multi: Multi) -> Explanation:
    where = bound_of_multi(multi)
    return Explanation(multi.id, multi.types or TYPES, where, _groups_around(where), multi.source, multi.note)


def _of_unknown(left_out: DeliberatelyUnknown) -> Explanation:
    types = left_out.types or TYPES
    return Explanation(left_out.id, types, None, (), left_out.source, note=left_out.reason)


def _groups_around(where: Bound) -> tuple[str, ...]:
    if where.anywhere:
        return ()
    groups = table().jurisdictions
    return tuple(name for name in table().groups if groups[name].issuperset(where.countries))
