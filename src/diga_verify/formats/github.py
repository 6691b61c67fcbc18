"""The report as workflow commands of GitHub Actions, which shows them beside the policy's lines and above the log.

Here alone our text is a command, and foreign text must not be: everything foreign is made harmless first, then
escaped as commands demand. Each line is one command, the verdict first and then the gravest, for GitHub keeps ten
annotations of a level for a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import (
    about_missing,
    about_placement,
    about_unread,
    about_unused,
    caveats,
    conclusion,
    counts,
)
from diga_verify.judgement import JudgedResource
from diga_verify.model import Severity, Verdict
from diga_verify.report import Report

SHOWN = 10
"""Annotations of one level that GitHub shows for one step."""
_TITLE = 200
"""Characters of a title; GitHub takes 255."""
_ERROR, _WARNING, _NOTICE = "error", "warning", "notice"
_LEVELS = (_ERROR, _WARNING, _NOTICE)


@dataclass(frozen=True, slots=True)
class _Command:
    level: str
    title: str
    lines: tuple[str, ...]
    rank: int = 0
    line: int | None = None
    """Of the policy; None where no line of it says so."""


def render(report: Report, page: Page) -> str:
    """The report as lines of commands: errors for what stops a deployment, warnings for what is only shown, notices
    for waivers."""
    found = sorted(_findings(report), key=lambda one: (_LEVELS.index(one.level), one.rank))
    verdict = _verdict(report)
    verdict = replace(verdict, lines=(*verdict.lines, *_left_out((verdict, *found))))
    return "".join(f"{_written(one, report)}\n" for one in (verdict, *found))


def _verdict(report: Report) -> _Command:
    level = _ERROR if report.exit_code else _NOTICE if report.verdict is Verdict.COMPLIANT else _WARNING
    lines = (conclusion(report), counts(report), *map(str, caveats(report)))
    what = f"{report.verdict}, exit {report.exit_code}"
    return _Command(level, f"diga-verify {report.environment} {report.project.id}: {what}", (f"{what}.", *lines))


def _left_out(commands: Iterable[_Command]) -> Iterator[str]:
    levels = [one.level for one in commands]
    for level in _LEVELS:
        if levels.count(level) > SHOWN:
            more = levels.count(level) - SHOWN
            yield f"GitHub shows {SHOWN} {level}s of a step: {more} more of {levels.count(level)} are in the log only."


def _findings(report: Report) -> Iterator[_Command]:
    level = _ERROR if report.enforced else _WARNING
    enforced = {one.resource.full_name for one in report.judgement.resources if one.enforced}
    for judged in report.judgement.resources:
        yield from _of_resource(judged, report)
    for gone in report.judgement.missing:
        yield _Command(level, f"missing: {gone.type} {gone.name}", tuple(about_missing(gone, report)), 2, gone.line)
    for one in report.judgement.unread:
        own = _ERROR if one.resource in enforced else level
        yield _Command(own, f"not verified: {one.type}: {one.reason}", tuple(about_unread(one)), 3)


def _of_resource(judged: JudgedResource, report: Report) -> Iterator[_Command]:
    level = _ERROR if judged.enforced or report.enforced else _WARNING
    resource = judged.resource
    if judged.declared_unused:
        title = f"unused type: {resource.type} {resource.name}"
        yield _Command(level, title, tuple(about_unused(judged, report)), 1)
    for place in judged.placements:
        where = f"{resource.type} {resource.name}: {place.placement.role} in {place.location or 'no location'}"
        lines = (f"{resource.kind} {resource.full_name}", *about_placement(judged, place, report))
        if place.verdict is Verdict.VIOLATION:
            rank = 0 if place.severity is Severity.CRITICAL else 1
            yield _Command(level, f"{place.severity}: {where}", lines, rank, place.allowed.line)
        elif place.waiver is not None:
            yield _Command(_NOTICE, f"waived: {where}", lines, 0, place.waiver.line)
    if judged.verdict is Verdict.UNVERIFIED and not judged.placements:
        yield _Command(
            level, f"not verified: {resource.type} {resource.name}", (f"{resource.full_name}: no places",), 3
        )


def _written(command: _Command, report: Report) -> str:
    properties = {"title": _clipped(plain(command.title))}
    if command.line is not None:
        properties = {"file": plain(report.policy_path), "line": str(command.line), **properties}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command.level} {listed}::{_data(chr(10).join(map(plain, command.lines)))}"


def _clipped(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 3]}..."


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
