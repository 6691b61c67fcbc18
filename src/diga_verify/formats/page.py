"""What a format may know of where it is shown, and how foreign text is made harmless there."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len

_COMMANDS = re.compile(r"(?<=:):|(?<=#)#")
"""`::error::` is an order to the log of GitHub, `##[…]`, `##vso[…]` and `##teamcity[…]` are orders to others. The
first is looked for where a line begins, after any blanks, and a line may begin wherever a long one is folded."""
_BLANK = frozenset("\u115f\u2800\ufffc")
"""Letters and symbols that show nothing, though they are as wide as others."""


@dataclass(frozen=True, slots=True)
class Page:
    """Width in columns, and whether colour is wanted."""

    width: int = 80
    color: bool = False


def plain(text: str) -> str:
    """Foreign text as one line without anything that a terminal or a log would obey, or hide.

    Written as escapes: control, format and bidi characters, line ends, blanks other than the space, marks and
    whatever else joins the character before it, and of `::` and `##` the second character. All else is as it was,
    backslashes too, so that doing it twice changes nothing more.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, text))
    if "::" in text or "##" in text:  # few have them, and the expression would take longer to see that
        text = _COMMANDS.sub(lambda found: rf"\x{ord(found[0]):x}", text)
    return text


def _visible(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    hidden = not character.isprintable() or character in _BLANK or _joins(character)
    return character.encode("unicode_escape").decode() if hidden else character


def _joins(character: str) -> bool:
    """Whether it melts with the one before it, so that text and width on the screen are not what they seem."""
    if unicodedata.category(character).startswith("M") or cell_len(character) == 0:
        return True
    return "\U0001f1e6" <= character <= "\U0001f1ff" or "\U0001f3fb" <= character <= "\U0001f3ff"  # flags, skin tones
