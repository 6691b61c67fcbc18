"""The shapes in which the page shows things: tables with captions and heads, and verdicts as words with a shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from diga_verify.formats.html_markup import Html, around, code, each_line, element, fragment, lines
from diga_verify.judgement import JudgedPlacement
from diga_verify.report import Report

Columns = Sequence[tuple[str, str]]
"""The head of each column, and its classes: a width, `n` for numbers."""


def verdict_word(verdict: str, said: str | None = None) -> Html:
    """A verdict as a word; the style sheet puts a shape before it, so that it does not rest on colour."""
    return element("span", said or verdict, class_=f"v {verdict}")


def table_of(caption: str, columns: Columns, rows: Iterable[Sequence[Html]], *, class_: str | None = None) -> Html:
    """A table whose first cells name their rows."""
    numbers = [_number(classes) for _, classes in columns]
    body = [element("tr", element("th", first, scope="row"), *map(_cell, rest, numbers[1:])) for first, *rest in rows]
    return grouped_table(caption, columns, [element("tbody", lines(body))], class_=class_)


def grouped_table(caption: str, columns: Columns, bodies: Iterable[Html], *, class_: str | None = None) -> Html:
    """A table of several bodies, each with its own rows."""
    return fragment(*long_table(caption, columns, bodies, class_=class_))


def long_table(caption: str, columns: Columns, bodies: Iterable[Html], *, class_: str | None = None) -> Iterator[Html]:
    """The same in pieces."""
    widths = [element("col", class_=classes.replace(" n", "") or None) for _, classes in columns]
    heads = [element("th", name, scope="col", class_=_number(classes)) for name, classes in columns]
    head = element("thead", element("tr", *heads))
    group = element("colgroup", *widths)
    whole = each_line(chain([element("caption", caption), group, head], bodies))
    return around("div", around("table", whole, class_=class_), class_="wide")


def facts_table(caption: str, rows: Iterable[tuple[str, Html]]) -> Html:
    """Names and values."""
    body = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows]
    table = element("table", element("caption", caption), element("tbody", lines(body)), class_="facts")
    return element("div", table, class_="wide")


def group_head(columns: Columns, *said: str, anchor: str | None = None) -> Html:
    """A row that is the head of the rows below it."""
    head = element("th", *said, scope="rowgroup", colspan=str(len(columns)))
    return element("tr", head, class_="group", id=anchor)


def row(*cells: Html) -> Html:
    """A row of which no cell names the others."""
    return element("tr", *map(_cell, cells))


def none(said: str) -> Html:
    """The sentence that stands where there is nothing to list."""
    return element("p", said, class_="muted")


def joined(parts: Iterable[str], between: str = ", ") -> Html:
    """Pieces with something of ours between them."""
    pieces = [piece for part in parts for piece in (between, part)]
    return fragment(*pieces[1:])


def ticked(text: str) -> Html:
    """A sentence in which backticks stand around code, as in Markdown."""
    return fragment(*(code(part) if number % 2 else part for number, part in enumerate(text.split("`"))))


def _cell(value: Html, class_: str | None = None) -> Html:
    return element("td", value, class_=class_)


def _number(classes: str) -> str | None:
    return "n" if "n" in classes.split() else None


def anchors(report: Report) -> dict[int, str]:
    """Where on the page each resource stands, by its identity: two may have one name."""
    return {id(judged): f"r{number}" for number, judged in enumerate(report.judgement.resources, 1)}


def alike(places: Iterable[JudgedPlacement]) -> Iterable[Sequence[JudgedPlacement]]:
    """Placements that differ in nothing but the field they were read from belong together."""
    groups: dict[JudgedPlacement, list[JudgedPlacement]] = {}
    for place in places:
        same = replace(place, placement=replace(place.placement, field="", about="", source=None))
        groups.setdefault(same, []).append(place)
    return groups.values()


def fields_of(group: Sequence[JudgedPlacement]) -> Html:
    """The fields that placements were read from, whose they are, and where the evidence has them."""
    fields = [*map(_field, group)]
    return fields[0] if len(fields) == 1 else fragment(*(element("div", one) for one in fields))


def _field(place: JudgedPlacement) -> Html:
    placement = place.placement
    about = element("small", code(placement.about)) if placement.about else ""
    source = element("small", "evidence ", code(placement.source)) if placement.source is not None else ""
    return fragment(code(placement.field), about, source)
