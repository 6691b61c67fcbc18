"""The shape of what a world file holds: tables, arrays, texts. Any other is refused, with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from diga_verify.simulator.errors import Json


class WorldError(ValueError):
    """A world file is wrong; the text names the file, the key and, where it can, what was meant."""


class Shape:
    """Takes the values of a file for what they should be. Raises WorldError, with the place `where` each stands."""

    def __init__(self, file: str) -> None:
        self.file = file

    def table(self, value: Any, where: str, known: tuple[str, ...] | None) -> Json:
        if not isinstance(value, Mapping):
            raise self.wrong(where, f"must be a table, not {_kind(value)}")
        for key in value if known is not None else ():
            if key not in (known or ()):
                raise self.wrong(where, f"has an unknown key {key!r}{hint(key, known or ())}")
        return dict(value)

    def array(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise self.wrong(where, f"must be an array, not {_kind(value)}")
        return list(value)

    def each(self, table: Json, key: str, where: str = "") -> Iterator[tuple[str, Any]]:
        """The elements of the array under `key`, which may be missing, each with the place where it stands."""
        place = f"{where}.{key}" if where else key
        for at, element in enumerate(self.array(table.get(key, []), place)):
            yield f"{place}[{at}]", element

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise self.wrong(where, f"must be text, not {_kind(value)}")
        return value

    def positive(self, value: Any, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(where, f"must be a whole number from 1, not {value!r}")
        return value

    def one_of(self, word: str, where: str, known: tuple[str, ...]) -> None:
        if word not in known:
            raise self.wrong(where, f"{word!r} is none of {', '.join(known)}{hint(word, known)}")

    def wrong(self, where: str, what: str) -> WorldError:
        return WorldError(f"{self.file}: {where} {what}")


def hint(word: str, known: tuple[str, ...]) -> str:
    """What was perhaps meant instead of an unknown word, to be said after it."""
    close = get_close_matches(word, known, 1, 0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def _kind(value: Any) -> str:
    names = {
        dict: "a table",
        list: "an array",
        str: "text",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)
