"""Two reports in, a `Drift` out: refuses what cannot be compared, and puts in order what changed."""

from __future__ import annotations

from collections.abc import Iterator

from diga_verify.changes import Change, Drift, Kind, Side, State
from diga_verify.drift.effect import effect, of_verdict
from diga_verify.drift.places import Turnover
from diga_verify.drift.resources import of_resources
from diga_verify.drift.rules import of_policy, of_tool
from diga_verify.drift.scope import Seen, caveats, common
from diga_verify.drift.unread import of_missing, of_unread
from diga_verify.errors import UsageError
from diga_verify.model import TYPES, Project
from diga_verify.report import Report

_KINDS = tuple(Kind)


def drift(old: Report, new: Report) -> Drift:
    """All that differs between two runs. Raises UsageError for runs of different projects or environments."""
    _refuse_strangers(old, new)
    before, after = common(old, new)
    turnover = Turnover()
    found = [
        *of_resources(before, after, turnover),
        *of_unread(before, after),
        *of_missing(before, after),
        *of_policy(before, after),
        *of_tool(old, new),
        *_of_run(before, after),
    ]
    return Drift(
        environment=new.environment,
        project=new.project.id,
        old=_side(old),
        new=_side(new),
        changes=tuple(sorted(found, key=_order)),
        turnover=turnover.count,
        caveats=tuple(caveats(before, after)),
    )


def refuse_baseline(old: Report, environment: str, project: str) -> None:
    """Raises UsageError when a run of `environment` and `project`, an id or a number, cannot be compared with `old`."""
    if old.environment != environment or not old.project.is_named(project):
        raise UsageError(_strangers(old, environment, project))


def _refuse_strangers(old: Report, new: Report) -> None:
    if old.environment != new.environment or not old.project.is_same(new.project):
        raise UsageError(_strangers(old, new.environment, _named(new.project)))


def _strangers(old: Report, environment: str, project: str) -> str:
    return (
        f"the old report is of project {_named(old.project)} in {old.environment}, the new one of project {project} in "
        f"{environment}: only runs of one project and environment can be compared"
    )


def _named(project: Project) -> str:
    return f"{project.id} ({project.number})" if project.number and project.number != project.id else project.id


def _of_run(before: Seen, after: Seen) -> Iterator[Change]:
    """The verdict of the run, where both looked at the same."""
    old, new = before.report, after.report
    if before.scopes[0] == before.scopes[1] and old.verdict != new.verdict:
        then, now = of_verdict(old.verdict), of_verdict(new.verdict)
        yield Change(Kind.VERDICT, effect(then, now), "", "run", before=then, after=now)


def _side(report: Report) -> Side:
    return Side(
        started_at=report.started_at,
        finished_at=report.finished_at,
        verdict=report.verdict,
        complete=report.complete,
        exit_code=report.exit_code,
        simulated=report.simulated,
        deep=report.deep,
        whole=report.whole,
        selection=() if report.whole else report.selection,
        policy_sha256=report.policy_sha256,
        principal=report.principal,
        version=report.version,
    )


def _order(change: Change) -> tuple[object, ...]:
    """By type, resource and kind; what is about the run comes last."""
    rank = TYPES.index(change.type) if change.type in TYPES else len(TYPES) + (change.type == "")
    what = (_KINDS.index(change.kind), change.role or "", change.name, change.field, change.about)
    return (rank, change.type, change.full_name, *what, _words(change.before), _words(change.after))


def _words(state: State | None) -> tuple[str, ...]:
    return () if state is None else (state.value, state.verdict or "", state.severity or "")
