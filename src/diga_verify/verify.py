"""The run: reads a project, or the evidence of an earlier run, and judges it. A Report comes out, whatever happens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from diga_verify import __version__
from diga_verify.checkers.interface import permissions
from diga_verify.checkers.registry import Registered
from diga_verify.coverage import limits
from diga_verify.errors import EvidenceError, UsageError
from diga_verify.evaluate import evaluate
from diga_verify.evidence.stored import Asked, Stored
from diga_verify.evidence.write import write
from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.gateway import Gateway, in_order
from diga_verify.gateway.identity import Anonymous, Identity, caller
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.recorded import Recorded, offline_clients
from diga_verify.gateway.records import Record
from diga_verify.judgement import Scope
from diga_verify.locations.algebra import adequacy_review_date, table_date
from diga_verify.model import Enforcement, Project, Recovery
from diga_verify.moment import stamp
from diga_verify.policy import Policy, load_policy, parse_policy
from diga_verify.policy.rules import Rules
from diga_verify.reading import Course, Progress, Reading
from diga_verify.report import CheckerOrigin, Evidence, Report
from diga_verify.restore import Recovered, recovered
from diga_verify.threads import Spread


@dataclass(frozen=True, slots=True)
class Run:
    """What is asked of a run."""

    environment: str
    project: str
    policy: Policy
    scope: Scope
    strict: bool = False
    deep: bool = False
    recovery: Recovery | None = None
    endpoints: Endpoints = field(default_factory=Endpoints)
    patience: Patience = field(default_factory=Patience)
    impersonate: str | None = None
    billing_project: str | None = None
    keep_evidence: bool = False


def verify(run: Run, checkers: Mapping[str, Registered], watch: Callable[[Progress], None] = lambda _: None) -> Report:
    """Verify a project. Raises UsageError when the policy is for another project; nothing else on purpose."""
    rules = run.policy.environment(run.environment)
    _refuse_other_project(rules, Project(run.project, None, None))
    cloud = _Cloud(run)
    started = _now()
    reading = Reading(cloud, run.project, [checkers[type].checker for type in run.scope.types], rules, watch)
    _read(reading)
    asked = Asked(
        environment=rules.name,
        project=run.project,
        scope=run.scope,
        strict=run.strict,
        deep=run.deep,
        principal=cloud.principal,
        simulated=run.endpoints.simulated,
        api_root=run.endpoints.root,
        network_variables=run.endpoints.network_variables,
        started_at=started,
        finished_at=_now(),
        recovery=run.recovery,
    )
    records = reading.records  # once: a call that was given up may still come to its end
    report = _report(asked, reading, records, run.policy, checkers)
    if not run.keep_evidence:
        return report
    origins = {one.type: (one.distribution, one.version) for one in report.checkers}
    stored = Stored(asked, reading.course, run.policy.path, run.policy.data, records, origins)
    return replace(report, evidence=_sealed(write(stored)))


def replay(data: bytes, path: str, checkers: Mapping[str, Registered], policy: Path | None = None) -> Report:
    """The report of the run whose evidence file this is: the same, byte for byte; or, judged by the policy in another
    file, what it would have been. Asks nobody.

    Raises EvidenceError when the file was changed, UsageError when the policy does not fit, and PolicyError.
    """
    from diga_verify.evidence.read import read  # its models take a while to make, and no other run needs them

    stored = read(data, path)
    asked = stored.asked
    if unknown := [type for type in asked.scope.types if type not in checkers]:
        raise EvidenceError(f"{path} has answers about {', '.join(unknown)}, for which no checker is installed here")
    # The day of the run decides which waivers had expired.
    day = datetime.fromisoformat(asked.started_at).date()
    own = parse_policy(stored.policy, path=stored.policy_path, today=day, known_types=tuple(checkers))
    chosen = own if policy is None else load_policy(policy, today=day, known_types=tuple(checkers))
    rules = chosen.environment(asked.environment)
    chosen_checkers = [checkers[type].checker for type in asked.scope.types]
    reading = Reading(_Past(stored), asked.project, chosen_checkers, rules, lambda _: None)
    _read(reading)
    report = _report(asked, reading, in_order(stored.records), chosen, checkers)
    return replace(report, evidence=_sealed(data), what_if=chosen.sha256 != own.sha256)


class _Cloud:
    """The answers of Google Cloud."""

    course: Course | None = None

    def __init__(self, run: Run) -> None:
        self.principal: str | None = None
        self._run = run

    def open(self, project: Project, spread: Spread) -> Gateway:
        """Find out who the caller is, which is the first thing that can fail."""
        run = self._run
        wire = Live(run.patience)
        identity: Identity = Anonymous()
        if not run.endpoints.simulated:
            identity = caller(run.impersonate, run.billing_project, seconds=min(run.patience.token, run.patience.run))
        self.principal = identity.principal
        door = Door(run.endpoints, identity, run.patience, CALLS_IN_FLIGHT)
        clients = Clients(door, run.endpoints, f"diga-verify/{__version__}")
        after_restore = run.recovery is not None
        return Gateway(
            wire, clients, project, deep=run.deep, after_restore=after_restore, spread=spread, keep=run.keep_evidence
        )


class _Past:
    """The answers of an evidence file."""

    def __init__(self, stored: Stored) -> None:
        self.course: Course | None = stored.course
        self._stored = stored

    def open(self, project: Project, spread: Spread) -> Gateway:
        """Raises what kept the run from opening the way."""
        stored = self._stored
        if stored.course.stopped is not None:
            raise stored.course.stopped
        wire = Recorded({record.name: record for record in stored.records})
        asked = stored.asked
        after_restore = asked.recovery is not None
        return Gateway(
            wire, offline_clients(), project, deep=asked.deep, after_restore=after_restore, spread=spread, keep=True
        )


def _read(reading: Reading) -> None:
    try:
        reading.read()
    finally:
        reading.stop()


def _report(
    asked: Asked, reading: Reading, records: Sequence[Record], policy: Policy, checkers: Mapping[str, Registered]
) -> Report:
    """Judge what was read. Raises UsageError when the policy is for another project."""
    rules = policy.environment(asked.environment)
    _refuse_other_project(rules, reading.project)
    enforcement = Enforcement.REQUIRED if asked.strict else rules.enforcement
    scope = asked.scope
    found = _found(asked, reading, rules)
    report = Report(
        environment=rules.name,
        enforcement=rules.enforcement,
        strict=asked.strict,
        deep=asked.deep,
        project=reading.project,
        policy_path=policy.path,
        policy_sha256=policy.sha256,
        principal=asked.principal,
        started_at=asked.started_at,
        finished_at=asked.finished_at,
        simulated=asked.simulated,
        api_root=asked.api_root,
        network_variables=asked.network_variables,
        whole=scope.whole,
        selection=tuple(f"{type}/{name}" for type, name in sorted(scope.wanted)) or scope.types,
        judgement=evaluate(found.resources, found.unread, rules, scope, enforcement),
        witness=reading.witness,
        calls=tuple(record.call for record in records),
        checkers=tuple(_origin(checkers[type], after_restore=asked.recovery is not None) for type in scope.types),
        limits=(),
        table_date=table_date(),
        adequacy_review_date=adequacy_review_date(),
        interrupted_by=reading.course.interrupted_by,
        services=reading.services,
        recovery=asked.recovery,
    )
    return replace(report, limits=limits(report, [checkers[type].checker for type in scope.types]))


def _found(asked: Asked, reading: Reading, rules: Rules) -> Recovered:
    """What was read, and after a restore what it proves of that."""
    resources, unread = tuple(reading.resources), tuple(reading.unread)
    if asked.recovery is None:
        return Recovered(resources, unread)
    more = recovered(asked.recovery, resources, rules, asked.scope, reading.project, asked.started_at)
    return Recovered(more.resources, (*unread, *more.unread))


def _sealed(data: bytes) -> Evidence:
    return Evidence(hashlib.sha256(data).hexdigest(), data)


def _refuse_other_project(rules: Rules, project: Project) -> None:
    """The right policy must never run on the wrong project."""
    pin = rules.project
    if pin is None or pin in {project.id, project.number}:
        return
    unknown_yet = project.number is None and pin.isdigit() != project.id.isdigit()
    if not unknown_yet:
        number = f" ({project.number})" if project.number else ""
        raise UsageError(
            f"environment {rules.name} is pinned to project {pin}, and this is {project.id}{number}: "
            "nothing was verified"
        )


def _origin(registered: Registered, *, after_restore: bool) -> CheckerOrigin:
    checker = registered.checker
    needed = permissions(checker, after_restore=after_restore)
    return CheckerOrigin(checker.type, registered.distribution, registered.version, needed)


def _now() -> str:
    return stamp(datetime.now(UTC))
