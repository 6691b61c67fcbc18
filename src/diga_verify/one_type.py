"""One type, read to its end: whatever a checker does, it hides no other's findings, and none of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from diga_verify.checkers.interface import Checker
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.records import source_of
from diga_verify.model import Item, Placement, Project, Reason, Resource, Unread

_KEPT = 4096
"""So many different parts of resources are kept for those that have the same."""
OfType = tuple[str, list[Resource], list[Unread]]
"""A type, its resources, and what of it is unread."""


def read_type(checker: Checker, gateway: Gateway, project: Project) -> OfType:
    """One type, read to its end as far as that goes. Never raises: a failing checker hides no other's findings."""
    resources: list[Resource] = []
    unread: list[Unread] = []
    try:
        found = checker.query(gateway, project)
        unread += found.unread
        items = deque(found.items)
        del found  # an item is let go of as soon as it is read
        while items:
            read = _read_item(checker, items.popleft())
            if isinstance(read, Resource):
                resources.append(read)
            else:
                unread.append(read)
    except ReadError as error:
        unread.append(Unread(checker.type, checker.type, error.reason, error.detail))
    except Exception as error:  # noqa: BLE001 - the boundary to checkers: what one raises leaves its type unread
        unread.append(unforeseen(checker.type, error))
    return checker.type, resources, unread


def nothing_of(checker: Checker, unread: Unread) -> OfType:
    """A type of which nothing could be read."""
    return checker.type, [], [unread]


def _read_item(checker: Checker, item: Item) -> Resource | Unread:
    try:
        read: object = checker.read(item)
        # A third-party checker may return anything, and what is not of its own type has no rules.
        if not isinstance(read, Resource) or read.type != checker.type:
            return unforeseen(checker.type, TypeError())
        return _shared(_with_sources(read, item))
    except ReadError as error:
        return Unread(checker.type, checker.type, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 - as above, for one item: it hides no other
        return unforeseen(checker.type, error)


def _with_sources(resource: Resource, item: Item) -> Resource:
    """A placement that does not say where in the evidence it comes from is from the item itself."""
    source = source_of(item.data)
    if source is None or all(place.source for place in resource.placements):
        return resource
    places = (place if place.source else replace(place, source=source) for place in resource.placements)
    return replace(resource, placements=tuple(places))


def _shared(resource: Resource) -> Resource:
    """Of 100,000 buckets most have the same places and labels: they are kept once. A placement that knows where in the
    evidence it stands is like no other."""
    if any(place.source for place in resource.placements):
        return resource
    labels = _these_labels(tuple(resource.labels.items()))
    return replace(resource, placements=_these_places(tuple(resource.placements)), labels=labels)


@lru_cache(_KEPT)
def _these_places(places: tuple[Placement, ...]) -> tuple[Placement, ...]:
    return places


@lru_cache(_KEPT)
def _these_labels(labels: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(labels)


def unforeseen(about: str, error: Exception) -> Unread:
    """What is unread when reading ends with an error that nobody foresaw."""
    detail = f"reading failed with {type(error).__name__}; please report this"
    return Unread(about, about, Reason.UNEXPECTED_ERROR, detail)
