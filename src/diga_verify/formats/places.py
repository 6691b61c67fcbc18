"""Where the data lies: placements by place, for a picture and for a table of the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from diga_verify.judgement import GRAVEST_FIRST, JudgedPlacement
from diga_verify.locations.algebra import normalise
from diga_verify.model import Role, Verdict
from diga_verify.report import Report

SAID = {
    Verdict.COMPLIANT: "compliant",
    Verdict.VIOLATION: "in violation",
    Verdict.WAIVED: "waived",
    Verdict.UNVERIFIED: "not verified",
}
"""What is said of placements that were judged so."""


class Extent(StrEnum):
    """What kind of place it is, from the narrowest to none."""

    REGION = "region"
    AREA = "area"  # several regions or countries
    ANYWHERE = "anywhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """A region with its zones, or whatever else a location stands for, and the placements there."""

    extent: Extent
    name: str
    """A region's id, an area's id in lower case, or what the API said where nothing is known of it."""
    description: str
    regions: tuple[str, ...]
    countries: tuple[str, ...]
    lawful: bool | None
    """Whether DiGAV section 4(3) allows it; None where nothing is known."""
    tally: Counter[tuple[Role, Verdict]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.tally.total()

    @property
    def worst(self) -> Verdict:
        return next(verdict for verdict in GRAVEST_FIRST if self.count(verdict=verdict))

    def count(self, role: Role | None = None, verdict: Verdict | None = None) -> int:
        """The number of placements, of one role or verdict where given."""
        return sum(
            number for (its, judged), number in self.tally.items() if role in {None, its} and verdict in {None, judged}
        )


def places(report: Report) -> tuple[Place, ...]:
    """Every place with a placement: regions, areas, anywhere, unknown; within each the fullest first."""
    return _by_place(place for judged in report.judgement.resources for place in judged.placements)


def _by_place(placements: Iterable[JudgedPlacement]) -> tuple[Place, ...]:
    found: dict[tuple[object, ...], Place] = {}
    for one in placements:
        place = _place(one)
        key = (place.extent, place.name, place.regions, place.countries)
        found.setdefault(key, place).tally[one.placement.role, one.verdict] += 1
    order = list(Extent)
    return tuple(sorted(found.values(), key=lambda one: (order.index(one.extent), -one.total, one.name, one.regions)))


def _place(one: JudgedPlacement) -> Place:
    bound = one.bound
    if bound is None:
        return Place(Extent.UNKNOWN, one.location or "no location", "nothing is known about it", (), (), None)
    if len(bound.regions) == 1:
        return Place(Extent.REGION, bound.regions[0], bound.description, bound.regions, bound.countries, bound.lawful)
    extent = Extent.ANYWHERE if bound.anywhere else Extent.AREA
    name = normalise(one.location or "")
    return Place(extent, name, bound.description, bound.regions, bound.countries, bound.lawful)
