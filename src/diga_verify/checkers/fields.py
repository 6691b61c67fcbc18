"""From the fields of a REST representation to placements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from diga_verify.errors import ReadError
from diga_verify.gateway.records import source_of
from diga_verify.model import Json, Placement, Reason, Role

_NAME = re.compile(r"^(?://[a-z.]+/)?projects/[^/]+/locations/([^/]+)/[^/]+/[^/]+")
_ZONE_URL = re.compile(r"/projects/[^/]+/zones/([^/]+)/")
_SEGMENT = re.compile(r"([^.\[\]]+)((?:\[\])*)")


def as_is(value: str) -> str | None:
    """The value is a location."""
    return value


def of_name(name: str) -> str | None:
    """L of a resource name `projects/P/locations/L/collection/id...`; None when it is no such name."""
    match = _NAME.match(name)
    return match.group(1) if match else None


def of_zone_url(url: str) -> str | None:
    """Z of a Compute Engine URL `.../projects/P/zones/Z/...`; None when it is no such URL."""
    match = _ZONE_URL.search(url)
    return match.group(1) if match else None


@dataclass(frozen=True, slots=True)
class Field:
    """A field that says where data lies.

    `path` has dots between keys and `[]` behind a key that holds a list: `nodePools[].locations[]`. A field that
    is not `required` may be absent, which means that the resource has no such placement.
    """

    role: Role
    path: str
    location: Callable[[str], str | None] = as_is
    required: bool = False


def placements(data: Json, fields: Iterable[Field], *, prefix: str = "", about: str = "") -> tuple[Placement, ...]:
    """The placements that `fields` name in `data`, in their order. A value of a wrong shape is a placement too:
    one whose location nobody knows."""
    return tuple(place for field in fields for place in _placements(data, field, prefix, about))


def identity(data: Json, key: str) -> str:
    """The text that names a resource. Raises ReadError when there is none."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise ReadError(Reason.MALFORMED_ANSWER, f"a resource was listed without {key!r}")
    return value


def segment(name: str, collection: str) -> str:
    """The id that follows `collection` in a resource name. Raises ReadError when it is not there."""
    parts = name.split("/")
    try:
        return parts[parts.index(collection) + 1]
    except (ValueError, IndexError):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{name!r} is not the name of one of {collection}") from None


def labels(data: Json, path: str) -> Mapping[str, str]:
    """The labels at `path`; only those that are text."""
    for _, found in walk(data, path):
        if isinstance(found, dict):
            return {str(key): value for key, value in sorted(found.items()) if isinstance(value, str)}
    return {}


def walk(data: object, path: str, at: str = "") -> Iterator[tuple[str, object]]:
    """Every value at `path`, each with its own path (`nodePools[1].locations[0]`); nothing for what is absent.

    A value that is not of the shape that the path needs is given as it is, at the path where it stands.
    """
    key, lists, rest = _step(path)
    if not isinstance(data, dict):
        yield at, data
        return
    if data.get(key) is None:
        return
    values: list[tuple[str, object]] = [(f"{at}.{key}" if at else key, data[key])]
    for _ in range(lists):
        yield from (one for one in values if not isinstance(one[1], list))
        values = [entry for place, value in values if isinstance(value, list) for entry in _entries(place, value)]
    for place, value in values:
        if rest:
            yield from walk(value, rest, place)
        else:
            yield place, value


def unheard_of(
    data: Json, role: Role, path: str, known: Iterable[str], *, required: bool = False
) -> Iterator[Placement]:
    """A placement at an unknown location for every word at `path` that is none of `known`, and if it is `required`, for
    its absence. A word that an API has learnt since may tell of a place that nobody looks for yet; and proto3 leaves
    out the word that means: unspecified."""
    words = tuple(known)
    found = tuple(walk(data, path))
    if required and not found:
        yield Placement(role, None, path, reason=Reason.MISSING_LOCATION, source=source_of(data))
    for place, value in found:
        if value not in words:
            source = source_of(data, place)
            yield Placement(role, None, place, reason=Reason.MALFORMED_ANSWER, about=str(value), source=source)


@cache
def _step(path: str) -> tuple[str, int, str]:
    """The first key of a path, how many lists are one within the other below it, and the rest of the path. Paths are
    the checkers' own, and few."""
    head, _, rest = path.partition(".")
    match = _SEGMENT.fullmatch(head)
    if match is None:
        raise ValueError(f"not a path: {path!r}")
    key, lists = match.groups()
    return key, lists.count("[]"), rest


def _entries(place: str, values: list[object]) -> Iterator[tuple[str, object]]:
    return ((f"{place}[{index}]", value) for index, value in enumerate(values))


def _placements(data: Json, field: Field, prefix: str, about: str) -> Iterator[Placement]:
    found = False
    for place, value in walk(data, field.path):
        is_whole = _is_whole(place, field.path)
        if value == "" and is_whole and not place.endswith("]"):
            continue  # proto3 writes an unset text as the empty text
        found = True
        made = _placement(field, prefix + place, value if is_whole else None, about)
        source = source_of(data, place)
        yield made if source is None else replace(made, source=source)
    if field.required and not found:
        path = prefix + field.path
        yield Placement(field.role, None, path, reason=Reason.MISSING_LOCATION, about=about, source=source_of(data))


def _is_whole(place: str, path: str) -> bool:
    """Whether the value at a place is one of those that the path leads to, and not one on the way that is of another
    shape than it should be: a text where a list was due."""
    return place.count(".") == path.count(".") and place.count("[") == path.count("[")


def _placement(field: Field, place: str, value: object, about: str) -> Placement:
    if not isinstance(value, str):
        return Placement(field.role, None, place, reason=Reason.MALFORMED_ANSWER, about=about)
    if not value:
        return Placement(field.role, None, place, reason=Reason.MISSING_LOCATION, about=about)
    location = field.location(value)
    if location is None:
        return Placement(field.role, None, place, reason=Reason.MALFORMED_ANSWER, about=about or value)
    return Placement(field.role, location, place, about=about or ("" if location == value else value))
