"""What a run did not cover, and what its verdict rests on besides the answers. Pure: a report in, sentences out.

Only what is true of this very run is said. docs/coverage.md explains each kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diga_verify import services
from diga_verify.checkers.interface import Checker
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import TYPES, Reason
from diga_verify.policy.rules import Assumption, Waiver
from diga_verify.report import Limit, LimitKind, Report
from diga_verify.second_witness import NAME as INVENTORY

_LOGGING = "logging.googleapis.com"
_LOGS = (
    "Log entries are not read. The log buckets _Default and _Required of a project lie in `global`, unless its "
    "organisation or folder had set another place when the project was made."
)
_MOMENT = "A report is about the time from its beginning to its end, not about what lay or will lie elsewhere."
_OTHER_PROJECTS = "Other projects are not read, also those that hold a key, receive a copy, or pay for the calls."
_RESTORE = {
    "sql": ("How far back Cloud SQL remembers operations is not documented: a restore before that is not seen.",),
    "redis": ("No field tells what was imported into a Redis instance, and backups of Redis are not asked for.",),
    "bigquery": ("No field tells what was loaded into a dataset, nor from which place.",),
    "firestore": ("No field tells what was imported into a database that was there before.",),
    "gcs": ("No field tells what was copied into a bucket, nor from which place.",),
}
_COPIES = "Copies that people and programs make elsewhere, by exports, queries and downloads, leave no trace here."


def limits(report: Report, checkers: Iterable[Checker]) -> tuple[Limit, ...]:
    """What `report`, whose own limits are not looked at, leaves open; `checkers` are those of its types, in order."""
    used = [*checkers]
    return (
        *_selection(report, used),
        *_services(report, used),
        *_api(report, used),
        *_unused(report),
        *_waivers(report),
        *_assumptions(report),
        *_restore(report),
        *_witness(report, used),
        *_tables(report),
        *_general(used),
    )


def _selection(report: Report, checkers: Sequence[Checker]) -> Iterator[Limit]:
    if report.whole:
        return
    chosen = ", ".join(report.selection)
    yield _of_run(LimitKind.SELECTION, f"Only this was looked at: {chosen}. It is no result for the project.")
    left_out = [type for type in TYPES if type not in {checker.type for checker in checkers}]
    if left_out:
        yield _of_run(LimitKind.SELECTION, f"Not looked at, for they were not selected: {', '.join(left_out)}.")


def _services(report: Report, checkers: Sequence[Checker]) -> Iterator[Limit]:
    seen = report.services
    if seen.names is None:
        why = f" ({seen.reason})" if seen.reason else ""
        said = f"Which services the project has enabled is not known{why}; those that are not read may hold data."
        yield _of_run(LimitKind.SERVICE, said)
        return
    for one in seen.not_read:
        yield _of_run(LimitKind.SERVICE, f"{one.product} ({one.service}) is enabled and not read: {one.holds}.")
    named = _hosts(checkers) | {one.service for one in seen.not_read}
    if others := [name for name in seen.names if name not in named]:
        said = (
            f"Of {len(others)} other enabled services nothing is known but their names; services.enabled in the JSON "
            "report has them."
        )
        yield _of_run(LimitKind.SERVICE, said)


def _api(report: Report, checkers: Sequence[Checker]) -> Iterator[Limit]:
    for checker in checkers:
        lifted = getattr(checker, "lifted_by_deep", ()) if report.deep else ()
        yield from (Limit(checker.type, text, LimitKind.API) for text in checker.limits if text not in lifted)


def _unused(report: Report) -> Iterator[Limit]:
    for type in report.judgement.declared_unused:
        said = f"The policy declares {type} unused: an empty list is proof enough, and so is an API that is off."
        yield Limit(type, said, LimitKind.UNUSED)


def _waivers(report: Report) -> Iterator[Limit]:
    types = {judged.resource.full_name: judged.resource.type for judged in report.judgement.resources}
    for waiver in report.judgement.waivers_used:
        yield Limit(types.get(waiver.resource, ""), _about_waiver(waiver, report), LimitKind.WAIVER)


def _about_waiver(waiver: Waiver, report: Report) -> str:
    return (
        f"{waiver.owner} answers until {waiver.expires} for the {waiver.role} of {waiver.resource} in "
        f"{waiver.location}: {waiver.reason} ({report.policy_path}:{waiver.line})"
    )


def _assumptions(report: Report) -> Iterator[Limit]:
    counts: dict[tuple[str, str, Assumption], int] = {}
    for judged, place, assumption in _assumed(report):
        key = (judged.resource.type, place.placement.role, assumption)
        counts[key] = counts.get(key, 0) + 1
    for (type, role, assumption), count in counts.items():
        said = (
            f"The API names no location for {_many(count, f'{role} placement')} of {type}; the policy vouches for "
            f"{assumption.location} ({report.policy_path}:{assumption.line})."
        )
        yield Limit(type, said, LimitKind.ASSUMPTION)


def _assumed(report: Report) -> Iterator[tuple[JudgedResource, JudgedPlacement, Assumption]]:
    for judged in report.judgement.resources:
        for place in judged.placements:
            if place.assumption is not None:
                yield judged, place, place.assumption


def _restore(report: Report) -> Iterator[Limit]:
    asked = report.recovery
    if asked is None:
        return
    if asked.since is None:
        said = "Without a baseline it is not known what was there before the restore: only what is expected was missed."
        yield _of_run(LimitKind.RESTORE, said)
    else:
        said = f"What was restored before {asked.since}, when the baseline was taken, is not looked at."
        yield _of_run(LimitKind.RESTORE, said)
    for type, name, source in asked.sources:
        said = f"That {type} {name} was restored from {source} is the word of whoever ran this; no API tells."
        yield Limit(type, said, LimitKind.RESTORE)
    for type, texts in _RESTORE.items():
        if type in {origin.type for origin in report.checkers}:
            yield from (Limit(type, text, LimitKind.RESTORE) for text in texts)


def _witness(report: Report, checkers: Sequence[Checker]) -> Iterator[Limit]:
    silent = dict(report.witness.silent)
    by_reason: dict[Reason | None, list[str]] = {}
    for name in (name for checker in checkers for name in checker.asset_types):
        if name not in report.witness.heard:
            by_reason.setdefault(silent.get(name), []).append(name)
    for reason, names in by_reason.items():
        why = f" ({reason})" if reason else ""
        said = (
            f"{INVENTORY}, the second witness, was not heard{why} about {', '.join(names)}: nobody else says that "
            "the lists of these are whole."
        )
        yield _of_run(LimitKind.WITNESS, said)


def _tables(report: Report) -> Iterator[Limit]:
    yield _of_run(LimitKind.TABLE, f"What a location stands for is taken from the table of {report.table_date}.")
    review = report.adequacy_review_date
    overdue = ", a day that was past when this run began" if report.started_at[:10] > review else ""
    law = (
        "Which countries DiGAV section 4(3) allows, adequacy decisions among them, is taken from the same table, "
        f"which is to be checked again by {review}{overdue}."
    )
    yield _of_run(LimitKind.TABLE, law)
    if report.services.known:
        said = f"Which services hold data is taken from the table of {services.table().date}; it cannot name them all."
        yield _of_run(LimitKind.TABLE, said)


def _general(checkers: Sequence[Checker]) -> Iterator[Limit]:
    logs = () if _LOGGING in _hosts(checkers) else (_LOGS,)
    for text in (*logs, _MOMENT, _OTHER_PROJECTS, _COPIES):
        yield _of_run(LimitKind.GENERAL, text)


def _hosts(checkers: Iterable[Checker]) -> set[str]:
    """The services that are read."""
    return {name.partition("/")[0] for checker in checkers for name in checker.asset_types}


def _of_run(kind: LimitKind, text: str) -> Limit:
    return Limit("", text, kind)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
