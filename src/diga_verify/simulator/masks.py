"""Field masks, as in `fields=items(name,location),nextPageToken`: what is not asked for is left out."""

from __future__ import annotations

import re
from typing import Any

from diga_verify.simulator.errors import ApiError, bad_request
from diga_verify.simulator.schemas import unknown_fields

Mask = dict[str, "Mask"]
"""What to keep: a name and what to keep below it; nothing below means everything below."""

_TOKEN = re.compile(r"[\w\-@$]+|[*/.,()]")


def parse_mask(text: str) -> Mask:
    """Read a mask: `a/b`, `a.b`, `a(b,c)`, `*`. Raises ApiError (400) if it is malformed."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise _invalid(text)
    reader = _Reader(text, tokens)
    mask = reader.selections()
    if reader.tokens:
        raise _invalid(text)
    return mask


def check_mask(mask: Mask, document: str, schema: str) -> None:
    """Raises ApiError (400), as Google does, if the mask names a field that answers of the schema do not have."""
    for place, key, _ in unknown_fields(document, schema, mask):
        path = f"{place}.{key}" if place else key
        raise bad_request(f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.")


def apply_mask(value: Any, mask: Mask) -> Any:
    """The part of a JSON value that the mask selects; in a list, of every item."""
    if not mask or ("*" in mask and not mask["*"]):
        return value
    if isinstance(value, list):
        return [apply_mask(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    anything = mask.get("*")
    kept = {}
    for key, item in value.items():
        below = mask.get(key, anything)
        if below is not None:
            kept[key] = apply_mask(item, below)
    return kept


def _invalid(text: str) -> ApiError:
    return bad_request(f"Invalid field selection {text}")


class _Reader:
    """A reader of selections by recursive descent."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens

    def selections(self) -> Mask:
        mask: Mask = {}
        while True:
            _merge(mask, self._selection())
            if not self.tokens or self.tokens[0] != ",":
                return mask
            self.tokens.pop(0)

    def _selection(self) -> Mask:
        name = self._next()
        if name in "/.,()":
            raise _invalid(self.text)
        ahead = self.tokens[0] if self.tokens else ""
        if ahead in {"/", "."}:
            self.tokens.pop(0)
            return {name: self._selection()}
        if ahead != "(":
            return {name: {}}
        self.tokens.pop(0)
        below = self.selections()
        if self._next() != ")":
            raise _invalid(self.text)
        return {name: below}

    def _next(self) -> str:
        if not self.tokens:
            raise _invalid(self.text)
        return self.tokens.pop(0)


def _merge(mask: Mask, more: Mask) -> None:
    for name, below in more.items():
        if name not in mask:
            mask[name] = below
        elif not mask[name] or not below:
            mask[name] = {}
        else:
            _merge(mask[name], below)
