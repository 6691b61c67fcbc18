"""The location table, read from `table.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Region:
    """A region and where it lies."""

    id: str
    place: str
    """As Google calls it: a city, or for some regions a state or the country."""
    country: str
    """ISO 3166-1 alpha-2."""


@dataclass(frozen=True, slots=True)
class Multi:
    """What one multi- or dual-region id stands for, to some types or to all."""

    id: str
    types: tuple[str, ...]
    """The types to which it means this; `()` for every type, third-party ones too."""
    description: str
    regions: tuple[str, ...]
    countries: tuple[str, ...]
    """Where it lies, when its regions are not known; `()` otherwise, and when it is `anywhere`."""
    anywhere: bool
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class DeliberatelyUnknown:
    """An id that exists, and that the table leaves out for a reason."""

    id: str
    types: tuple[str, ...]
    """The types for which it is left out; `()` for every type."""
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Table:
    """Everything in `table.toml`, with sources spelled out and groups of countries resolved."""

    date: str
    adequacy_review: str
    regions: Mapping[str, Region]
    regions_source: str
    multis: tuple[Multi, ...]
    unknown: tuple[DeliberatelyUnknown, ...]
    jurisdictions: Mapping[str, frozenset[str]]
    """Groups by name (`EU`, `EEA`, `CH`, `adequacy`) and every country by its own code."""
    groups: tuple[str, ...]
    """The jurisdictions that are groups of law, in the order of the table."""
    lawful: frozenset[str]
    """The countries that DiGAV section 4(3) allows."""
    countries: Mapping[str, str]
    """Names by code."""
    partial: Mapping[str, str]
    """Countries whose adequacy decision is not counted, and why."""

    def multi(self, id: str, type: str) -> Multi | None:  # noqa: A002 - the words of the design
        """What the id means to the type, if anything is known of it."""
        return next((m for m in self.multis if m.id == id and (not m.types or type in m.types)), None)


@cache
def table() -> Table:
    """Read the table once. Raises `KeyError` or `TypeError` if the shipped file is not well formed."""
    data = tomllib.loads(files(__package__).joinpath("table.toml").read_text(encoding="utf-8"))
    sources: Mapping[str, str] = data["sources"]
    groups = _groups(data["jurisdictions"])
    areas = groups | {name: frozenset(area["countries"]) for name, area in data["areas"].items()}
    adequacy = data["jurisdictions"]["adequacy"]
    return Table(
        date=data["date"].isoformat(),
        adequacy_review=adequacy["review"].isoformat(),
        regions={id_: Region(id_, **region) for id_, region in data["regions"].items()},
        regions_source=sources[data["regions_source"]],
        multis=tuple(_multi(id_, entry, areas, sources) for entry in data["multi"] for id_ in entry["ids"]),
        unknown=tuple(
            DeliberatelyUnknown(id_, tuple(entry.get("types", ())), entry["reason"], sources[entry["source"]])
            for entry in data["deliberately_unknown"]
            for id_ in entry["ids"]
        ),
        jurisdictions={code: frozenset({code}) for code in data["countries"]} | groups,
        groups=tuple(groups),
        lawful=frozenset().union(*(groups[name] for name in data["law"]["jurisdictions"])),
        countries=data["countries"],
        partial=adequacy["partial"],
    )


def _groups(jurisdictions: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    groups: dict[str, frozenset[str]] = {}
    for name, group in jurisdictions.items():
        included = (groups[other] for other in group.get("includes", ()))
        groups[name] = frozenset(group["countries"]).union(*included)
    return groups


def _multi(
    id_: str, entry: Mapping[str, Any], areas: Mapping[str, frozenset[str]], sources: Mapping[str, str]
) -> Multi:
    countries = frozenset(entry.get("countries", ()))
    if "within" in entry:
        countries = areas[entry["within"]] - frozenset(entry.get("without", ()))
    return Multi(
        id=id_,
        types=tuple(entry.get("types", ())),
        description=entry["description"],
        regions=tuple(sorted(entry.get("regions", ()))),
        countries=tuple(sorted(countries)),
        anywhere=entry.get("anywhere", False),
        source=sources[entry["source"]],
        note=entry.get("note", ""),
    )
