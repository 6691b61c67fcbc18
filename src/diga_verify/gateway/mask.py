"""Field masks, as Google's partial responses have them: `kind,items(name,nodes/zone),nextPageToken`.

What an API answers beyond the mask is dropped before anybody sees it: a verdict rests on nothing that was not asked
for, and evidence keeps no more. https://developers.google.com/workspace/drive/api/guides/fields-parameter has the
grammar; of it, masks in this program use names, `/`, `(...)` and `,`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from diga_verify.model import Json

Tree = Mapping[str, Any]
"""Keys to keep, each with the Tree of what to keep below it; an empty one means all of it."""
_TOKEN = re.compile(r"[A-Za-z0-9_]+|[(),/]")


@lru_cache
def tree(mask: str) -> Tree:
    """The keys that a mask names. Raises ValueError for what is no mask."""
    if "".join(_TOKEN.findall(mask)) != mask:
        raise ValueError(f"not a field mask: {mask!r}")
    tokens = iter([*_TOKEN.findall(mask), ")"])
    found = _group(tokens)
    if next(tokens, None) is not None:
        raise ValueError(f"brackets do not match: {mask!r}")
    return found


def kept(data: Json, mask: Tree, always: Iterable[str] = ()) -> dict[str, Any]:
    """Of a JSON object what the mask names, and the keys in `always`."""
    free = {key: value for key, value in data.items() if key in always}
    return {**_kept(data, mask), **free}


def _kept(value: Any, mask: Tree) -> Any:
    if not mask:
        return value
    if isinstance(value, list):
        return [_kept(entry, mask) for entry in value]
    if isinstance(value, dict):
        return {key: _kept(entry, mask[key]) for key, entry in value.items() if key in mask}
    return value


def _group(tokens: Iterator[str]) -> Tree:
    """The names up to the bracket that closes."""
    found: dict[str, Any] = {}
    below = found
    name = ""
    for word in tokens:
        if word in ",)":
            below.setdefault(name, {})
            below = found
            if word == ")":
                return found
        elif word == "/":
            below = below.setdefault(name, {})
        elif word == "(":
            below[name] = _group(tokens)
        else:
            name = word
    raise ValueError("a bracket of the field mask does not close")
