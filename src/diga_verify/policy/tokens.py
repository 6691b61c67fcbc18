"""TOML text cut into tokens, in one pass and without fail: a look at it before the parser has one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# No alternative can fail after it has begun, not even on a string without an end: that keeps the pass linear.
_TOKEN = re.compile(
    r"""
      (?P<blank> [ \t\r]+ | \#[^\n]* )
    | (?P<string>
          \"\"\" (?s: \\.?+ | [^\\] )*? (?: \"\"\" \"{0,2} | \Z )
        | ''' (?s: . )*? (?: ''' '{0,2} | \Z )
        | " (?: \\[^\n] | [^"\\\n] )*+ "?
        | ' [^'\n]*+ '?
      )
    | (?P<word> [^\s\[\]{}=,.\#"']+ )
    | (?P<sign> (?s: . ) )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A string, a word, or one other character. Blanks and comments leave none."""

    text: str
    line: int
    """Where it begins, from 1."""

    @property
    def is_string(self) -> bool:
        """Whether it is quoted."""
        return self.text[0] in "\"'"


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a TOML text; of any other text, something."""
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "blank":
            yield Token(match[0], line)
        line += match[0].count("\n")
