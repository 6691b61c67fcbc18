"""Which line of a TOML text each key and each array element stands on; `tomllib` does not tell."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from diga_verify.policy.tokens import Token, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""From the root to a value: keys of tables, indexes of arrays."""

_END = Token("\n", 0)


class Positions:
    """The lines of a TOML text, which `tomllib` must have accepted.

    A table with a header stands on the line of its header, any other where it is first mentioned.
    """

    def __init__(self, text: str) -> None:
        self.lines: Mapping[KeyPath, int] = _Scanner(text).lines

    def line(self, path: KeyPath) -> int:
        """The line of the value at a path, or of the nearest thing around it; 1 for the file itself."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._tokens = tokens(text)
        self._next = next(self._tokens, _END)
        self._sizes: dict[KeyPath, int] = {}  # of the arrays of tables, so far
        table: KeyPath = ()
        while self._next is not _END:
            if self._skip("\n"):
                continue
            if self._next.text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _take(self) -> Token:
        token, self._next = self._next, next(self._tokens, _END)
        return token

    def _skip(self, text: str) -> bool:
        found = self._next is not _END and self._next.text == text
        if found:
            self._take()
        return found

    def _header(self) -> KeyPath:
        line = self._take().line
        is_array = self._skip("[")
        *parents, last = self._key()
        self._skip("]")
        path = (*self._mention((), parents, line), last)
        if is_array:
            self._skip("]")
            index = self._sizes.get(path, 0)
            self._sizes[path] = index + 1
            self.lines.setdefault(path, line)
            path = (*path, index)
        self.lines[path] = line
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._next.line
        path = self._mention(table, self._key(), line)
        self._skip("=")
        self._value(path)

    def _key(self) -> list[str]:
        parts = [_unquoted(self._take())]
        while self._skip("."):
            parts.append(_unquoted(self._take()))
        return parts

    def _mention(self, table: KeyPath, key: list[str], line: int) -> KeyPath:
        """The path of a key in a table. An array of tables on the way stands for its newest element."""
        path = table
        for part in key:
            path = (*path, part)
            self.lines.setdefault(path, line)
            if path in self._sizes:
                path = (*path, self._sizes[path] - 1)
        return path

    def _value(self, path: KeyPath) -> None:
        if self._skip("["):
            self._array(path)
        elif self._skip("{"):
            self._inline_table(path)
        else:
            while self._next.text not in (",", "]", "}", "\n"):
                self._take()

    def _array(self, path: KeyPath) -> None:
        index = 0
        while self._next is not _END and not self._skip("]"):
            if self._next.text in ("\n", ","):
                self._take()
                continue
            element = (*path, index)
            self.lines[element] = self._next.line
            self._value(element)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while self._next is not _END and not self._skip("}"):
            if self._next.text in ("\n", ","):
                self._take()
            else:
                self._pair(path)


def _unquoted(token: Token) -> str:
    key: str = tomllib.loads(f"key = {token.text}")["key"] if token.is_string else token.text
    return key
