"""Whether a stored report agrees with itself: what it says twice must be the same, and what follows must follow.

One that was changed by somebody who knew how is found by its digest (docs/auditors.md), not here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from diga_verify import __version__
from diga_verify.errors import ReportError
from diga_verify.formats.json import document
from diga_verify.formats.stored.parse import pointer, shown
from diga_verify.judgement import GRAVEST_FIRST
from diga_verify.locations.algebra import Bound, bound, table_date
from diga_verify.model import TYPES, Reason, Role, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.judgement import JudgedPlacement, JudgedResource
    from diga_verify.report import Report

_Path = tuple[str | int, ...]


class Contradiction(NamedTuple):
    """Something that the document says, and what follows from the rest of it."""

    at: _Path
    said: object
    follows: object


def refuse_contradictions(stored: dict[str, Any], report: Report, path: str) -> None:
    """Raise ReportError at the first thing in `stored` that does not follow from the report made of it."""
    found = next(_contradictions(stored, report), None)
    if found is not None:
        problem = f"{pointer(found.at)} is {shown(found.said)}, and {shown(found.follows)} follows from the rest"
        raise ReportError(path, problem, "a report that contradicts itself is not used: take it as the run wrote it")


def _contradictions(stored: dict[str, Any], report: Report) -> Iterator[Contradiction]:
    yield from _of_scope(report)
    yield from _Judge(report).contradictions()
    follows = document(report)
    if report.version != __version__:
        _keep_its_words(stored, follows)
    if stored != follows:
        yield from _differences(stored, follows, ())


def _of_scope(report: Report) -> Iterator[Contradiction]:
    """What was looked at, and who was asked."""
    read = {origin.type for origin in report.checkers}
    if report.whole and not read.issuperset(TYPES):
        yield Contradiction(("scope",), "project", "selected")
    for index, judged in enumerate(report.judgement.resources):
        if judged.resource.type not in read:
            yield Contradiction(("resources", index, "type"), judged.resource.type, " or ".join(sorted(read)))
    if report.simulated is (report.api_root is None):
        yield Contradiction(("simulated",), report.simulated, report.api_root is not None)


class _Judge:
    """Judges once more, by what the report says of the policy."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._troubled = {one.resource for one in report.judgement.unread}
        self._unused = frozenset(report.judgement.declared_unused)
        self._same_table = report.table_date == table_date()
        self._bound = cache(bound)

    def contradictions(self) -> Iterator[Contradiction]:
        for index, judged in enumerate(self._report.judgement.resources):
            at: _Path = ("resources", index)
            for number, place in enumerate(judged.placements):
                yield from self._of_placement(judged, place, (*at, "placements", number))
            yield from self._of_resource(judged, at)

    def _of_resource(self, judged: JudgedResource, at: _Path) -> Iterator[Contradiction]:
        verdicts = {place.verdict for place in judged.placements}
        unused = judged.resource.type in self._unused
        if unused:
            verdicts.add(Verdict.VIOLATION)
        if not judged.placements or judged.resource.full_name in self._troubled:
            verdicts.add(Verdict.UNVERIFIED)
        verdict = next(one for one in GRAVEST_FIRST if one in verdicts)
        if judged.declared_unused is not unused:
            yield Contradiction((*at, "declared_unused"), judged.declared_unused, unused)
        if judged.verdict is not verdict:
            yield Contradiction((*at, "verdict"), judged.verdict, verdict)
        if self._report.enforced and not judged.enforced:
            yield Contradiction((*at, "enforced"), judged.enforced, True)

    def _of_placement(self, judged: JudgedResource, place: JudgedPlacement, at: _Path) -> Iterator[Contradiction]:
        known, placement = place.bound, place.placement
        if self._same_table:
            type = "kms" if placement.role is Role.KEY else judged.resource.type
            known = self._bound(place.location, type, placement.members)
            if known != place.bound:
                said, follows = (one.description if one else None for one in (place.bound, known))
                yield Contradiction((*at, "stands_for"), said, follows)
        for key, said, follows in zip(
            ("verdict", "severity", "reason"),
            (place.verdict, place.severity, place.reason),
            self._judged(place, known),
            strict=True,
        ):
            if said is not follows:
                yield Contradiction((*at, key), said, follows)
        if place.assumption is None and place.location != placement.location:
            yield Contradiction((*at, "location"), place.location, placement.location)
        if place.verdict is Verdict.COMPLIANT and place.waiver is not None:
            yield Contradiction((*at, "waiver_line"), place.waiver.line, None)
        if placement.source is not None and self._report.evidence is None:
            yield Contradiction((*at, "evidence"), placement.source, None)

    def _judged(self, place: JudgedPlacement, known: Bound | None) -> tuple[Verdict, Severity | None, Reason | None]:
        """Verdict, severity and reason, as evaluate.py has them. By another table than ours, what is allowed is taken
        from the report."""
        allowed = place.verdict is Verdict.COMPLIANT
        if self._same_table:
            allowed = place.allowed.area.covers(place.location, known)
        if allowed:
            return Verdict.COMPLIANT, None, None
        if known is None:
            unknown = Reason.UNKNOWN_LOCATION if place.location else Reason.MISSING_LOCATION
            return Verdict.UNVERIFIED, None, place.placement.reason or unknown
        severity = Severity.HIGH if known.lawful else Severity.CRITICAL
        return (Verdict.VIOLATION if place.waiver is None else Verdict.WAIVED), severity, None


def _keep_its_words(stored: dict[str, Any], follows: dict[str, Any]) -> None:
    """What another version says in its own words about the same findings is not held against it."""
    follows["controls"] = stored["controls"]
    for said, made in zip(stored["resources"], follows["resources"], strict=True):
        for its, ours in zip(said["placements"], made["placements"], strict=True):
            if its["next"] is not None and ours["next"] is not None:
                ours["next"] = its["next"]


def _differences(said: object, follows: object, at: _Path) -> Iterator[Contradiction]:
    if said == follows:
        return
    if isinstance(said, dict) and isinstance(follows, dict):
        for key, value in follows.items():
            yield from _differences(said[key], value, (*at, key))
    elif isinstance(said, list) and isinstance(follows, list) and len(said) == len(follows):
        for index, (one, other) in enumerate(zip(said, follows, strict=True)):
            yield from _differences(one, other, (*at, index))
    else:
        yield Contradiction(at, said, follows)
