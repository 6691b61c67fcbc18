"""Calls as evidence: what was asked, what was answered, and where in it an object stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diga_verify.errors import ReadError
from diga_verify.model import Call, Json

ANSWERS = "answers"
"""The key under which an evidence file keeps records, each by its name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One finished call: every request, the pages that were accepted, and the failure that ended it, if one did."""

    name: str
    """Unique in its run: the method and its scope."""
    call: Call
    requests: tuple[Json, ...] = ()
    """Of each: `method`, `url`, and the JSON `body` if it has one."""
    pages: tuple[Json, ...] = ()
    """The answers, as far as the field mask goes. Of a query one page, with its `rows`."""
    error: ReadError | None = None


class Sourced(dict[str, Any]):
    """A JSON object that knows its place in the evidence."""

    __slots__ = ("source",)

    def __init__(self, data: Json, source: str) -> None:
        super().__init__(data)
        self.source = source


def with_sources(page: Json, items: str, name: str, number: int) -> Json:
    """The page of a record, its objects at `items` (or itself, if that is empty) told where they stand."""
    place = f"/{ANSWERS}/{escaped(name)}/pages/{number}"
    if not items:
        return Sourced(page, place)
    listed = page.get(items, [])
    return {
        **page,
        **({items: [Sourced(one, f"{place}/{items}/{at}") for at, one in enumerate(listed)]} if listed else {}),
    }


def source_of(data: object, path: str = "") -> str | None:
    """The JSON Pointer (RFC 6901) of the field at `path` (`nodePools[1].locations[2]`) of an object, or of the object
    itself; None for an object that is not from a record."""
    if not isinstance(data, Sourced):
        return None
    keys = path.replace("[", ".").replace("]", "").split(".") if path else []
    return "/".join([data.source, *map(escaped, keys)])


def escaped(key: str) -> str:
    """A key as a JSON Pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")
