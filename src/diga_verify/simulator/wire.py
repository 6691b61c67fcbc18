"""What goes over the wire: an answer, and the manner in which it travels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum

from diga_verify.simulator.errors import ApiError

JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"
TEXT_TYPE = "text/plain; charset=UTF-8"

PADDING = 33 * 1024 * 1024
"""How many bytes of whitespace come before an answer that is padded."""


class Manner(Enum):
    """How an answer travels."""

    WHOLE = "whole"
    RESET = "the connection is reset"
    SILENCE = "nothing comes"
    DRIP = "the body comes byte by byte"
    HEADER_DRIP = "the headers come byte by byte, and never end"
    HALF = "half of the body comes, and then nothing"
    SHORT = "less comes than was announced, and the connection closes"
    UNENDED = "in chunks, the last of which never comes, and the connection closes"
    PADDED = "behind a great deal of whitespace"


@dataclass(frozen=True)
class Answer:
    """What goes over the wire. `content_type` None is no such header; a body with a Content-Encoding is encoded."""

    status: int
    body: bytes
    content_type: str | None = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE


def error_answer(error: ApiError, *, errors_list: bool) -> Answer:
    """An error as it goes over the wire."""
    body = json_bytes(error.body(with_errors_list=errors_list))
    return Answer(error.code, body, headers=error.headers)


def json_bytes(value: object) -> bytes:
    """JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()
