"""What the page says about everything that is not simply compliant: violations, missing, not verified, waived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from diga_verify.changes import Drift
from diga_verify.formats.advice import WAIVED_STEP, next_step, remedy
from diga_verify.formats.drift_words import LABELS, TITLES, how_many, named, read_from, said
from diga_verify.formats.html_markup import Html, code, each_line, element, fragment, lines
from diga_verify.formats.html_tables import (
    Columns,
    alike,
    anchors,
    fields_of,
    group_head,
    grouped_table,
    joined,
    none,
    row,
    table_of,
    ticked,
    verdict_word,
)
from diga_verify.formats.words import about_missing, about_unused, where
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Reason, Severity, Unread, Verdict
from diga_verify.policy.rules import Waiver
from diga_verify.report import Report

_BEYOND = {
    Severity.CRITICAL: "critical: outside what DiGAV section 4(3) allows",
    Severity.HIGH: "high: within what DiGAV section 4(3) allows, outside the policy",
}
_BARE = "no places of it are known"


def violations(report: Report) -> Iterator[Html]:
    """Each resource in violation, critical ones first, with every misplaced placement and the next step, in pieces."""
    found = [*report.of(Verdict.VIOLATION)]
    if not found:
        return iter([none("None was found in what was read.")])
    links = anchors(report)
    return each_line(_violation(number, judged, links[id(judged)], report) for number, judged in enumerate(found, 1))


def _violation(number: int, judged: JudgedResource, anchor: str, report: Report) -> Html:
    resource = judged.resource
    grave = f"{judged.severity} violation" if judged.severity else "violation"
    shown = [
        element("h3", verdict_word(Verdict.VIOLATION, grave), f"{number}. ", resource.type, " ", code(resource.name)),
        element(
            "p", fragment(resource.kind), ", ", element("a", code(resource.full_name), href=f"#{anchor}"), class_="full"
        ),
    ]
    if not (judged.enforced or report.enforced):
        shown.append(element("p", "Shown, not enforced: it does not stop the deployment.", class_="note"))
    if judged.declared_unused:
        said, step = about_unused(judged, report)
        shown.append(_pairs([("why", fragment(said)), ("next", fragment(step.removeprefix("next: ")))]))
    wrong = [place for place in judged.placements if place.verdict is Verdict.VIOLATION]
    gravest_first = sorted(alike(wrong), key=lambda group: group[0].severity is not Severity.CRITICAL)
    shown += [_pairs(_misplaced(judged, group, report)) for group in gravest_first]
    return element("article", lines(shown), class_="finding")


def _misplaced(judged: JudgedResource, group: Sequence[JudgedPlacement], report: Report) -> Iterator[tuple[str, Html]]:
    first = group[0]
    yield first.placement.role.value, fragment(where(first))
    yield "read from", fields_of(group)
    if first.assumption is not None:
        said = f"assumed by {report.policy_path}:{first.assumption.line}, for the answer names no location"
        yield "location", fragment(said)
    yield "allowed", fragment(f"{', '.join(first.allowed.entries)} ({report.policy_path}:{first.allowed.line})")
    if first.severity is not None:
        yield "why", fragment(_BEYOND[first.severity])
    yield "next", fragment(next_step(judged, first))


def _pairs(pairs: Iterable[tuple[str, Html]]) -> Html:
    cells = []
    for number, (name, value) in enumerate(pairs):
        cells += [element("dt", name), element("dd", value, class_="where" if number == 0 else None)]
    return element("dl", *cells)


def missing(report: Report) -> Html:
    """What must exist and does not."""
    if not report.judgement.missing:
        return none("Every resource that the policy or the command line expects is there.")
    columns = [("Type", "w10"), ("Name", "w24"), ("Expected", "w34"), ("Next", "")]
    rows = []
    for one in report.judgement.missing:
        said, step = about_missing(one, report)
        rows.append([code(one.type), code(one.name), fragment(said), fragment(step.removeprefix("next: "))])
    return table_of("Resources that must exist and were not found: each is a violation", columns, rows)


def unread(report: Report) -> Html:
    """What was not read or not proven, by reason, each with its remedy."""
    bare = [one for one in report.of(Verdict.UNVERIFIED) if not one.placements]
    named = {one.resource for one in report.judgement.unread}
    alone = [one for one in bare if one.resource.full_name not in named]
    if not report.judgement.unread and not alone:
        whole = "Everything in scope was read to its end, and every place could be judged."
        return none(whole if report.complete else "Nothing else is known of what an interrupted run did not read.")
    columns = [("Type", "w10"), ("What was not read or proven", "w34"), ("Detail", "")]
    by_reason: dict[Reason, list[Unread]] = {}
    for one in report.judgement.unread:
        by_reason.setdefault(one.reason, []).append(one)
    bodies = [_reason(reason, found, columns) for reason, found in by_reason.items()]
    if alone:
        rows = [row(code(one.resource.type), code(one.resource.full_name), fragment(_BARE)) for one in alone]
        bodies.append(element("tbody", lines([group_head(columns, _BARE), *rows])))
    return grouped_table("What is not verified, by reason. None of it may be taken for compliant", columns, bodies)


def _reason(reason: Reason, found: Sequence[Unread], columns: Columns) -> Html:
    what = element("small", ticked(f"What to do: {remedy(reason)}; see docs/unverified.md#{reason}"))
    head = group_head(columns, verdict_word(Verdict.UNVERIFIED, f"{len(found):,} not verified"), code(reason), what)
    rows = [row(code(one.type), code(one.scope), fragment(one.detail)) for one in found]
    return element("tbody", lines([head, *rows]))


def waivers(report: Report) -> Html:
    """The waivers that cover a violation of this run."""
    used = report.judgement.waivers_used
    if not used:
        return none("No violation is waived.")
    columns = [
        ("Waived", "w28"),
        ("Where", "w16"),
        ("How grave", "w12"),
        ("Reason", ""),
        ("Owner", "w14"),
        ("Until", "w10"),
    ]
    covered, links = _covered(report), anchors(report)
    rows = [
        [
            _waived(one, covered.get(one, ()), links),
            fragment(f"{one.role}: ", code(one.location)),
            _grave(covered.get(one, ())),
            fragment(one.reason),
            fragment(one.owner),
            fragment(one.expires.isoformat(), element("small", f"{report.policy_path}:{one.line}")),
        ]
        for one in used
    ]
    caption = "Violations that somebody answers for, up to and including the day on which the waiver ends"
    step = element("p", f"What to do: {WAIVED_STEP}.", class_="note")
    return lines([table_of(caption, columns, rows), step])


def changes(drift: Drift) -> Html:
    """What changed since the baseline, the worst first."""
    intro = [element("p", f"Since the run that ended {drift.old.finished_at}: {how_many(drift)}.")]
    intro += [element("p", caveat, class_="note") for caveat in drift.caveats]
    columns = [("Effect", "w10"), ("What", "w12"), ("Resource", "w34"), ("Change", "")]
    rows = [
        [
            fragment(TITLES[effect].lower()),
            fragment(LABELS[one.kind]),
            fragment(code(one.type or "run"), " ", code(named(one))),
            fragment(said(one), element("small", code(read_from(one))) if read_from(one) else ""),
        ]
        for effect in TITLES
        for one in drift.of(effect)
    ]
    return lines([*intro, *([table_of("Changes, the worst first", columns, rows)] if rows else [])])


_Covered = Sequence[tuple[JudgedResource, JudgedPlacement]]


def _covered(report: Report) -> Mapping[Waiver, _Covered]:
    found: dict[Waiver, list[tuple[JudgedResource, JudgedPlacement]]] = {}
    for judged in report.judgement.resources:
        for place in judged.placements:
            if place.waiver is not None:
                found.setdefault(place.waiver, []).append((judged, place))
    return found


def _waived(waiver: Waiver, covered: _Covered, links: Mapping[int, str]) -> Html:
    name = code(waiver.resource)
    if not covered:
        return name
    many = f"{len(covered)} placements" if len(covered) > 1 else "1 placement"
    return fragment(element("a", name, href=f"#{links[id(covered[0][0])]}"), element("small", many))


def _grave(covered: _Covered) -> Html:
    return joined(dict.fromkeys(place.severity.value for _, place in covered if place.severity))
