"""What several formats say alike: how a run ended, what must not be overlooked, and what there is about each finding.

Lines may hold foreign text, one line each: whoever shows them makes them harmless in the way of its format.
`conclusion` and the sentences of caveats are our own words alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diga_verify.formats.advice import follow_up, next_step, remedy
from diga_verify.judgement import JudgedPlacement, JudgedResource, Missing
from diga_verify.model import Recovery, Severity, Unread, Verdict
from diga_verify.report import Report


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something without which a verdict is misunderstood."""

    word: str
    sentence: str
    names: tuple[str, ...] = ()
    """What it is about, in the words of others."""

    def __str__(self) -> str:
        about = f": {', '.join(self.names)}" if self.names else ""
        return f"{self.word}: {self.sentence}{about}"


def conclusion(report: Report) -> str:
    """One sentence: what the run means for a deployment."""
    code = report.exit_code
    if report.interrupted_by is not None:
        return "Interrupted: nothing is proven."
    if code == 0 and report.verdict is Verdict.COMPLIANT:
        return in_place("All data of the project", report)
    if code == 0:
        return f"Shown, not enforced: the environment is {report.enforcement}, and the verdict is {report.verdict}."
    if code == 2:
        return "Deployment stopped: the policy has waivers that cover nothing."
    return "Deployment stopped: the data is not proven to be where the policy requires."


def in_place(whole: str, report: Report) -> str:
    """The sentence of a compliant run; `whole` is what lies in place where no part was selected."""
    waived = ", or is waived by name" if report.summary.waived else ""
    return f"{whole if report.whole else 'What was selected'} lies where the policy requires{waived}."


def caveats(report: Report) -> Iterator[Caveat]:
    """What must not be overlooked, whatever the verdict."""
    if report.what_if:
        yield Caveat("WHAT IF", "stored answers, judged by another policy than the run's own")
    if report.simulated:
        root = (report.api_root,) if report.api_root else ()
        yield Caveat("SIMULATED", "the answers came from a stand-in, not from Google Cloud", root)
    if report.network_variables:
        said = "environment variables decided whom the run took for Google"
        yield Caveat("REROUTED", said, report.network_variables)
    if not report.whole:
        yield Caveat("SELECTED", "only a part was looked at; no gate result for the project", report.selection)
    if not report.complete:
        yield Caveat("INCOMPLETE", "not everything in scope was read to its end")
    if report.recovery is not None:
        since = report.recovery.since
        yield Caveat("AFTER RESTORE", after_restore(report.recovery), () if since is None else (since,))
        if sources := operators_word(report.recovery):
            yield Caveat("BY WORD", OPERATORS_WORD, sources)
    if report.strict:
        yield Caveat("STRICT", f"everything is enforced, though the environment is {report.enforcement}")
    if report.judgement.declared_unused:
        yield Caveat("UNUSED", "types that the policy declares unused", report.judgement.declared_unused)


def after_restore(asked: Recovery) -> str:
    """What was asked besides of a run after a restore."""
    looked = "also looked for backups in allowed places, and for where data was restored from"
    return looked if asked.since is None else f"{looked}, and for all that was there before"


OPERATORS_WORD = "whoever ran this says what was restored from where, and no API does"


def operators_word(asked: Recovery) -> tuple[str, ...]:
    """What was restored from where, as the operator says."""
    return tuple(f"{type}/{name} from {source}" for type, name, source in asked.sources)


def facts(report: Report) -> dict[str, str]:
    """What the run was, by the names that the JSON report has for it."""
    return {
        "verdict": report.verdict.value,
        "exit_code": str(report.exit_code),
        "complete": yes(report.complete),
        "simulated": yes(report.simulated),
        "what_if": "true" if report.what_if else "",
        "scope": "project" if report.whole else "selected",
        "selection": "" if report.whole else ", ".join(report.selection),
        "environment": report.environment,
        "enforcement": report.enforcement.value,
        "strict": yes(report.strict),
        "deep": yes(report.deep),
        "after_restore": yes(report.recovery is not None),
        "project": report.project.id,
        "project_number": report.project.number or "",
        "policy": report.policy_path,
        "policy_sha256": report.policy_sha256,
        "principal": report.principal or "",
        "api_root": report.api_root or "",
        "network_variables": ", ".join(report.network_variables),
        "declared_unused": ", ".join(report.judgement.declared_unused),
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "version": report.version,
    }


def not_covered(report: Report) -> Iterator[str]:
    """What the run did not cover, in a sentence or two; the JSON report has all of it."""
    seen, limits = report.services, len(report.limits)
    if seen.not_read:
        products = [one.product for one in seen.not_read]
        more = f" and {len(products) - 4} more" if len(products) > 5 else ""
        named = ", ".join(products[: 4 if more else 5])
        what = "service that holds data and is" if len(products) == 1 else "services that hold data and are"
        yield f"not covered: {len(products)} enabled {what} not read ({named}{more})"
    elif not seen.known:
        yield f"not known: which services the project has enabled{f' ({seen.reason})' if seen.reason else ''}"
    if limits:
        yield f"{limits} limit{'' if limits == 1 else 's'} of this run: limits in the JSON report, docs/coverage.md"


def yes(value: bool) -> str:
    """A truth as JSON writes it."""
    return "true" if value else "false"


def counts(report: Report) -> str:
    """The summary in one line, in our own words."""
    summary = report.summary
    return (
        f"{summary.resources} resources: {summary.compliant} compliant, {summary.violations} in violation, "
        f"{summary.unverified} unverified, {summary.waived} waived; {summary.missing} missing, "
        f"{summary.unread} not read or not proven"
    )


def where(place: JudgedPlacement) -> str:
    """The location, and what it stands for: `US: multi-region, United States`."""
    said = place.location or "no location"
    if place.bound is None:
        return said
    described = place.bound.description
    return described if described.split(" ")[0] == said else f"{said}: {described}"


def about_placement(judged: JudgedResource, place: JudgedPlacement, report: Report) -> Iterator[str]:
    """All there is about one placement, as lines; the first says what it is and where."""
    yield f"{place.placement.role} in {where(place)}"
    yield f"read from {place.placement.field}{f' ({place.placement.about})' if place.placement.about else ''}"
    if place.assumption is not None:
        yield f"the answer names no location; assumed by {report.policy_path}:{place.assumption.line}"
    yield f"allowed: {', '.join(place.allowed.entries)} ({report.policy_path}:{place.allowed.line})"
    if place.severity is Severity.CRITICAL:
        yield "critical: outside what DiGAV section 4(3) allows"
    elif place.severity is not None:
        yield "high: within what DiGAV section 4(3) allows, outside the policy"
    if place.waiver is not None:
        waiver = place.waiver
        yield f"waived until {waiver.expires} by {waiver.owner}: {waiver.reason} ({report.policy_path}:{waiver.line})"
    if place.reason is not None:
        yield f"not verified: {place.reason}"
    if step := follow_up(judged, place):
        yield f"next: {step}"


def about_unused(judged: JudgedResource, report: Report) -> Iterator[str]:
    """All there is about a resource of a type that should not be there, as lines."""
    yield f"the policy declares {judged.resource.type} unused in {report.environment}"
    yield f"next: {next_step(judged, None)}"


def about_missing(one: Missing, report: Report) -> Iterator[str]:
    """All there is about a missing resource, as lines."""
    asked = "the command line" if one.line is None else f"{report.policy_path}:{one.line}"
    yield f"expected{f' in {one.location}' if one.location else ''} by {asked}, and not there"
    meant = f"did you mean {', '.join(one.alike)}? " if one.alike else ""
    yield f"next: {meant}correct the name, or create it; see docs/respond.md#missing"


def about_unread(one: Unread) -> Iterator[str]:
    """All there is about something unread, as lines."""
    yield one.detail
    yield f"what: {one.scope}"
    yield f"next: {remedy(one.reason)}; see docs/unverified.md#{one.reason}"
