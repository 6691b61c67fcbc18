"""Reports in pieces: the same text, of which no more than one resource is in memory at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.formats.ascii import ascii_json, ascii_pieces
from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS, pieces
from diga_verify.report import Report

TEXTS = st.one_of(
    st.text(), st.sampled_from(["##[error]", "</script>", "<!--", "\x7f\x00", "\ud800", "a\nb", "ü", "🦜"])
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS)
DOCUMENTS = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)


def iterated(value: Any, below: int) -> Any:
    """The same with iterators for lists, down to so many keys."""
    if isinstance(value, list):
        return iter(value)
    if isinstance(value, dict) and below:
        return {key: iterated(one, below - 1) for key, one in value.items()}
    return value


@given(DOCUMENTS, st.integers(0, 3))
def test_pieces_make_the_same_text(document: Any, below: int) -> None:
    whole = ascii_json(document)
    assert "".join(ascii_pieces(iterated(document, below))) == whole
    assert "".join(ascii_pieces(document)) == whole
    assert json.loads(whole) == json.loads(json.dumps(document))


def test_an_item_is_made_when_it_is_its_turn() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    text = ascii_pieces({"numbers": items(), "none": iter([])})
    made_by_then = [list(made) for piece in text if piece.strip(",\n [").isdigit()]
    assert made_by_then == [[0], [0, 1], [0, 1, 2]]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_in_pieces_is_the_format(name: str, demo_report: Report, compliant_report: Report) -> None:
    for report in demo_report, compliant_report:
        assert "".join(pieces(name, report, Page())) == FORMATS[name](report, Page())


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("json", '"full_name": "{}"'),
        ("csv", ",{},"),
        ("ocsf", '"uid": "{}"'),
        ("oscal", '"title": "{}"'),
        ("html", "<small><code>{}</code></small>"),
    ],
)
def test_no_piece_holds_two_resources(name: str, named: str, compliant_report: Report) -> None:
    own = [named.format(judged.resource.full_name) for judged in compliant_report.judgement.resources]
    found = [sum(one in piece for one in own) for piece in pieces(name, compliant_report, Page())]
    assert max(found) == 1
    assert sum(found) >= len(own)


def test_an_unknown_format_is_none() -> None:
    with pytest.raises(KeyError):
        pieces("yaml", None, Page())  # type: ignore[arg-type]
