"""Text for people on a page: words, lines with a margin, and colour where the page wants it."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diga_verify.formats.page import Page, plain

_MARGIN = 2


def printed(parts: Iterable[RenderableType], page: Page) -> str:
    """The parts as lines of text for a page, with one line end at the end."""
    text = io.StringIO()
    console = Console(
        file=text,
        width=page.width,
        color_system="standard" if page.color else None,
        force_terminal=page.color,
        no_color=not page.color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in text.getvalue().split("\n")).rstrip("\n") + "\n"


def words(text: str, style: str = "") -> Text:
    """Every line with a foreign word in it is made here, and made harmless as a whole: what two parts make together
    counts too."""
    return Text(plain(text), style=style, overflow="fold")


def line(about: str, text: str, columns: int = 10) -> Padding:
    """A line below a title: what it is about in so many columns, then the text, folded below itself."""
    grid = Table.grid(padding=0)
    grid.add_column(width=columns)
    grid.add_column(overflow="fold")
    grid.add_row(words(about), words(text))
    return Padding(grid, (0, 0, 0, _MARGIN))


def many(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
