"""The report as Markdown, for the summary of a step on GitHub and for comments on merge requests.

Everything foreign stands within code, on one line, without the characters that could end the code or a cell: there
nothing is a link, an image, a mention, a reference, HTML or a heading. All else is our own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diga_verify.changes import Drift
from diga_verify.formats.advice import WAIVED_STEP, next_step, remedy
from diga_verify.formats.drift_words import LABELS, TITLES, how_many, named, read_from, said
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import caveats, conclusion, counts, facts, not_covered, where
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Severity, Verdict
from diga_verify.report import LimitKind, Report

LIMIT = 1_000_000
"""Bytes. GitHub refuses a summary of more than 1 MiB, GitLab a comment of more than a million characters."""
_LONGEST = 1000
"""Characters of one piece of foreign text, so that no single one takes all the room."""
_SPARE = 2000
"""Bytes kept for the sentence that says what was left out."""
_OF_THIS_RUN = {
    LimitKind.SERVICE,
    LimitKind.SELECTION,
    LimitKind.ASSUMPTION,
    LimitKind.RESTORE,
    LimitKind.WITNESS,
}
_ENDS = str.maketrans({"`": r"\x60", "|": r"\x7c"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading, what follows it at once, and lines of which any number may be left out at the end."""

    title: str
    intro: tuple[str, ...]
    lines: tuple[str, ...]
    what: str
    """What one line is, in the plural."""


def render(report: Report, page: Page) -> str:
    """The report as at most `LIMIT` bytes: the verdict first, and if need be a sentence about what was left out."""
    head, tail = [*_head(report)], [*_not_covered(report), *_facts(report)]
    room = LIMIT - _SPARE - _size([*head, *tail])
    body: list[str] = []
    cut: list[str] = []
    for part in _parts(report):
        lines = ["", f"### {part.title}", "", *part.intro, *part.lines]
        shown = _fitting(lines, room)
        missed = min(len(lines) - shown, len(part.lines))
        if missed:
            cut.append(f"{missed} of {len(part.lines)} {part.what}")
            # A heading with nothing below it would look like a table of nothing.
            shown = shown if missed < len(part.lines) else 0
        body += lines[:shown]
        room -= _size(lines[:shown])
    if cut:
        head += ["", f"> **CUT**: for want of room this leaves out {', '.join(cut)}. The JSON report has all of it."]
    return "\n".join([*head, *body, *tail]) + "\n"


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _fitting(lines: Sequence[str], room: int) -> int:
    """How many of the lines there is room for."""
    for number, line in enumerate(lines):
        room -= _size([line])
        if room < 0:
            return number
    return len(lines)


def _code(text: str) -> str:
    """Foreign text as code, which nothing in it can end."""
    shown = plain(text).translate(_ENDS)
    more = len(shown) - _LONGEST
    return f"`{shown or ' '}`" if more <= 0 else f"`{shown[:_LONGEST]}` and {more} more characters"


def _codes(texts: Sequence[str]) -> str:
    """A few foreign texts, each as code."""
    few = [_code(text) for text in texts[:20]]
    return ", ".join([*few, *([f"and {len(texts) - len(few)} more"] if len(texts) > len(few) else [])])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _columns(*names: str) -> tuple[str, str]:
    return _row(*names), _row(*("---" for _ in names))


def _head(report: Report) -> Iterator[str]:
    yield f"## diga-verify: {report.verdict}, exit {report.exit_code}"
    yield ""
    yield f"**{conclusion(report)}**"
    yield ""
    yield f"Project {_code(report.project.id)}, environment {_code(report.environment)}, {report.enforcement}."
    for caveat in caveats(report):
        yield ""
        yield f"> **{caveat.word}**: {caveat.sentence}{': ' if caveat.names else ''}{_codes(caveat.names)}"
    yield ""
    yield f"{counts(report)}."


def _parts(report: Report) -> Iterator[_Part]:
    wrong, missing, unread, waived = [*_violations(report)], [*_missing(report)], [*_unread(report)], [*_waived(report)]
    if wrong:
        columns = _columns("Severity", "Type", "Resource", "Role", "Location", "Field", "Allowed", "Enforced")
        yield _Part("Violations", columns, tuple(wrong), "violations")
    if missing:
        columns = _columns("Type", "Resource", "Location", "Expected by", "Did you mean")
        yield _Part("Missing", columns, tuple(missing), "missing resources")
    if unread:
        yield _Part("Not verified", _columns("Type", "Reason", "What", "Detail"), tuple(unread), "things not verified")
    if waived:
        columns = _columns("Severity", "Type", "Resource", "Role", "Location", "Owner", "Until", "Reason")
        yield _Part("Waived", columns, tuple(waived), "waived placements")
    if report.drift is not None:
        yield _changes(report.drift)
    if steps := [*_steps(report)]:
        yield _Part("What to do", (), tuple(steps), "next steps")


def _violations(report: Report) -> Iterator[str]:
    for judged in report.of(Verdict.VIOLATION):
        enforced = "yes" if judged.enforced or report.enforced else "no"
        if judged.declared_unused:
            yield _row("high", *_named(judged), "", "", "", "declared unused", enforced)
        for place in _gravest_first(judged):
            placement, allowed = place.placement, place.allowed
            yield _row(
                *(str(place.severity), *_named(judged), placement.role, _code(where(place))),
                _code(f"{placement.field} ({placement.about})" if placement.about else placement.field),
                _code(f"{', '.join(allowed.entries)} ({report.policy_path}:{allowed.line})"),
                enforced,
            )


def _gravest_first(judged: JudgedResource) -> list[JudgedPlacement]:
    places = [place for place in judged.placements if place.verdict is Verdict.VIOLATION]
    return sorted(places, key=lambda place: place.severity is not Severity.CRITICAL)


def _named(judged: JudgedResource) -> tuple[str, str]:
    return _code(judged.resource.type), f"{_code(judged.resource.name)} {_code(judged.resource.kind)}"


def _missing(report: Report) -> Iterator[str]:
    for one in report.judgement.missing:
        asked = "the command line" if one.line is None else _code(f"{report.policy_path}:{one.line}")
        location = _code(one.location) if one.location else ""
        yield _row(_code(one.type), _code(one.name), location, asked, _codes(one.alike))


def _unread(report: Report) -> Iterator[str]:
    for judged in report.of(Verdict.UNVERIFIED):
        if not judged.placements:
            yield _row(_code(judged.resource.type), "", _code(judged.resource.full_name), "no places of it are known")
    for one in report.judgement.unread:
        yield _row(_code(one.type), _code(one.reason), _code(one.scope), _code(one.detail))


def _waived(report: Report) -> Iterator[str]:
    for judged in report.judgement.resources:
        for place in judged.placements:
            if place.waiver is not None:
                waiver = place.waiver
                yield _row(
                    *(str(place.severity), *_named(judged), place.placement.role, _code(where(place))),
                    *(_code(waiver.owner), waiver.expires.isoformat(), _code(waiver.reason)),
                )


def _changes(drift: Drift) -> _Part:
    """What changed since the baseline, the worst first."""
    rows = (
        _row(
            *(
                TITLES[effect].lower(),
                LABELS[one.kind],
                _code(one.type or "run"),
                _code(named(one)) if named(one) else "",
            ),
            _code(f"{said(one)}{f', read from {read_from(one)}' if read_from(one) else ''}"),
        )
        for effect in TITLES
        for one in drift.of(effect)
    )
    caveats = (line for one in drift.caveats for line in (f"> {_code(one)}", ""))
    columns = _columns("Effect", "What", "Type", "Resource", "Change") if drift.changes else ()
    intro = (f"{how_many(drift)}.", "", *caveats, *columns)
    return _Part(f"Changes since {drift.old.finished_at}", intro, tuple(rows), "changes")


def _steps(report: Report) -> Iterator[str]:
    """What to do, each step once."""
    seen: dict[str, None] = {}
    for judged in report.of(Verdict.VIOLATION):
        places = [None] if judged.declared_unused else []
        for place in (*places, *_gravest_first(judged)):
            seen[f"* {_code(judged.resource.name)}: {_code(next_step(judged, place))}"] = None
    if report.judgement.missing:
        seen["* missing: correct the name, or create it; see docs/respond.md#missing"] = None
    if report.judgement.waivers_used:
        seen[f"* waived: {_code(WAIVED_STEP)}"] = None
    for one in report.judgement.unread:
        # Within code no other code can stand.
        step = remedy(one.reason).replace("`", '"')
        seen[f"* {_code(one.reason)}: {_code(f'{step}; see docs/unverified.md#{one.reason}')}"] = None
    yield from seen


def _not_covered(report: Report) -> Iterator[str]:
    """The limits of this very run, which are few, and never left out. What is true of every one is for the JSON report,
    and waivers have their table."""
    sentences = [*not_covered(report)]
    if sentences:
        yield from ("", "### Not covered", "")
    for sentence in sentences:
        yield f"* {_code(sentence)}"
    for limit in report.limits:
        if limit.kind in _OF_THIS_RUN:
            yield f"* {limit.kind}: {_code(limit.text)}"


def _facts(report: Report) -> Iterator[str]:
    yield ""
    yield "### The run"
    yield ""
    yield from _columns("", "")
    for name, value in facts(report).items():
        if value:
            yield _row(name, _code(value))
