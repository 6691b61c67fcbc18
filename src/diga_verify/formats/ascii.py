"""JSON that can be shown anywhere: ASCII, and without anything that a terminal, a log or a browser would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

_ORDERS = re.compile(r"(?<=#)#|<(?=[/!])|\x7f")
"""What could begin `##[command]` in a log, `</script>` or `<!--` in a page, and the one control character that ASCII
JSON may hold. All of it stands within strings only, where an escape changes no value."""
_SIGNS = ("##", "</", "<!", "\x7f")
"""A text without any of them has no such orders, and to look for four texts takes no time."""


def ascii_json(document: Any) -> str:
    """The document as indented JSON with a line end, its keys in their own order. Raises TypeError for what is no
    JSON."""
    return harmless(json.dumps(document, indent=2, ensure_ascii=True)) + "\n"


def ascii_pieces(document: Any) -> Iterator[str]:
    """The same text in pieces. An iterator in the document is an array, of which each item is made when it is its
    turn: of 100,000 resources there is one at a time."""
    for piece in _pieces(document, "\n"):
        yield harmless(piece)
    yield "\n"


def harmless(text: str) -> str:
    """ASCII JSON, of the same value, that nothing obeys."""
    if not any(sign in text for sign in _SIGNS):
        return text
    return _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _pieces(value: Any, end: str) -> Iterator[str]:
    """No piece ends within a string. `end` is the line end and the blanks before what closes the value."""
    inner = f"{end}  "
    if isinstance(value, Iterator):
        opening = "["
        for item in value:
            yield f"{opening}{inner}{_item(item, inner)}"
            opening = ","
        yield "[]" if opening == "[" else f"{end}]"
    elif isinstance(value, dict | list) and value:
        named = isinstance(value, dict)
        opening = "{" if named else "["
        for key in value:
            yield f"{opening}{inner}{json.dumps(key)}: " if named else f"{opening}{inner}"
            yield from _pieces(value[key] if named else key, inner)
            opening = ","
        yield f"{end}}}" if named else f"{end}]"
    else:
        yield json.dumps(value)


def _item(value: Any, end: str) -> str:
    """pydantic writes what `json` does, several times as fast, save for what is not ASCII."""
    try:
        text = to_json(value, indent=2).decode()
    except PydanticSerializationError:  # half of a surrogate pair
        text = ""
    if not text or not text.isascii():
        text = json.dumps(value, indent=2, ensure_ascii=True)
    return text.replace("\n", end)
