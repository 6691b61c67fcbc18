"""The report for people: what is wrong first, and one line at the end with the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from diga_verify.formats.advice import follow_up, next_step, remedy
from diga_verify.formats.drift_table import since
from diga_verify.formats.page import Page
from diga_verify.formats.printed import line as _line
from diga_verify.formats.printed import many as _many
from diga_verify.formats.printed import printed
from diga_verify.formats.printed import words as _text
from diga_verify.formats.words import OPERATORS_WORD, after_restore, caveats, in_place, not_covered, operators_word
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Reason, Severity, Unread, Verdict
from diga_verify.report import Report
from diga_verify.second_witness import NAME

_STYLES = {
    Verdict.VIOLATION: "bold red",
    Verdict.UNVERIFIED: "bold yellow",
    Verdict.WAIVED: "bold cyan",
    Verdict.COMPLIANT: "bold green",
}
_WORDS = {Verdict.VIOLATION: "VIOLATION", Verdict.UNVERIFIED: "NOT VERIFIED", Verdict.WAIVED: "WAIVED"}


def render(report: Report, page: Page) -> str:
    """The report as lines of text for a page."""
    return printed(_parts(report), page)


def last_lines(report: Report, page: Page) -> str:
    """Counts and verdict, and what the verdict would be misunderstood without."""
    return printed([*(_text(str(caveat)) for caveat in caveats(report)), _counts(report), _sentence(report)], page)


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _head(report)
    yield Text()
    for verdict in (Verdict.VIOLATION, Verdict.WAIVED):
        for judged in report.of(verdict):
            yield from _resource(judged, verdict, report)
    yield from _missing(report)
    yield from _unread(report)
    yield from _witness(report)
    yield from _limits(report)
    if report.drift is not None:
        yield from since(report.drift)
    yield _counts(report)
    yield _sentence(report)


def _head(report: Report) -> Text:
    number = f" ({report.project.number})" if report.project.number else ""
    strict = ", strict" if report.strict else ""
    gate = f"diga-verify {report.version}   {report.environment}: {report.enforcement}{strict}"
    asked_by = f"   asked by {report.principal}" if report.principal else ""
    lines = [
        f"{gate}   project {report.project.id}{number}",
        f"policy {report.policy_path}, sha256 {report.policy_sha256[:8]}{asked_by}",
    ]
    if report.what_if:
        lines.append("WHAT IF: stored answers, judged by another policy than the run's own")
    if report.simulated:
        lines.append(f"SIMULATED: the answers came from {report.api_root}, not from Google Cloud")
    if report.network_variables:
        lines.append(f"set, and decide who was taken for Google: {', '.join(report.network_variables)}")
    if not report.whole:
        lines.append(f"SELECTED: only {', '.join(report.selection)}; no gate result for the project")
    if report.recovery is not None:
        then = f" ({report.recovery.since})" if report.recovery.since else ""
        lines.append(f"AFTER RESTORE: {after_restore(report.recovery)}{then}")
        if said := operators_word(report.recovery):
            lines.append(f"BY WORD: {OPERATORS_WORD}: {', '.join(said)}")
    return Text("\n").join(map(_text, lines))


def _resource(judged: JudgedResource, verdict: Verdict, report: Report) -> Iterator[RenderableType]:
    yield _title(verdict, judged.severity, judged.resource.type, judged.resource.name, judged.resource.kind)
    if judged.declared_unused:
        yield _line("", f"the policy declares {judged.resource.type} unused in {report.environment}")
        yield _line("next", next_step(judged, None))
    shown = [place for place in judged.placements if place.verdict is verdict]
    for alike in _alike(shown):
        yield from _places(judged, alike, report)
    yield Text()


def _alike(places: Iterable[JudgedPlacement]) -> Iterable[list[JudgedPlacement]]:
    """Placements of one role in one location belong together, however many fields say so."""
    groups: dict[tuple[str, str | None], list[JudgedPlacement]] = {}
    for place in places:
        groups.setdefault((place.placement.role, place.location), []).append(place)
    return groups.values()


def _places(judged: JudgedResource, alike: Sequence[JudgedPlacement], report: Report) -> Iterator[RenderableType]:
    first = alike[0]
    stands_for = first.bound.description if first.bound else "unknown"
    yield _line(first.placement.role.value, _where(first.location, stands_for))
    yield _line("", f"read from {_fields(alike)}")
    yield _line("", f"allowed: {', '.join(first.allowed.entries)} ({report.policy_path}:{first.allowed.line})")
    if first.waiver is not None:
        waiver = first.waiver
        yield _line("", f"waived until {waiver.expires} by {waiver.owner}: {waiver.reason}")
    elif first.severity is Severity.CRITICAL:
        yield _line("", "outside what DiGAV section 4(3) allows")
    else:
        yield _line("", "within what DiGAV section 4(3) allows, outside the policy")
    if step := follow_up(judged, first):
        yield _line("next", step)


def _where(location: str | None, stands_for: str) -> str:
    said = location or "no location"
    return stands_for if stands_for.split(" ")[0] == said else f"{said}: {stands_for}"


def _fields(alike: Sequence[JudgedPlacement]) -> str:
    first = alike[0].placement
    about = f" ({first.about})" if first.about else ""
    more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
    return f"{first.field}{more}{about}"


def _missing(report: Report) -> Iterator[RenderableType]:
    for one in report.judgement.missing:
        yield _title(Verdict.VIOLATION, None, one.type, one.name, "missing")
        asked = "the command line" if one.line is None else f"{report.policy_path}:{one.line}"
        where = f" in {one.location}" if one.location else ""
        yield _line("", f"expected{where} by {asked}, and not there")
        meant = f"did you mean {', '.join(one.alike)}? " if one.alike else ""
        yield _line("next", f"{meant}correct the name, or create it; see docs/respond.md#missing")
        yield Text()


def _unread(report: Report) -> Iterator[RenderableType]:
    for (reason, details), types in _same_trouble(report.judgement.unread).items():
        yield _title(Verdict.UNVERIFIED, None, ", ".join(types), reason, "")
        for detail in details[:5]:
            yield _line("", detail)
        if len(details) > 5:
            yield _line("", f"and {len(details) - 5} more of this kind, all in the JSON report")
        yield _line("next", f"{remedy(Reason(reason))}; see docs/unverified.md#{reason}")
        yield Text()


def _same_trouble(unread: Iterable[Unread]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """Types by what is wrong with them: what stops all types alike, such as no credentials, is said once."""
    details: dict[tuple[str, str], list[str]] = {}
    for one in unread:
        details.setdefault((one.type, one.reason.value), []).append(one.detail)
    types: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (type, reason), said in details.items():
        types.setdefault((reason, tuple(dict.fromkeys(said))), []).append(type)
    return types


def _witness(report: Report) -> Iterator[RenderableType]:
    witness = report.witness
    if witness.heard:
        silent = f", not asked about {_many(len(witness.silent), 'type')} of assets" if witness.silent else ""
        yield _text(f"second witness: {NAME}, {_many(len(witness.assets), 'asset')}{silent}")
    elif witness.silent:
        yield _text(f"no second witness: {NAME}, {witness.silent[0][1]}; see docs/security.md#the-second-witness")


def _limits(report: Report) -> Iterator[RenderableType]:
    if report.judgement.declared_unused:
        yield _text(f"declared unused by the policy: {', '.join(report.judgement.declared_unused)}")
    sentences = [*not_covered(report)]
    yield from map(_text, sentences)
    if sentences:
        yield Text()


def _counts(report: Report) -> Text:
    summary = report.summary
    counts = [
        f"{summary.compliant} compliant",
        _many(summary.violations, "violation"),
        *([f"{summary.waived} waived"] if summary.waived else []),
        *([f"{summary.unverified} unverified"] if summary.unverified else []),
    ]
    extra = [
        *([f"{summary.missing} missing"] if summary.missing else []),
        *([f"{_many(summary.unread, 'thing')} not verified"] if summary.unread else []),
        f"{_many(report.placements, 'placement')} read in {_many(len(report.calls), 'call')}",
    ]
    return Text(f"{_many(summary.resources, 'resource')}: {', '.join(counts)}; {'; '.join(extra)}")


def _sentence(report: Report) -> Text:
    code = report.exit_code
    project = report.project.id
    if report.interrupted_by is not None:
        said, style = f"Interrupted: nothing is proven about {project}.", Verdict.UNVERIFIED
    elif code == 0 and report.verdict is Verdict.COMPLIANT:
        said, style = in_place(f"All data of {project}", report), Verdict.COMPLIANT
    elif code == 0:
        said = f"Shown, not enforced: {report.environment} is {report.enforcement}. The verdict is {report.verdict}."
        style = Verdict.UNVERIFIED
    elif code == 2:
        said, style = "Deployment stopped: the policy has waivers that cover nothing.", Verdict.UNVERIFIED
    else:
        said = f"Deployment stopped: the data of {project} is not proven to be where the policy requires."
        style = Verdict.VIOLATION if code == 1 else Verdict.UNVERIFIED
    return _text(f"{said}  exit {code}", _STYLES[style])


def _title(verdict: Verdict, severity: Severity | None, type: str, name: str, kind: str) -> Text:
    words = [severity.value] if severity else []
    title = Text(_WORDS[verdict], style=_STYLES[verdict])
    title.append(_text("  " + "  ".join([*words, type, name, *([f"({kind})"] if kind else [])]), "bold"))
    return title
