"""The picture of where the data lies: a map as SVG, for people. The same numbers stand in a table beside it.

Europe is large and the rest of the world small, and drawn only if something lies there. A circle is a region, as
large as it has placements; a lettered square is an area over several regions, and a band links those. What can lie
anywhere, or nobody knows where, is not on the map but beside it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from diga_verify.formats.html_markup import Html, element, fragment, lines
from diga_verify.formats.placemap_geography import COORDINATES
from diga_verify.formats.placemap_land import EUROPE, WORLD
from diga_verify.formats.placemap_layout import LETTER, LINE, Box, Point, Window, around, freest, links, place_label
from diga_verify.formats.placemap_marks import (
    SQUARE,
    band,
    disc,
    frame,
    globe,
    heading,
    idle,
    labelled,
    land,
    note,
    rule,
    square,
    units,
    words,
)
from diga_verify.formats.placemap_words import LETTERS, description, merged, roles, told, trouble
from diga_verify.formats.places import SAID, Extent, Place
from diga_verify.judgement import GRAVEST_FIRST
from diga_verify.locations.table import table
from diga_verify.model import Verdict

WIDTH = 1040
_EUROPE = Window(-14.5, 62.6, 13.2, 20.6, Box(0, 0, 640, 558))
_WORLD_HEIGHT = 360
_SIDE = 668
"""Where the column of what is not a single region begins."""
_WRAP = int((WIDTH - _SIDE - 38) / LETTER)
"""Characters of a line there."""
_ROOMY, _CARDS = 5, 12
"""So many areas are described there, and so many named."""
_UNIT, _LARGEST, _SMALLEST = 4.5, 26.0, 7.0
"""Radius of a circle of one placement, if none becomes too large then; and the limits."""
_HEADINGS = {
    Extent.AREA: "Over several regions, or not on this map",
    Extent.ANYWHERE: "Anywhere in the world",
    Extent.UNKNOWN: "Nobody knows where",
}


@dataclass(frozen=True, slots=True)
class _Spot:
    """A region with placements, and its circle."""

    place: Place
    center: Point
    radius: float


def draw(found: Sequence[Place]) -> Html:
    """The map of these places as one `svg` element. It has no scripts, no links and no styles of its own."""
    regions = _of(found, Extent.REGION)
    not_drawn = [place for place in regions if place.name not in COORDINATES]
    areas = dict(zip(map(_letter, count()), sorted([*_of(found, Extent.AREA), *not_drawn], key=_gravity), strict=False))
    column, bottom = _column(found, areas)
    bottom = max(_EUROPE.box.bottom, bottom) + 16
    windows = [_EUROPE]
    if any(_EUROPE.region(region) is None for place in found for region in _members(place)):
        windows.append(Window(-172, 72, 2.95, 2.95, Box(0, bottom + 24, WIDTH, bottom + 24 + _WORLD_HEIGHT)))
        bottom += 24 + _WORLD_HEIGHT
    unit = min(_UNIT, _LARGEST / math.sqrt(max((place.total for place in regions), default=1)))
    body = [
        element("title", "Map of where the data lies", id="map-title"),
        element("desc", description(found), id="map-desc"),
        *(_window(window, regions, areas, unit) for window in windows),
        column,
        _legend(bottom + 34),
    ]
    box = f"0 0 {WIDTH} {units(bottom + 76)}"
    return element("svg", lines(body), viewBox=box, role="img", aria_labelledby="map-title map-desc", class_="map")


def _window(window: Window, regions: Sequence[Place], areas: Mapping[str, Place], unit: float) -> Html:
    """One part of the world, from the land upwards."""
    left, top = window.box.left, window.box.top
    spots = [*_spots(window, regions, unit)]
    taken = [Box(left, top, left + 120, top + 18), *(around(spot.center, spot.radius + 3) for spot in spots)]
    bands, squares = _areas(window, areas, taken)
    drawn = [
        land(EUROPE if window is _EUROPE else WORLD, window.box),
        *([] if window is _EUROPE else [frame(_europe_in(window))]),
        heading("Europe" if window is _EUROPE else "Outside Europe", left, top + 14),
        *reversed(bands),
        *(idle(point) for point in _shown(window).values()),
        *(disc(spot.center, spot.radius, spot.place.worst, told(spot.place)) for spot in spots),
        *squares,
        *_labels(window, spots, taken),
    ]
    return element("g", *drawn)


def _areas(window: Window, areas: Mapping[str, Place], taken: list[Box]) -> tuple[list[Html], list[Html]]:
    """The bands and squares of the areas that are in this window; what the squares take up is added to `taken`."""
    shown = _shown(window)
    bands, squares = [], []
    for letter, place in areas.items():
        points = [shown[region] for region in _members(place) if region in shown]
        if points:
            pairs = links(points, [point for point in shown.values() if point not in points])
            bands.append(band(points, pairs, place.worst))
            along = pairs or [(points[0], points[0])]
            middle = freest([_between(*pair, part) for pair in along for part in (0.5, 0.3, 0.7)], taken)
            taken.append(around(middle, SQUARE + 2))
            squares.append(square(middle, letter, place.worst))
    return bands, squares


def _labels(window: Window, spots: Sequence[_Spot], taken: list[Box]) -> Iterator[Html]:
    """The names of the circles, the gravest first: where there is no room for all, they have it."""
    for spot in sorted(spots, key=lambda spot: _gravity(spot.place)):
        name = f"{table().regions[spot.place.name].place}  {spot.place.name}"
        more = [roles(spot.place), *trouble(spot.place)]
        label = place_label(spot.center, spot.radius + 3, [name, *more], taken, window.box)
        if label is not None:
            taken.append(label.box)
            yield labelled(label, name, more, spot.place.worst)


def _spots(window: Window, regions: Sequence[Place], unit: float) -> Iterator[_Spot]:
    shown = _shown(window)
    for place in regions:
        if place.name in shown:
            yield _Spot(place, shown[place.name], max(_SMALLEST, unit * math.sqrt(place.total)))


def _shown(window: Window) -> dict[str, Point]:
    """The regions that are drawn in this window: in Europe's those that lie there, in the world's all others."""
    mine = (region for region in COORDINATES if window is _EUROPE or _EUROPE.region(region) is None)
    return {region: point for region in mine if (point := window.region(region))}


def _members(place: Place) -> Sequence[str]:
    """The regions on the map that a place may be in: its own, or all in its countries."""
    within = place.regions or [one.id for one in table().regions.values() if one.country in place.countries]
    return [region for region in within if region in COORDINATES]


def _europe_in(world: Window) -> Box:
    left, top = world.at(_EUROPE.west, _EUROPE.north)
    width = (_EUROPE.box.right - _EUROPE.box.left) / _EUROPE.per_longitude * world.per_longitude
    height = (_EUROPE.box.bottom - _EUROPE.box.top) / _EUROPE.per_latitude * world.per_latitude
    return Box(left, top, left + width, top + height)


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _column(found: Sequence[Place], areas: Mapping[str, Place]) -> tuple[Html, float]:
    """What is no single region, one below the other, and where that ends."""
    drawn: list[Html] = []
    y = 14.0
    for extent, title in _HEADINGS.items():
        here = [*areas.items()] if extent is Extent.AREA else [*merged(_of(found, extent))]
        drawn += [heading(title, _SIDE, y), rule(_SIDE, WIDTH, y + 7)]
        y += 28
        for letter, place in here[:_CARDS]:
            drawn.append(_card(letter, place, y, short := len(here) > _ROOMY))
            y += (1 + len(_about(place, short))) * LINE + 12
        left_out = f"and {len(here) - _CARDS} more, in the table" if len(here) > _CARDS else "" if here else "none"
        if left_out:
            drawn.append(note(left_out, _SIDE, y, style="label muted"))
            y += LINE
        y += 18
    return element("g", *drawn), y


def _card(letter: str, place: Place, y: float, short: bool) -> Html:
    center = (_SIDE + 14.0, y + 4)
    mark = globe(center, place.worst) if place.extent is Extent.ANYWHERE else square(center, letter, place.worst)
    return fragment(
        mark, words((_SIDE + 38, y), textwrap.shorten(place.name, _WRAP), _about(place, short), place.worst)
    )


def _about(place: Place, short: bool) -> list[str]:
    if short:
        return [", ".join([roles(place), *trouble(place)])]
    described = textwrap.wrap(place.description, _WRAP, break_on_hyphens=False)
    return [*described, roles(place), *trouble(place)]


def _legend(y: float) -> Html:
    drawn = [rule(0, WIDTH, y - 22)]
    x = 12.0
    for verdict in (Verdict.COMPLIANT, *GRAVEST_FIRST[:3]):
        drawn += [disc((x, y), 8, verdict), note(SAID[verdict], x + 18, y + 4)]
        x += 52 + len(SAID[verdict]) * 6.5
    letters = ", ".join(f"{letter} {role}" for role, letter in LETTERS.items())
    drawn.append(note(letters, WIDTH, y + 4, anchor="end"))
    said = "The larger a circle, the more placements. A band links the regions over which a lettered area may lie."
    drawn.append(note(said, 0, y + 30, style="label muted"))
    return element("g", *drawn)


def _of(found: Sequence[Place], extent: Extent) -> list[Place]:
    return [place for place in found if place.extent is extent]


def _gravity(place: Place) -> int:
    return GRAVEST_FIRST.index(place.worst)


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number)
