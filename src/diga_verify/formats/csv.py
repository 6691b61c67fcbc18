"""The report as CSV, for whoever samples or sorts in a spreadsheet: RFC 4180, a header, UTF-8.

A row for the run, one per placement, and one for everything that has no placement. Every row tells which run it is
from and how that ended, so that a row taken out of its file does not mislead. docs/formats.md lists the columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import lru_cache

from diga_verify.formats.advice import follow_up, next_step, remedy
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import about_missing, caveats, conclusion, facts, yes
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Reason, Verdict
from diga_verify.report import Report

_RUN = {
    "environment": "environment",
    "enforcement": "enforcement",
    "strict": "strict",
    "project": "project",
    "policy": "policy",
    "policy_sha256": "policy_sha256",
    "run_verdict": "verdict",
    "exit_code": "exit_code",
    "complete": "complete",
    "simulated": "simulated",
    "run_scope": "scope",
    "selection": "selection",
    "started_at": "started_at",
}
"""The columns that are alike in all rows, and what they are called elsewhere."""
COLUMNS = (
    "record",
    *_RUN,
    *("type", "name", "full_name", "kind", "resource_verdict", "enforced"),
    *("role", "location", "regions", "countries", "field", "about"),
    *("verdict", "severity", "allowed", "rule_line"),
    *("waiver_reason", "waiver_owner", "waiver_expires", "waiver_line"),
    *("reason", "scope", "detail", "next"),
)
_FORMULA = "=+\\-@\t\r\uff1d\uff0b\uff0d\uff20"
_STARTS = re.compile(rf"[\s']*[{_FORMULA}]")
_LATER = re.compile(rf";(?=[\s\"]*[{_FORMULA}])")
"""Where a semicolon separates, as in a German spreadsheet, a formula could begin in the middle of a cell."""

_Row = dict[str, str]


def render(report: Report, page: Page) -> str:
    """The report as rows that end with CR LF. A cell that a spreadsheet would compute has an apostrophe before it."""
    return "".join(pieces(report, page))


def pieces(report: Report, page: Page) -> Iterator[str]:
    """The same row by row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    named = facts(report)
    same = {column: _cell(named[fact]) for column, fact in _RUN.items()}
    for row in _rows(report):
        writer.writerow(same | {column: _cell(value) for column, value in row.items()})
        yield text.getvalue()
        text.seek(0)
        text.truncate()


@lru_cache(1024)
def _cell(text: str) -> str:
    shown = _LATER.sub(r"\\x3b", plain(text))
    return f"'{shown}" if _STARTS.match(shown) else shown


def _rows(report: Report) -> Iterator[_Row]:
    judgement = report.judgement
    said = "; ".join([conclusion(report), *map(str, caveats(report))])
    yield {"record": "run", "verdict": report.verdict.value, "detail": said}
    for judged in judgement.resources:
        yield from _of_resource(judged, report)
    for gone in judgement.missing:
        detail, step = about_missing(gone, report)
        yield {
            "record": "missing",
            "type": gone.type,
            "name": gone.name,
            "enforced": yes(report.enforced),
            "location": gone.location or "",
            "verdict": Verdict.VIOLATION.value,
            "rule_line": _number(gone.line),
            "detail": detail,
            "next": step.removeprefix("next: "),
        }
    enforced = {one.resource.full_name for one in judgement.resources if one.enforced}
    for one in judgement.unread:
        yield {
            "record": "unread",
            "type": one.type,
            "full_name": one.resource or "",
            "enforced": yes(report.enforced or one.resource in enforced),
            "verdict": Verdict.UNVERIFIED.value,
            "reason": one.reason.value,
            "scope": one.scope,
            "detail": one.detail,
            "next": _remedy(one.reason),
        }


def _of_resource(judged: JudgedResource, report: Report) -> Iterator[_Row]:
    resource = judged.resource
    row = {
        "type": resource.type,
        "name": resource.name,
        "full_name": resource.full_name,
        "kind": resource.kind,
        "resource_verdict": judged.verdict.value,
        "enforced": yes(judged.enforced or report.enforced),
    }
    if judged.declared_unused or not judged.placements:
        unused = judged.declared_unused
        yield row | {
            "record": "resource",
            "verdict": judged.verdict.value,
            "severity": judged.severity.value if judged.severity else "",
            "detail": f"the policy declares {resource.type} unused" if unused else "no places of it are known",
            "next": next_step(judged, None) if unused else "",
        }
    for place in judged.placements:
        yield row | {"record": "placement"} | _placement(judged, place)


def _placement(judged: JudgedResource, place: JudgedPlacement) -> _Row:
    bound, waiver = place.bound, place.waiver
    return {
        "role": place.placement.role.value,
        "location": place.location or "",
        "regions": " ".join(bound.regions) if bound else "",
        "countries": " ".join(bound.countries) if bound else "",
        "field": place.placement.field,
        "about": place.placement.about,
        "verdict": place.verdict.value,
        "severity": place.severity.value if place.severity else "",
        "allowed": " ".join(place.allowed.entries),
        "rule_line": str(place.allowed.line),
        "waiver_reason": waiver.reason if waiver else "",
        "waiver_owner": waiver.owner if waiver else "",
        "waiver_expires": waiver.expires.isoformat() if waiver else "",
        "waiver_line": _number(waiver.line if waiver else None),
        "reason": place.reason.value if place.reason else "",
        "detail": f"assumed by the policy, line {place.assumption.line}" if place.assumption else "",
        "next": follow_up(judged, place) or "",
    }


def _remedy(reason: Reason) -> str:
    return f"{remedy(reason)}; see docs/unverified.md#{reason}"


def _number(line: int | None) -> str:
    return "" if line is None else str(line)
