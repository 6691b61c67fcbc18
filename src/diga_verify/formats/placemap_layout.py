"""Where things go on the map: projections, labels that do not overlap, and bands that link the regions of an area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diga_verify.formats.placemap_geography import COORDINATES

Point = tuple[float, float]
LINE = 15.0
"""Height of a line of text."""
LETTER = 7.2
"""Width of a letter, nearly at most: fonts differ from one machine to the next."""
_CLEAR = 14.0
"""How far a band keeps off what it does not link."""
_DIRECTIONS = (0, 180, 35, -35, 145, -145, 90, -90, 65, -65, 115, -115)
_DISTANCES = (5, 16, 32, 52, 76, 104)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that something takes up."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, other: Box) -> bool:
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the world and where it is drawn: degrees are stretched alike everywhere in it."""

    west: float
    north: float
    per_longitude: float
    per_latitude: float
    box: Box

    def at(self, longitude: float, latitude: float) -> Point:
        x = self.box.left + (longitude - self.west) * self.per_longitude
        return x, self.box.top + (self.north - latitude) * self.per_latitude

    def region(self, name: str) -> Point | None:
        """Where a region is drawn; None where it lies outside the window."""
        x, y = self.at(*COORDINATES[name])
        return (x, y) if Box(x, y, x, y).within(self.box) else None


@dataclass(frozen=True, slots=True)
class Label:
    """Lines of text beside what they name."""

    box: Box
    anchor: str
    """As SVG's text-anchor: the side of the box from which the lines are written."""
    x: float
    leader: tuple[Point, Point] | None
    """A line to what it names, where it stands too far off to be taken for its name otherwise."""


def around(center: Point, radius: float) -> Box:
    x, y = center
    return Box(x - radius, y - radius, x + radius, y + radius)


def place_label(center: Point, radius: float, lines: Sequence[str], taken: Iterable[Box], inside: Box) -> Label | None:
    """The nearest free place for a label; None where there is none."""
    occupied = [*taken]
    width, height = max(map(len, lines)) * LETTER, len(lines) * LINE
    for distance in _DISTANCES:
        for direction in _DIRECTIONS:
            label = _label(center, radius, distance, math.radians(direction), (width, height))
            if label.box.within(inside) and not any(label.box.meets(other) for other in occupied):
                return label
    return None


def _label(center: Point, radius: float, distance: float, angle: float, size: Point) -> Label:
    width, height = size
    across, down = math.cos(angle), math.sin(angle)
    x, y = center[0] + (radius + distance) * across, center[1] + (radius + distance) * down
    left = x if across > 0.3 else x - width if across < -0.3 else x - width / 2
    top = y - height / 2 + down * height / 2
    anchor = "start" if across > 0.3 else "end" if across < -0.3 else "middle"
    begin = (center[0] + radius * across, center[1] + radius * down)
    at = {"start": left, "end": left + width, "middle": left + width / 2}[anchor]
    return Label(Box(left, top, left + width, top + height), anchor, at, (begin, (x, y)) if distance > 5 else None)


def links(points: Sequence[Point], others: Sequence[Point]) -> list[tuple[Point, Point]]:
    """The shortest lines that join all points, and run over none of the others if they can help it: a band must not
    seem to hold a region that is none of the area's."""
    joined, left = list(points[:1]), list(points[1:])
    found: list[tuple[Point, Point]] = []

    def cost(pair: tuple[Point, Point]) -> tuple[bool, float]:
        return any(_off(other, *pair) < _CLEAR for other in others), math.dist(*pair)

    while left:
        start, end = min(((one, other) for one in joined for other in left), key=cost)
        found.append((start, end))
        joined.append(end)
        left.remove(end)
    return found


def _off(point: Point, start: Point, end: Point) -> float:
    """How far a point is from a line between two others."""
    length = math.dist(start, end) ** 2
    across, down = end[0] - start[0], end[1] - start[1]
    part = ((point[0] - start[0]) * across + (point[1] - start[1]) * down) / length if length else 0.0
    part = min(1.0, max(0.0, part))
    return math.dist(point, (start[0] + part * across, start[1] + part * down))


def freest(candidates: Iterable[Point], taken: Iterable[Box]) -> Point:
    """The candidate that is farthest from all that is there already."""
    middles = [((box.left + box.right) / 2, (box.top + box.bottom) / 2) for box in taken]
    return max(candidates, key=lambda point: min((math.dist(point, other) for other in middles), default=0.0))
