"""The position scanner against tomllib: the same paths, and each on the line where it is."""

from __future__ import annotations

import tomllib
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from diga_verify.policy.positions import Positions
from diga_verify.policy.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.policy.positions import KeyPath

TEXT = '''\
title = "a # b" # c = 1
"quoted.key" . 'lit"eral' = [ 1, # one, ]
  "two, ]", { x = 1.5, y.z = [] },
]
[ a . b ]
c.d = 1979-05-27 07:32:00.999
text = """
[no.header]
no = "key" \\""""""
last = \'\'\'
= '' ]\'\'\'
[[rows]]
n = 1
[rows.sub]
[[rows.inner]]
[[rows.inner]]
m = true
[[rows]]
[a]
"\\u00e9" = 2
'''


def test_every_way_to_write_a_key() -> None:
    assert Positions(TEXT).lines == {
        ("title",): 1,
        ("quoted.key",): 2,
        ("quoted.key", 'lit"eral'): 2,
        ("quoted.key", 'lit"eral', 0): 2,
        ("quoted.key", 'lit"eral', 1): 3,
        ("quoted.key", 'lit"eral', 2): 3,
        ("quoted.key", 'lit"eral', 2, "x"): 3,
        ("quoted.key", 'lit"eral', 2, "y"): 3,
        ("quoted.key", 'lit"eral', 2, "y", "z"): 3,
        ("a",): 19,  # its own header, though it is first mentioned in line 5
        ("a", "b"): 5,
        ("a", "b", "c"): 6,
        ("a", "b", "c", "d"): 6,
        ("a", "b", "text"): 7,
        ("a", "b", "last"): 10,
        ("rows",): 12,
        ("rows", 0): 12,
        ("rows", 0, "n"): 13,
        ("rows", 0, "sub"): 14,
        ("rows", 0, "inner"): 15,
        ("rows", 0, "inner", 0): 15,
        ("rows", 0, "inner", 1): 16,
        ("rows", 0, "inner", 1, "m"): 17,
        ("rows", 1): 18,
        ("a", "é"): 20,
    }


def test_what_has_no_line_of_its_own_stands_where_its_table_stands() -> None:
    positions = Positions("x = 1\n[a.b]\nc = 1\n")
    assert positions.line(("a", "b", "missing", 3, "more")) == 2
    assert positions.line(("missing",)) == 1


KEYS = st.text("ab\"'.\\#=[]{} é\t", min_size=1, max_size=3) | st.sampled_from(["a", "b", "key-1", "1_0"])
SPACES = st.sampled_from(["", " ", "\t "])
BREAKS = st.sampled_from(["", "\n", " # ] = [x]\n", "\n\n"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Text of TOML, in which each number is written once, and on the line of its own key."""
    numbers = count(1000)
    root = draw(st.dictionaries(KEYS, values(), min_size=1, max_size=4))
    tables = draw(st.lists(st.tuples(st.lists(KEYS, min_size=1, max_size=3, unique=True), st.booleans())))
    parts = [pair(draw, key, value, numbers) for key, value in root.items()]
    for path, is_array in tables:
        header = ".".join(written_key(draw, key) for key in path)
        parts.append(f"[[{header}]]" if is_array else f"[{header}]")
        body = draw(st.dictionaries(KEYS, values(), max_size=3))
        parts += [pair(draw, key, value, numbers) for key, value in body.items()]
    breaks = st.sampled_from(["\n", "\n\n", " # [c]\n"])
    return "".join(part + draw(breaks) for part in parts)


def values() -> st.SearchStrategy[Any]:
    leaf = st.sampled_from(["number", "string", "lines"])
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=5,
    )


def pair(draw: st.DrawFn, key: str, value: Any, numbers: Iterator[int]) -> str:
    return f"{written_key(draw, key)}{draw(SPACES)}={draw(SPACES)}{written(draw, value, numbers)}"


def written_key(draw: st.DrawFn, key: str) -> str:
    if key.isascii() and key.replace("-", "").replace("_", "").isalnum():
        return draw(SPACES) + key
    if "'" not in key and draw(st.booleans()):
        return f"'{key}'"
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


def written(draw: st.DrawFn, value: Any, numbers: Iterator[int], *, inline: bool = False) -> str:
    number = next(numbers)
    if value == "number":
        return draw(st.sampled_from([f"{number}", f"{number}.5", f"-{number}e2"]))
    if value == "string" or (value == "lines" and inline):
        return draw(st.sampled_from([f'"{number}#\\" = ]"', f"'{number} [x] \\'"]))
    if value == "lines":
        return draw(st.sampled_from([f'"""{number}\n[x]\n"\\""""', f"'''{number}\n= ''\n'''"]))
    if isinstance(value, list):
        space = SPACES if inline else BREAKS
        elements = (draw(space) + written(draw, one, numbers, inline=inline) + draw(space) for one in value)
        return f"[{','.join(elements)}{draw(space)}]"
    pairs = (f"{written_key(draw, key)} = {written(draw, one, numbers, inline=True)}" for key, one in value.items())
    return "{" + ", ".join(pairs) + "}"


def walk(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every path in what tomllib made of a text, with what lies there."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, index))


@given(documents())
def test_it_finds_the_paths_that_tomllib_finds_each_on_its_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the generator repeats a key now and then
    positions, lines = Positions(text), text.split("\n")
    assert set(positions.lines) == {path for path, _ in walk(data)}
    for path, value in walk(data):
        if isinstance(value, int | float):
            assert str(value).lstrip("-")[:4] in lines[positions.lines[path] - 1]
        elif isinstance(value, str):
            assert value[:4] in lines[positions.lines[path] - 1]


@given(st.text("ab=.,[]{}\"'\\#\n\r\t 1é"))
def test_tokens_cover_any_text_and_count_its_lines(text: str) -> None:
    found = list(tokens(text))
    assert all(token.text in text for token in found)
    assert [token.line for token in found] == sorted(token.line for token in found)
    assert all(1 <= token.line <= text.count("\n") + 1 for token in found)
