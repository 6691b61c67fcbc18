"""How messages about a policy quote what they found and what may have been meant."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diga_verify.policy.positions import KeyPath

_LONGEST = 60
_KINDS = (  # a boolean is an int to Python, and a date with a time a date
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
    (datetime, "a date with a time"),
    (date, "a date"),
    (time, "a time"),
)


def quoted(text: str) -> str:
    """The text in quotes, shortened, control characters spelled out."""
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")


def kind(value: object) -> str:
    """What a TOML value is, in words."""
    return next(words for type_, words in _KINDS if isinstance(value, type_))


def table_title(path: KeyPath) -> str:
    """The header that a table has, or could have."""
    if not path:
        return "the policy"
    title = ".".join(_key(part) for part in path if isinstance(part, str))
    return f"[[{title}]]" if isinstance(path[-1], int) else f"[{title}]"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that proposes the nearest known word; empty when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    nearest = get_close_matches(word[:_LONGEST].casefold(), by_folded, n=1)
    return f"; did you mean {by_folded[nearest[0]]!r}?" if nearest else ""


def _key(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part) else json.dumps(part[:_LONGEST])
