"""Markup that foreign text cannot change: whatever is not `Html` already is made harmless, then escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape

from diga_verify.formats.page import plain


class Html(str):
    """Finished markup. Only this module makes it, so nothing else reaches a page unescaped."""

    __slots__ = ()


_ENDS_BY_ITSELF = frozenset({"col", "dd", "dt", "li", "meta", "tbody", "td", "th", "thead", "tr"})
"""Elements whose end tag HTML lets one leave out, or forbids. Ten thousand rows are shorter without."""


def element(name: str, /, *children: str, **attributes: str | None) -> Html:
    """One element. An attribute that is a word of Python ends with `_`, `-` is written `_`; None leaves it out."""
    return Html(f"{_opening(name, attributes)}{fragment(*children)}{_closing(name)}")


def around(name: str, pieces: Iterable[Html], /, **attributes: str | None) -> Iterator[Html]:
    """One element in pieces: what is in a long one need not be in memory as a whole."""
    yield Html(_opening(name, attributes))
    yield from pieces
    yield Html(_closing(name))


def _opening(name: str, attributes: Mapping[str, str | None]) -> str:
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{named}>"


def _closing(name: str) -> str:
    return "" if name in _ENDS_BY_ITSELF else f"</{name}>"


def fragment(*children: str) -> Html:
    """Several pieces, one after the other. Text beside text is taken as one: what two parts make together counts."""
    done: list[str] = []
    text = ""
    for child in children:
        if isinstance(child, Html):
            done += (_escaped(text), child) if text else (child,)
            text = ""
        else:
            text += child
    return Html("".join(done) + _escaped(text))


def lines(pieces: Iterable[Html]) -> Html:
    """Pieces of markup, each on a line of its own, so that the source can be read too."""
    return Html("".join(each_line(pieces)))


def each_line(pieces: Iterable[Html]) -> Iterator[Html]:
    """The same in pieces."""
    return (Html(f"{piece}\n") for piece in pieces)


def code(text: str, **attributes: str | None) -> Html:
    """What others wrote, shown as such."""
    return element("code", text, **attributes)


def raw(text: str) -> Html:
    """Text of our own that must stand unescaped, such as a style sheet. Never for anything foreign."""
    return Html(text)


@lru_cache(maxsize=8192)
def _escaped(text: str) -> str:
    return escape(plain(text), quote=True)
