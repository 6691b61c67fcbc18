"""The records of the page: what was not covered, the controls, every resource with every place, every call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from diga_verify.assessment import Assessed, Standing, assessed
from diga_verify.formats.html_markup import Html, around, code, element, fragment, lines, raw
from diga_verify.formats.html_tables import (
    Columns,
    alike,
    anchors,
    fields_of,
    group_head,
    joined,
    long_table,
    none,
    row,
    table_of,
    ticked,
    verdict_word,
)
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Verdict
from diga_verify.report import Limit, LimitKind, Report
from diga_verify.second_witness import NAME

_KINDS = {
    LimitKind.SELECTION: "What was left out of this run",
    LimitKind.SERVICE: "Services that were not read",
    LimitKind.UNUSED: "Declared unused by the policy",
    LimitKind.WAIVER: "Accepted by waivers",
    LimitKind.ASSUMPTION: "Assumed by the policy",
    LimitKind.RESTORE: "After the restore",
    LimitKind.WITNESS: "The second witness",
    LimitKind.API: "What the APIs do not show",
    LimitKind.TABLE: "Tables that the verdict rests on",
    LimitKind.GENERAL: "What no run shows",
}
_STANDINGS = {
    Standing.SATISFIED: "satisfied",
    Standing.NOT_SATISFIED: "not satisfied",
    Standing.NOT_PROVEN: "not proven",
}


def limits(report: Report) -> Html:
    """What the run could not show, by kind, and what the second witness was heard about."""
    parts: list[Html] = []
    for kind, title in _KINDS.items():
        told = [*map(_limit, [one for one in report.limits if one.kind is kind])]
        if kind is LimitKind.WITNESS:
            told = [*_witness(report), *told]
        if kind is LimitKind.UNUSED and not told and report.judgement.declared_unused:
            told = [element("li", joined(map(code, report.judgement.declared_unused)))]
        if told:
            parts += [element("h3", title), element("ul", lines(told), class_="plain")]
    return lines(parts)


def _limit(one: Limit) -> Html:
    return element("li", code(one.type) if one.type else "", ": " if one.type else "", ticked(one.text))


def _witness(report: Report) -> Iterator[Html]:
    witness = report.witness
    if witness.heard:
        said = f"{NAME} gave its whole list of these types, {len(witness.assets):,} assets in all: "
        yield element("li", said, joined(map(code, witness.heard)))
    if witness.silent:
        silent = (fragment(code(type), f" ({reason})") for type, reason in witness.silent)
        yield element("li", f"{NAME} was not heard about: ", joined(silent))
    if not witness.heard and not witness.silent:
        yield element("li", f"{NAME} was not heard.")


def controls(report: Report) -> Html:
    """What the report says about each control, and what stands in its way."""
    columns = [("Clause", "w14"), ("What it asks", "w38"), ("Standing", "w14"), ("Resources in its way", "")]
    standings = assessed(report)
    named = {name for one in standings for name in one.resources}
    anchored = ((judged, anchor) for judged, anchor in _anchored(report) if judged.resource.full_name in named)
    links = {judged.resource.full_name: _link(judged, anchor) for judged, anchor in anchored}
    shown: dict[tuple[str, ...], str] = {}
    rows = []
    for one in standings:
        clause = f"{one.control.framework} {one.control.clause}"
        rows.append(_control(one, clause, links, shown.get(one.resources)))
        shown.setdefault(one.resources, clause)
    note = "`Satisfied` is said only of what the run could show. Whether the law is kept, people decide."
    return lines(
        [
            element("p", ticked(note), class_="note"),
            table_of("Controls, and what this run says about each", columns, rows),
        ]
    )


def _control(one: Assessed, clause: str, links: dict[str, Html], same_as: str | None) -> list[Html]:
    control = one.control
    names: list[str] = [element("div", links.get(name, code(name))) for name in one.resources]
    if names and same_as is not None:
        names = [f"the same {len(names):,} as for {same_as}"]
    return [
        fragment(clause),
        fragment(
            *(element("strong", control.title), element("small", control.summary), element("small", control.scope)),
            element("small", element("a", "source", href=control.url, rel="noreferrer noopener")),
        ),
        verdict_word(one.standing, _STANDINGS[one.standing]),
        fragment(*names) if names else fragment("none"),
    ]


def _link(judged: JudgedResource, anchor: str) -> Html:
    """A short name for a resource; where it leads to, its full name stands."""
    return fragment(judged.resource.type, " ", element("a", code(judged.resource.name), href=f"#{anchor}"))


def resources(report: Report) -> Iterator[Html]:
    """Every resource with every place, by type, in pieces. Open, for a browser may not print what is closed."""
    if not report.judgement.resources:
        yield none("No resource was read.")
    by_type: dict[str, list[tuple[JudgedResource, str]]] = {}
    for judged, anchor in _anchored(report):
        by_type.setdefault(judged.resource.type, []).append((judged, anchor))
    for type, found in by_type.items():
        yield from _of_type(type, found)
        yield raw("\n")


_COLUMNS: Columns = (
    ("Role", "w8"),
    ("Location", "w14"),
    ("What it stands for", "w16"),
    ("Verdict", "w12"),
    ("Allowed", "w14"),
    ("Read from", ""),
)


def _of_type(type: str, found: Sequence[tuple[JudgedResource, str]]) -> Iterator[Html]:
    counted = [(verdict, sum(judged.verdict is verdict for judged, _ in found)) for verdict in Verdict]
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in counted if count)
    title = element(
        "summary", element("h3", code(type)), element("span", f"{len(found):,} in all: {told}", class_="note")
    )
    bodies = (_resource(judged, anchor) for judged, anchor in found)
    caption = f"Resources of type {type}, each with every place where it keeps data"
    table = long_table(caption, _COLUMNS, bodies, class_="records")
    return around("details", chain([title], table), open="")


def _resource(judged: JudgedResource, anchor: str) -> Html:
    resource = judged.resource
    grave = f"{judged.verdict}, {judged.severity}" if judged.verdict is Verdict.VIOLATION else judged.verdict.value
    labels = ", ".join(f"{key}={value}" for key, value in sorted(resource.labels.items()))
    more = [
        element("small", code(resource.full_name)),
        element("small", "labels ", code(labels)) if labels else "",
        element("small", "of a type that the policy declares unused") if judged.declared_unused else "",
        element("small", "no places of it are known") if not judged.placements else "",
    ]
    head = group_head(
        _COLUMNS, verdict_word(judged.verdict, grave), code(resource.name), f" {resource.kind}", *more, anchor=anchor
    )
    return element("tbody", lines([head, *map(_places, alike(judged.placements))]))


def _places(group: Sequence[JudgedPlacement]) -> Html:
    first = group[0]
    return row(
        fragment(first.placement.role),
        code(first.location) if first.location else fragment("none"),
        fragment(first.bound.description if first.bound else "unknown"),
        _judged(first),
        fragment(f"{', '.join(first.allowed.entries)} (line {first.allowed.line})"),
        fields_of(group),
    )


def _judged(place: JudgedPlacement) -> Html:
    notes = [
        element("small", place.severity.value) if place.severity else "",
        element("small", code(place.reason)) if place.reason else "",
        element("small", f"until {place.waiver.expires}, {place.waiver.owner}") if place.waiver else "",
        element("small", f"location assumed, line {place.assumption.line}") if place.assumption else "",
    ]
    return fragment(verdict_word(place.verdict), *notes)


def calls(report: Report) -> Html:
    """Every call with its outcome."""
    if not report.calls:
        return none("No call was made.")
    columns = [
        ("Method", "w24"),
        ("Scope", ""),
        ("Status", "w10"),
        ("Started", "w20"),
        ("Pages", "w8 n"),
        ("ms", "w6 n"),
    ]
    rows = [
        [
            fragment(code(one.method), element("small", code(one.service))),
            code(one.scope),
            fragment(one.status),
            fragment(one.started_at),
            fragment(f"{one.pages:,}"),
            fragment(f"{one.duration_ms:,}"),
        ]
        for one in report.calls
    ]
    title = element("summary", element("h3", "Calls"), element("span", f"{len(rows):,} in all", class_="note"))
    caption = "Calls to Google Cloud, all pages and attempts of one taken together; times in UTC"
    return element("details", title, table_of(caption, columns, rows, class_="records"), open="")


def _anchored(report: Report) -> Iterator[tuple[JudgedResource, str]]:
    links = anchors(report)
    return ((judged, links[id(judged)]) for judged in report.judgement.resources)
