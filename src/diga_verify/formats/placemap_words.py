"""What the picture of where the data lies says of places, in a few words each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diga_verify.formats.places import SAID, Extent, Place
from diga_verify.judgement import GRAVEST_FIRST
from diga_verify.model import Role, Verdict

LETTERS = {role: role.value[0].upper() for role in Role}
"""Of a role, where there is no room for its name."""


def told(place: Place) -> str:
    """All of it, for whoever points at the place."""
    return f"{place.description}: {roles(place)}; {verdicts(place)}"


def trouble(place: Place) -> list[str]:
    """What is wrong there, if anything is."""
    return [] if place.worst is Verdict.COMPLIANT else [verdicts(place)]


def roles(place: Place) -> str:
    """The placements of each role: `P 3`, `B 2` and so on."""
    return " \u00b7 ".join(f"{LETTERS[role]} {number:,}" for role in Role if (number := place.count(role)))


def verdicts(place: Place) -> str:
    """The placements of each verdict, the gravest first: `2 of 5 in violation, 3 of 5 compliant`."""
    counted = [(verdict, place.count(verdict=verdict)) for verdict in GRAVEST_FIRST]
    return ", ".join(f"{number:,} of {place.total:,} {SAID[verdict]}" for verdict, number in counted if number)


def description(found: Sequence[Place]) -> str:
    """The picture, for who does not see it."""
    named = [f"{place.name}: {verdicts(place)}" for _, place in merged(found)]
    return f"Placements by place. {'; '.join(named) or 'There are none'}. The table after the map has the same numbers."


def merged(here: Sequence[Place]) -> Iterator[tuple[str, Place]]:
    """The places, each with the letter that marks it, and last the unknown locations as one: their names are others'
    words, and stand in the table."""
    yield from (("", place) for place in here if place.extent is not Extent.UNKNOWN)
    unknown = [place for place in here if place.extent is Extent.UNKNOWN]
    if unknown:
        name = f"{len(unknown)} unknown location{'' if len(unknown) == 1 else 's'}"
        whole = Place(Extent.UNKNOWN, name, "nothing is known about where it is", (), (), None)
        for place in unknown:
            whole.tally.update(place.tally)
        yield "?", whole
