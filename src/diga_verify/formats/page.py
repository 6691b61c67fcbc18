"""What a format may know of where it is shown, and how foreign text is made harmless there."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """Width in columns, and whether colour is wanted."""

    width: int = 80
    color: bool = False


def plain(text: str) -> str:
    """Foreign text without anything that a terminal or a log would obey: control, format and bidi characters are
    written as escapes, line ends too."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return character.encode("unicode_escape").decode() if character != "\\" else character
    return character
