"""The run: asks, reads and judges. The only place with threads; a Report comes out, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from diga_verify import __version__
from diga_verify.checkers.interface import Checker
from diga_verify.checkers.registry import Registered
from diga_verify.errors import ReadError, UsageError
from diga_verify.evaluate import Scope, evaluate
from diga_verify.gateway.door import Door
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.gateway import CALLS_IN_FLIGHT, Gateway
from diga_verify.gateway.identity import Anonymous, Identity, caller
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.resource_manager import missing_permissions, project_record
from diga_verify.locations.algebra import adequacy_review_date, table_date
from diga_verify.model import Call, Enforcement, Item, Project, Reason, Resource, Unread, Witness
from diga_verify.policy.rules import Policy, Rules
from diga_verify.report import CheckerOrigin, Limit, Report
from diga_verify.second_witness import INVENTORY, hear, unseen

T = TypeVar("T")
_TICK = 0.2
"""Seconds between two looks at a run that waits."""


class Interrupted(BaseException):
    """A signal asks the run to end. Not an Exception, so that no boundary takes it for a failing read."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Run:
    """What is asked of a run."""

    environment: str
    project: str
    policy: Policy
    scope: Scope
    strict: bool = False
    deep: bool = False
    endpoints: Endpoints = field(default_factory=Endpoints)
    patience: Patience = field(default_factory=Patience)
    impersonate: str | None = None
    billing_project: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for whoever waits for it."""

    waiting: tuple[str, ...]
    calls: int


def verify(run: Run, checkers: Mapping[str, Registered], watch: Callable[[Progress], None] = lambda _: None) -> Report:
    """Verify a project. Raises UsageError when the policy is for another project; nothing else on purpose."""
    rules = run.policy.environment(run.environment)
    _refuse_other_project(rules, Project(run.project, None, None))
    started = _now()
    reading = _Reading(run, rules, [checkers[type].checker for type in run.scope.types], watch)
    try:
        reading.read()
    finally:
        reading.stop()
    _refuse_other_project(rules, reading.project)
    enforcement = Enforcement.REQUIRED if run.strict else rules.enforcement
    return Report(
        environment=rules.name,
        enforcement=rules.enforcement,
        strict=run.strict,
        deep=run.deep,
        project=reading.project,
        policy_path=run.policy.path,
        policy_sha256=run.policy.sha256,
        principal=reading.principal,
        started_at=started,
        finished_at=_now(),
        simulated=run.endpoints.simulated,
        api_root=run.endpoints.root,
        network_variables=run.endpoints.network_variables,
        whole=run.scope.whole,
        selection=tuple(f"{type}/{name}" for type, name in sorted(run.scope.wanted)) or run.scope.types,
        judgement=evaluate(reading.resources, reading.unread, rules, run.scope, enforcement),
        witness=reading.witness,
        calls=reading.calls,
        checkers=tuple(_origin(checkers[type]) for type in run.scope.types),
        limits=tuple(_limits(run, checkers)),
        table_date=table_date(),
        adequacy_review_date=adequacy_review_date(),
        interrupted_by=reading.interrupted_by,
    )


class _Reading:
    """One run's conversation with Google Cloud, and all that came of it so far."""

    def __init__(self, run: Run, rules: Rules, checkers: Sequence[Checker], watch: Callable[[Progress], None]) -> None:
        self.project = Project(run.project, None, None)
        self.principal: str | None = None
        self.resources: list[Resource] = []
        self.unread: list[Unread] = []
        self.witness = Witness()
        self.interrupted_by: int | None = None
        self._run = run
        self._rules = rules
        self._checkers = checkers
        self._watch = watch
        self._waiting = [checker.type for checker in checkers]
        self._gateway: Gateway | None = None
        self._types = ThreadPoolExecutor(max(8, len(checkers) + 2), thread_name_prefix="type")
        self._calls = ThreadPoolExecutor(CALLS_IN_FLIGHT, thread_name_prefix="call")

    @property
    def calls(self) -> tuple[Call, ...]:
        return () if self._gateway is None else self._gateway.calls

    def read(self) -> None:
        """Read everything in scope. What is not read in the end is in `unread`."""
        try:
            self._gateway = gateway = self._open()
            self._preflight(gateway)
            self._read_types(gateway)
        except ReadError as error:
            self._give_up(error.reason, error.detail)
        except Interrupted as error:
            self.interrupted_by = error.signal
            self._give_up(Reason.INTERRUPTED, "the run was interrupted before this was read")
        self._give_up(Reason.TIMEOUT, "the run's time was up before this was read; see --deadline")

    def stop(self) -> None:
        """Begin nothing more. Threads that hang in a call are left behind: the process does not wait for them."""
        self._types.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _give_up(self, reason: Reason, detail: str) -> None:
        self.unread += [Unread(type, type, reason, detail) for type in self._waiting]
        self._waiting = []

    def _open(self) -> Gateway:
        run = self._run
        identity: Identity = Anonymous()
        if not run.endpoints.simulated:
            identity = caller(run.impersonate, run.billing_project, seconds=min(run.patience.token, run.patience.run))
        self.principal = identity.principal
        door = Door(run.endpoints, identity, run.patience, CALLS_IN_FLIGHT)
        agent = f"diga-verify/{__version__}"
        return Gateway(
            door, run.endpoints, run.patience, self.project, deep=run.deep, agent=agent, spread=self._calls.map
        )

    def _preflight(self, gateway: Gateway) -> None:
        """The project's own record and the caller's permissions, before anything else."""
        project = self.project
        record = self._ask(partial(project_record, gateway, project.id), lambda one: (project, (one,)), "project")
        rights = [
            self._ask(
                partial(missing_permissions, gateway, checker.type, project, checker.permissions),
                lambda one: (one,),
                checker.type,
            )
            for checker in self._checkers
        ]
        for done in self._as_done(rights):
            self.unread += done.result()
        for asked in self._as_done([record]):
            self.project, unread = asked.result()
            self.unread += unread
            gateway.project = self.project

    def _read_types(self, gateway: Gateway) -> None:
        asset_types = {name: checker.type for checker in self._checkers for name in checker.asset_types}
        self._waiting.append(INVENTORY)
        required = self._rules.second_witness
        heard = self._ask(
            partial(hear, gateway, self.project, asset_types, required=required),
            lambda one: (Witness(), (one,)),
            INVENTORY,
        )
        tasks = [self._types.submit(_read_type, checker, gateway, self.project) for checker in self._checkers]
        for done in self._as_done(tasks):
            type, resources, unread = done.result()
            self.resources += resources
            self.unread += unread
            self._waiting.remove(type)
        for testimony in self._as_done([heard]):
            self.witness, broken_off = testimony.result()
            self.unread += [*broken_off, *unseen(self.witness, self.resources, self.unread, self.project, self._rules)]
            self._waiting.remove(INVENTORY)

    def _ask(self, work: Callable[[], T], failed: Callable[[Unread], T], about: str) -> Future[T]:
        """Do `work` on a thread of its own. What it raises leaves unread what it is about, and stops nothing else."""

        def guarded() -> T:
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - the boundary to answers that nobody foresaw
                return failed(_failed(about, error))

        return self._types.submit(guarded)

    def _as_done(self, tasks: Iterable[Future[T]]) -> Iterator[Future[T]]:
        """The tasks as they finish, until none is left or the run's time is up."""
        left = set(tasks)
        while left and self._gateway is not None and (seconds := self._gateway.seconds_left) > 0:
            done, left = wait(left, timeout=min(_TICK, seconds), return_when=FIRST_COMPLETED)
            self._watch(Progress(tuple(self._waiting), len(self._gateway.calls)))
            yield from done


def _read_type(checker: Checker, gateway: Gateway, project: Project) -> tuple[str, list[Resource], list[Unread]]:
    """One type, read to its end as far as that goes. Never raises: a failing checker hides no other's findings."""
    resources: list[Resource] = []
    unread: list[Unread] = []
    try:
        found = checker.query(gateway, project)
        unread += found.unread
        for read in (_read_item(checker, item) for item in found.items):
            if isinstance(read, Resource):
                resources.append(read)
            else:
                unread.append(read)
    except ReadError as error:
        unread.append(Unread(checker.type, checker.type, error.reason, error.detail))
    except Exception as error:  # noqa: BLE001 - the boundary to checkers: what one raises leaves its type unread
        unread.append(_failed(checker.type, error))
    return checker.type, resources, unread


def _read_item(checker: Checker, item: Item) -> Resource | Unread:
    try:
        read: object = checker.read(item)
        # A third-party checker may return anything, and what is not of its own type has no rules.
        return read if isinstance(read, Resource) and read.type == checker.type else _failed(checker.type, TypeError())
    except ReadError as error:
        return Unread(checker.type, checker.type, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 - as above, for one item: it hides no other
        return _failed(checker.type, error)


def _failed(about: str, error: Exception) -> Unread:
    detail = f"reading failed with {type(error).__name__}; please report this"
    return Unread(about, about, Reason.UNEXPECTED_ERROR, detail)


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


def _origin(registered: Registered) -> CheckerOrigin:
    checker = registered.checker
    return CheckerOrigin(checker.type, registered.distribution, registered.version, checker.permissions)


def _limits(run: Run, checkers: Mapping[str, Registered]) -> Iterator[Limit]:
    for type in run.scope.types:
        yield from (Limit(type, text) for text in checkers[type].checker.limits)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
