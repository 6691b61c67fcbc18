"""A report in which every text is hostile, through every format."""

from __future__ import annotations

import json as json_library
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.cli.gate import run_against_shipped_world, tell_calls
from diga_verify.formats import json
from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS
from diga_verify.report import Report

HOSTILE = (
    "::error file=a,line=1::pwned",
    "\n::set-output name=a::b",
    "a\r\n\u00a0::warning::x",
    "##vso[task.complete result=Succeeded]",
    "x ##[error]",
    "##teamcity[buildStatus text='ok']",
    "#",
    ":",
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\link",
    "\x9b31m\x85\u2028\u2029\x7f\x00",
    "\u202etxt.exe\u2066\u200f\ufeff\u200b\u00ad",
    "[/]",
    "[bold red]a[/bold red][link=http://evil]b[/link][@click=x]c",
    ":smile: \U0001f600 \ud83d\U0001f44d\U0001f3fb\U0001f1e9\U0001f1ea",
    "</script><script>alert(1)</script><!--",
    "=HYPERLINK(1)",
    "e" + "\u0301" * 300,
    "\ufdfa\uff21\u3000\u1100\u1161\u0e33",
    "w" * 300,
    "Deployment allowed.  exit 0",
    "{name} %s \\",
    "",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30), st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join)
)


@cache
def honest() -> Report:
    return run_against_shipped_world("demo", None, quiet=True)


def spoilt(value: Any, texts: list[str]) -> Any:
    """The value with every text in it replaced by the next hostile one."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        texts.append(texts.pop(0))
        return texts[-1]
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: spoilt(getattr(value, one.name), texts) for one in fields(value) if one.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {spoilt(key, texts): spoilt(inner, texts) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(spoilt(inner, texts) for inner in value)
    return value


def assert_harmless(text: str) -> None:
    assert text.endswith("\n")
    for line in text.split("\n"):
        assert not line.strip().startswith("::"), line
        assert not any(order in line for order in ("##[", "##vso[", "##teamcity[")), line
        assert not {unicodedata.category(character)[0] for character in line} & {"C", "M"}, ascii(line)


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@given(st.lists(TEXTS, min_size=1, max_size=7), st.sampled_from([40, 80, 200]))
def test_every_format_makes_every_text_harmless(texts: list[str], width: int) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    assert report.exit_code == honest().exit_code == 1
    for render in FORMATS.values():
        assert_harmless(render(report, Page(width=width)))
    table = FORMATS["table"](report, Page(width=width))
    assert max(map(columns, table.split("\n"))) <= width
    assert table.split("\n")[-2].endswith("exit 1") or "exit 1" in " ".join(table.split("\n")[-3:])


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_the_escapes_in_json_change_no_value(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    text = json.render(report, Page())
    assert json_library.loads(text) == json_library.loads(json_library.dumps(json.document(report)))
    assert "</" not in text
    assert "<!" not in text
    assert text.isascii()


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_colour_is_all_that_a_coloured_table_adds(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    colored = FORMATS["table"](report, Page(color=True))
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", colored))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_calls_are_told_harmlessly(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = cast("Report", spoilt(honest(), [text]))
    tell_calls(report)
    said = capsys.readouterr().err
    assert_harmless(said)
    assert said.count("\n") == len(report.calls)
