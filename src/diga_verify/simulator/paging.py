"""Lists as Google answers them: in pages, an empty one without its key, a partial one with its mark on one page."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence

from diga_verify.simulator.errors import Json, bad_request
from diga_verify.simulator.routes import Call


def whole(key: str, items: Sequence[Json], partial: Mapping[str, object]) -> Json:
    """The answer of a list method that knows no pages; `partial` holds the marks of incompleteness."""
    return _filled({key: list(items)}) | _filled(partial)


def paged(
    call: Call,
    key: str,
    items: Sequence[Json],
    *,
    head: Mapping[str, object] | None = None,
    partial: Mapping[str, object] | None = None,
    size: int = 0,
    token_key: str = "nextPageToken",  # noqa: S107 - the name of a field
    address: str | None = None,
) -> Json:
    """One page of a list method: `head`, the items, the mark of incompleteness if it belongs here, the next token.

    `size` is what the caller asks for if not by query parameter; `address` is the list that the token belongs to, if
    not the requested one. Raises ApiError (400) for a bad size or token.
    """
    sizes = call.route.sizes
    asked = size or (call.number(sizes.parameter) if sizes else 0)
    limit = min(asked or sizes.default, sizes.maximum) if sizes else asked or len(items) or 1
    limit = min(limit, call.world.page_size or limit)
    address = address or call.address
    offset, number = _read_token(address, call.query.get("pageToken", ""))
    if offset > len(items):
        raise bad_request("Invalid page token")
    answer = dict(head or {}) | _filled({key: list(items[offset : offset + limit])})
    is_last = offset + limit >= len(items)
    marked = call.world.partial_page
    if number == marked or (is_last and number < marked):
        answer |= _filled(partial or {})
    if not is_last:
        answer[token_key] = write_token(address, offset + limit, number + 1)
    return answer


def page_number(address: str, query: Mapping[str, str]) -> int:
    """Which page a request asks for, from 1."""
    return _read_token(address, query.get("pageToken", ""))[1]


def write_token(address: str, offset: int, number: int) -> str:
    """A page token that is good for this list only."""
    return base64.urlsafe_b64encode(f"{_fingerprint(address)}:{offset}:{number}".encode()).decode()


def _read_token(address: str, token: str) -> tuple[int, int]:
    if not token:
        return 0, 1
    try:
        fingerprint, offset, number = base64.urlsafe_b64decode(token).decode("ascii").split(":")
        if int(fingerprint) == _fingerprint(address):
            return int(offset), int(number)
    except (binascii.Error, ValueError):
        pass
    raise bad_request("Invalid page token")


def _fingerprint(address: str) -> int:
    return zlib.crc32(address.encode())


def _filled(entries: Mapping[str, object]) -> Json:
    return {key: value for key, value in entries.items() if value}
