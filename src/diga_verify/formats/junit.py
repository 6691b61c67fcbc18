"""The report as JUnit XML, for GitLab, Jenkins and whatever else shows tests: a suite per type, a case per resource.

Failures are violations and missing resources, errors are what is unverified or unread, skipped is what is waived. The
first suite has one case, the verdict of the run, so that nothing found never looks like nothing wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from xml.etree import ElementTree as ET

from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import (
    about_missing,
    about_placement,
    about_unread,
    about_unused,
    caveats,
    conclusion,
    counts,
    facts,
)
from diga_verify.judgement import JudgedResource
from diga_verify.model import Verdict
from diga_verify.report import Report

_EVERYWHERE = ("environment", "policy_sha256", "verdict", "exit_code", "simulated")
"""The properties that every suite has; the first one has all."""
_SECONDS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a case has inside. `tag` and `type` are words of ours: GitLab takes some values of `type` for orders to
    its parser. One outcome per case, with everything in its text: GitLab shows no other, and no attribute."""

    tag: str
    type: str
    message: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    outcome: _Outcome | None
    said: tuple[str, ...] = ()


def render(report: Report, page: Page) -> str:
    """The report as ASCII XML: characters of others that XML cannot hold are escapes, the rest are references."""
    title = f"diga-verify {report.environment} {report.project.id}{' SIMULATED' if report.simulated else ''}"
    root = ET.Element("testsuites", name=plain(title))
    named = facts(report)
    taken: Counter[tuple[str, str]] = Counter()
    unread = _reasons(report)
    _suite(root, report, "run", [_run(report)], named, taken)
    for type in _types(report):
        _suite(root, report, type, _cases(report, type, unread), {name: named[name] for name in _EVERYWHERE}, taken)
    for counted in "tests", "failures", "errors", "skipped":
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in root)))
    root.set("time", _seconds(report))
    ET.indent(root)
    text = ET.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _types(report: Report) -> list[str]:
    """The types looked at, in the order of reports, and whatever else something is said about."""
    judgement = report.judgement
    resources = [judged.resource.type for judged in judgement.resources]
    missing, unread = [one.type for one in judgement.missing], [one.type for one in judgement.unread]
    return list(dict.fromkeys([*(origin.type for origin in report.checkers), *resources, *missing, *unread]))


def _run(report: Report) -> _Case:
    message = f"{report.verdict}, exit {report.exit_code}: {conclusion(report)}"
    lines = (counts(report), *map(str, caveats(report)))
    if report.verdict is Verdict.VIOLATION:
        return _Case("verdict", _Outcome("failure", "violation", message, lines))
    if report.verdict is not Verdict.COMPLIANT or report.exit_code != 0:
        return _Case("verdict", _Outcome("error", "unverified", message, lines))
    return _Case("verdict", None, (message, *lines))


def _reasons(report: Report) -> Mapping[str, list[str]]:
    """Why something of a resource is unread, by its full name; each reason once."""
    found: dict[str, dict[str, None]] = {}
    for one in report.judgement.unread:
        if one.resource is not None:
            found.setdefault(one.resource, {})[one.reason.value] = None
    return {name: [*reasons] for name, reasons in found.items()}


def _cases(report: Report, type: str, unread: Mapping[str, list[str]]) -> Iterator[_Case]:
    judgement = report.judgement
    for judged in judgement.resources:
        if judged.resource.type == type:
            reasons = unread.get(judged.resource.full_name, [])
            yield _Case(judged.resource.full_name, _outcome(judged, report, reasons))
    for gone in judgement.missing:
        if gone.type == type:
            where = f" in {gone.location}" if gone.location else ""
            message = f"missing: {gone.name}{where}"
            yield _Case(message, _Outcome("failure", "missing", message, tuple(about_missing(gone, report))))
    for one in judgement.unread:
        if one.type == type:
            message = f"not verified: {one.reason}: {one.scope}"
            yield _Case(message, _Outcome("error", one.reason.value, message, tuple(about_unread(one))))


def _outcome(judged: JudgedResource, report: Report, unread: Sequence[str]) -> _Outcome | None:
    resource = judged.resource
    tag, word = {
        Verdict.VIOLATION: ("failure", f"{judged.severity} violation"),
        Verdict.UNVERIFIED: ("error", "not verified"),
        Verdict.WAIVED: ("skipped", "waived"),
        Verdict.COMPLIANT: ("", ""),
    }[judged.verdict]
    if not tag:
        return None
    places = [place for place in judged.placements if place.verdict is not Verdict.COMPLIANT]
    where = dict.fromkeys(f"{place.placement.role} in {place.location or 'no location'}" for place in places)
    message = f"{word}: {resource.type} {resource.name} ({resource.kind}){': ' if where else ''}{', '.join(where)}"
    lines = [*(about_unused(judged, report) if judged.declared_unused else ())]
    for place in places:
        first, *more = about_placement(judged, place, report)
        lines += [f"{place.verdict}: {first}", *(f"  {line}" for line in more)]
    nowhere = "" if judged.placements else "no places of it are known"
    enforced = "" if judged.enforced or report.enforced else "shown, not enforced"
    elsewhere = f"has cases of its own: {', '.join(unread)}" if unread else ""
    lines += [line for line in (nowhere, enforced, elsewhere) if line]
    return _Outcome(tag, judged.verdict.value, message, tuple(lines))


def _suite(
    root: ET.Element,
    report: Report,
    name: str,
    cases: Iterable[_Case],
    properties: dict[str, str],
    taken: Counter[tuple[str, str]],
) -> None:
    suite = ET.SubElement(root, "testsuite", name=plain(name))
    listed = ET.SubElement(suite, "properties")
    for key, value in properties.items():
        ET.SubElement(listed, "property", name=key, value=plain(value))
    classname = plain(f"diga-verify.{report.environment}.{report.project.id}.{name}")
    for case in cases:
        element = ET.SubElement(suite, "testcase", classname=classname, name=_own(classname, plain(case.name), taken))
        if (outcome := case.outcome) is not None:
            inside = ET.SubElement(element, outcome.tag, type=outcome.type, message=plain(outcome.message))
            inside.text = _text((outcome.message, *outcome.lines))
        if case.said:
            ET.SubElement(element, "system-out").text = _text(case.said)
    tags = [inside.tag for inside in suite.iterfind("testcase/*")]
    suite.set("tests", str(len(suite.findall("testcase"))))
    for counted, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        suite.set(counted, str(tags.count(tag)))
    found = _SECONDS.match(report.started_at)
    suite.set("timestamp", found[0] if found else plain(report.started_at))
    suite.set("time", _seconds(report) if name == "run" else "0")


def _own(classname: str, name: str, taken: Counter[tuple[str, str]]) -> str:
    """A name that no other case has: of two that are alike GitLab shows one. `taken` has every name in use, and up to
    which number those like it are."""
    names = (name if number == 1 else f"{name} ({number})" for number in count(taken[classname, name] + 1))
    free = next(one for one in names if not taken[classname, one])
    taken[classname, free] += 1
    if free != name:
        taken[classname, name] += 1
    return free


def _text(lines: Iterable[str]) -> str:
    return "\n".join(map(plain, lines))


def _seconds(report: Report) -> str:
    """How long the run took, as the report says."""
    try:
        took = datetime.fromisoformat(report.finished_at) - datetime.fromisoformat(report.started_at)
    except (ValueError, TypeError):  # not times, or one with a zone and one without
        return "0"
    return f"{max(took.total_seconds(), 0):.3f}"
