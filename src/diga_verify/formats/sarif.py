"""The report as SARIF 2.1.0, for GitHub code scanning and whatever else shows results beside lines.

A result stands at the line of the policy that it breaks, and the resource is its logical location. GitHub takes the
severity of a result from its rule and knows it again by its fingerprint: so there is a rule for each kind of finding,
and placements that are alike in everything that lasts are one result. Nothing found is not enough to look clean: a run
that is not compliant has a result, whatever became of it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from diga_verify.assessment import concerned
from diga_verify.formats.ascii import ascii_json
from diga_verify.formats.findings import Finding, Kind, findings
from diga_verify.formats.page import Page, plain
from diga_verify.formats.sarif_rules import RULES
from diga_verify.formats.words import caveats, conclusion, counts, facts, not_covered
from diga_verify.moment import moment
from diga_verify.report import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SHOWN = 5_000
"""Results of a run that GitHub shows."""
ROOM = 9_000_000
"""Bytes of all results, each compressed alone. GitHub takes 10 MB, compressed as a whole."""
_FEW = 5
_LONGEST = 1_000
"""Characters of one line of a message, which GitHub cuts too."""
_LEVELS = ("error", "warning", "note")
_RULE_IDS = [rule["id"] for rule in RULES]


def render(report: Report, page: Page) -> str:
    """The report as ASCII JSON of at most `SHOWN` results, and a notification about what was left out if need be."""
    results = [_result(alike, report) for alike in _alike(findings(report))]
    kept = _kept(sorted(results, key=lambda one: (_LEVELS.index(one["level"]), one["ruleIndex"])))
    run = {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": _category(report)},
        "invocations": [_invocation(report, len(results) - len(kept))],
        "artifacts": [_policy(report)],
        "columnKind": "utf16CodeUnits",
        "results": kept,
        "properties": {name: plain(value) for name, value in facts(report).items()},
    }
    return ascii_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _alike(found: Iterable[Finding]) -> Iterable[list[Finding]]:
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for one in found:
        groups.setdefault(one.identity, []).append(one)
    return groups.values()


def _kept(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the results as there is room for, from the first on."""
    kept, room = [*results[:SHOWN]], ROOM
    for number, result in enumerate(kept):
        room -= len(zlib.compress(json.dumps(result).encode()))
        if room < 0:
            return kept[:number]
    return kept


def _driver(report: Report) -> dict[str, Any]:
    version = plain(report.version)
    return {"name": "diga-verify", "version": version, "semanticVersion": version, "rules": RULES}


def _category(report: Report) -> str:
    """What GitHub replaces as a whole: results of the same environment and project, and never those of a whole run by
    those of a part, or real ones by simulated ones."""
    parts = ["diga-verify", report.environment, report.project.id]
    if not report.whole:
        parts.append(f"selected-{_digest(sorted(report.selection))[:12]}")
    if report.simulated:
        parts.append("simulated")
    if report.what_if:
        parts.append("what-if")
    return "".join(f"{quote(plain(part), safe=':')}/" for part in parts)


def _invocation(report: Report, cut: int) -> dict[str, Any]:
    times = {"startTimeUtc": report.started_at, "endTimeUtc": report.finished_at}
    known = {name: at.astimezone(UTC) for name, text in times.items() if (at := moment(text)) is not None}
    signal = {} if report.interrupted_by is None else {"exitSignalNumber": report.interrupted_by}
    return {
        "executionSuccessful": report.complete,
        "exitCode": report.exit_code,
        **signal,
        "exitCodeDescription": conclusion(report),
        **{name: at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" for name, at in known.items()},
        "toolExecutionNotifications": [*_notifications(report, cut)],
    }


def _notifications(report: Report, cut: int) -> Iterator[dict[str, Any]]:
    yield {"level": "note", "message": {"text": f"{conclusion(report)} {counts(report)}."}}
    for caveat in caveats(report):
        yield {"level": "warning", "message": {"text": _message([f"{caveat}."])}}
    for line in not_covered(report):
        yield {"level": "note", "message": {"text": _message([f"{line}."])}}
    if cut:
        said = f"{cut} results are left out, the least grave: GitHub shows {SHOWN} of a run. The JSON report has all."
        yield {"level": "warning", "message": {"text": said}}
    if _relative(report.policy_path) is None:
        said = "the policy's path does not lie below the folder of the run, so that results name the file alone"
        yield {"level": "warning", "message": {"text": f"{said}: {_message([report.policy_path])}."}}


def _policy(report: Report) -> dict[str, Any]:
    digest = {"hashes": {"sha-256": plain(report.policy_sha256)}} if report.policy_sha256 else {}
    return {"location": {"uri": _uri(report)}, "roles": ["userSpecifiedConfiguration"], **digest}


def _uri(report: Report) -> str:
    """The policy as GitHub knows files: by their paths within the repository. It takes no result that points elsewhere,
    so of any other path the name alone is left, and a notification says so."""
    names = [name for name in report.policy_path.replace("\\", "/").split("/") if name not in {"", ".", ".."}]
    return quote(_relative(report.policy_path) or plain(names[-1] if names else "regions.toml"))


def _relative(path: str) -> str | None:
    """The path without detours; None where it is absolute or leads out of the folder in which the run was started."""
    parts: list[str] = []
    for part in PurePosixPath(plain(path)).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    outside = not parts or path.startswith("/") or path[1:2] == ":" or "\\" in path
    return None if outside else "/".join(parts)


def _result(alike: Sequence[Finding], report: Report) -> dict[str, Any]:
    first = alike[0]
    waiver = first.place.waiver if first.place else None
    level = "note" if first.kind is Kind.WAIVED else "error" if any(one.enforced for one in alike) else "warning"
    return {
        "ruleId": first.kind.value,
        "ruleIndex": _RULE_IDS.index(first.kind.value),
        "level": level,
        "message": {"text": _message([f"{first.title}.", *_lines(alike)])},
        "locations": [_location(first, report)],
        "occurrenceCount": len(alike),
        "partialFingerprints": _fingerprints(first, report),
        **({"suppressions": [_suppression(first)]} if waiver else {}),
        "properties": _properties(alike),
    }


def _lines(alike: Sequence[Finding]) -> Iterator[str]:
    yield from alike[0].lines
    also = [f"{one.place.placement.field} {one.place.placement.about}".strip() for one in alike[1:] if one.place]
    if also:
        more = len(also) - _FEW
        yield f"and from {', '.join(also[:_FEW])}{f' and {more} more' if more > 0 else ''}"
    yield from (line for one in alike[1:] if one.unread for line in one.lines[:1])


def _message(lines: Iterable[str]) -> str:
    """Lines in which nothing of others is a link or a placeholder, as SARIF has them in plain text."""
    shown = (plain(line).replace("](", r"]\x28").replace("{", r"\x7b") for line in lines)
    return "\n".join(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..." for line in shown)


def _location(finding: Finding, report: Report) -> dict[str, Any]:
    resource = finding.judged.resource if finding.judged else None
    name = {"name": plain(resource.name)} if resource else {}
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(report), "index": 0},
            "region": {"startLine": max(finding.line or 1, 1)},
        },
        "logicalLocations": [{**name, "fullyQualifiedName": plain(finding.name), "kind": "resource"}],
    }


def _suppression(finding: Finding) -> dict[str, Any]:
    waived = next(line for line in finding.lines if line.startswith("waived until "))
    return {"kind": "external", "status": "accepted", "justification": _message([waived])}


def _fingerprints(finding: Finding, report: Report) -> dict[str, str]:
    """GitHub looks at the first alone. It would make its own of the policy's line, and take all that break one rule
    of the policy for one."""
    digest = _digest([report.project.id, report.environment, *finding.identity])
    return {"primaryLocationLineHash": digest, "digaVerifyFinding/v1": digest}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _properties(alike: Sequence[Finding]) -> dict[str, Any]:
    """What programs may want to sort by."""
    first = alike[0]
    place, judged = first.place, first.judged
    properties: dict[str, Any] = {"type": plain(first.type), "enforced": any(one.enforced for one in alike)}
    if first.reason is not None:
        properties["reason"] = first.reason.value
    if judged is not None:
        properties["controls"] = [one.id for one in concerned(judged, place)]
    if place is not None:
        properties |= {
            "role": place.placement.role.value,
            "location": plain(place.location or ""),
            "fields": [plain(one.place.placement.field) for one in alike[:100] if one.place],
            "allowed": [plain(entry) for entry in place.allowed.entries],
            "severity": place.severity.value if place.severity else None,
        }
    return properties
