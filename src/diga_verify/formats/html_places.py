"""Where the data lies, as the page shows it: the map, and a table of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diga_verify.formats.html_markup import Html, code, element, fragment, lines
from diga_verify.formats.html_tables import table_of, verdict_word
from diga_verify.formats.placemap import draw
from diga_verify.formats.places import SAID, Place
from diga_verify.locations.table import table
from diga_verify.model import Role, Verdict


def picture(found: Sequence[Place]) -> Html:
    """The map of these places, and its numbers in a table for whoever does not see it."""
    if not found:
        return element("p", "No placement was read, so there is nothing to show.")
    note = "Each placement is one place where one resource keeps data, as one field of an API names it."
    columns = [("Place", "w12"), ("What it stands for", "w20"), ("DiGAV section 4(3)", "w10")]
    columns += [(role.value, "w7 n") for role in Role] + [("all", "w6 n"), ("Verdicts", "")]
    rows = [
        [
            code(place.name),
            fragment(place.description, *_countries(place)),
            _lawful(place),
            *(_number(place.count(role)) for role in Role),
            _number(place.total),
            fragment(*_verdicts(place)),
        ]
        for place in found
    ]
    matrix = table_of("The numbers of the map: placements by place and role", columns, rows, class_="places")
    return lines([element("p", note, class_="note"), element("figure", draw(found)), matrix])


def _countries(place: Place) -> Iterator[Html]:
    if len(place.regions) != 1 and place.countries:
        names = [table().countries.get(one, one) for one in place.countries]
        yield element(
            "small", ", ".join(names) if len(names) <= 3 else f"{len(names)} countries: {' '.join(place.countries)}"
        )


def _lawful(place: Place) -> Html:
    said = {True: "within", False: "outside", None: "not known"}[place.lawful]
    return element("strong", said) if place.lawful is False else fragment(said)


def _number(count: int) -> Html:
    return fragment(f"{count:,}" if count else "\u2013")


def _verdicts(place: Place) -> Iterator[Html]:
    for verdict in Verdict:
        if count := place.count(verdict=verdict):
            yield element("div", verdict_word(verdict, f"{count:,} {SAID[verdict]}"))
