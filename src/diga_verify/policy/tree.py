"""The parsed file as it is: the parts of it that have the shape one looks for.

The checks of its meaning read it so: a mistake in its shape hides no other mistake, and shape.py reports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diga_verify.policy.shape import Finding
from diga_verify.policy.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.policy.positions import KeyPath

Tree = dict[str, Any]
"""A table of the file, and all below it."""


def table(of: Tree, key: str) -> Tree:
    """The table under a key; an empty one where there is none."""
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def tables(value: object) -> Iterator[tuple[str, Tree]]:
    """The tables within a table, by their names."""
    if isinstance(value, dict):
        yield from ((key, inner) for key, inner in value.items() if isinstance(inner, dict))


def rows(of: Tree, key: str) -> Iterator[tuple[KeyPath, Tree]]:
    """The tables of an array, each with the end of its path."""
    value = of.get(key)
    if isinstance(value, list):
        yield from (((key, index), row) for index, row in enumerate(value) if isinstance(row, dict))


def texts(value: object) -> Iterator[tuple[KeyPath, str]]:
    """The strings of one string or an array, each with the end of its path."""
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, list):
        yield from (((index,), text) for index, text in enumerate(value) if isinstance(text, str))


def repeated(path: KeyPath, found: Iterator[tuple[KeyPath, str]], where: str) -> Iterator[Finding]:
    """Texts that were there before."""
    seen: set[str] = set()
    for index, text in found:
        if text in seen:
            yield Finding((*path, *index), f"{quoted(text)} is repeated {where}")
        seen.add(text)
