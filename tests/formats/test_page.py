"""Foreign text on a page: nothing obeyed, nothing hidden, and names still names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.formats.page import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("dta-cluster", "dta-cluster"),
        ("//storage.googleapis.com/a_b.c", "//storage.googleapis.com/a_b.c"),
        ("Jürgen Müller, Datenschutz · 한국 😀", "Jürgen Müller, Datenschutz · 한국 😀"),
        ("[bold]a[/] :smile: [link=http://x]y[/link]", "[bold]a[/] :smile: [link=http://x]y[/link]"),
        (r"a\b", r"a\b"),
        ("a\x1b[2J", r"a\x1b[2J"),
        ("a\nb\rc\td\x00\x7f", r"a\nb\rc\td\x00\x7f"),
        ("a\x9bb\x85c", r"a\x9bb\x85c"),
        ("a\u202eb\u2066c\u200fd\ufeffe\u200bf", r"a\u202eb\u2066c\u200fd\ufeffe\u200bf"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("a\u00a0b\u3000c", r"a\xa0b\u3000c"),
        ("e\u0301" + "\u0301" * 3, r"e\u0301\u0301\u0301\u0301"),
        ("a\ufe0fb\U000e0100c\u20e3", r"a\ufe0fb\U000e0100c\u20e3"),
        ("a\u3164b\uffa0c\u115fd\u2800e\u1160", r"a\u3164b\uffa0c\u115fd\u2800e\u1160"),
        ("\U0001f1e9\U0001f1ea \U0001f44d\U0001f3fb", r"\U0001f1e9\U0001f1ea " + "\U0001f44d" + r"\U0001f3fb"),
        ("\ue000\U000f0000\U000e0041", r"\ue000\U000f0000\U000e0041"),
        ("\ud800", r"\ud800"),
        ("::error file=a::b", r":\x3aerror file=a:\x3ab"),
        (":::", r":\x3a\x3a"),
        ("a:b: c", "a:b: c"),
        ("##[error]a", r"#\x23[error]a"),
        ("a ##vso[task.complete]b", r"a #\x23vso[task.complete]b"),
        ("###teamcity[x]", r"#\x23\x23teamcity[x]"),
        ("docs/unverified.md#timeout", "docs/unverified.md#timeout"),
        ("http://[::1]:8080", r"http://[:\x3a1]:8080"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text() | st.text(st.sampled_from(":#\\x3a \n\u0301[")))
def test_plain_text_holds_nothing_to_obey_and_stays_as_it_is(text: str) -> None:
    shown = plain(text)
    assert "::" not in shown
    assert "##" not in shown
    assert not {unicodedata.category(character)[0] for character in shown} & {"C", "M"}
    assert not {unicodedata.category(character) for character in shown if character != " "} & {"Zs", "Zl", "Zp"}
    assert plain(shown) == shown


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./@()~+ äöüßéø"))
def test_a_name_stays_as_it_is(name: str) -> None:
    assert plain(name) == name
