"""Reading a project: every type at once, until all is read or the time is up. The only place with pools of threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from diga_verify.checkers.interface import Checker
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.live import CALLS_IN_FLIGHT
from diga_verify.gateway.records import Record, source_of
from diga_verify.gateway.resource_manager import missing_permissions, project_record
from diga_verify.model import Item, Project, Reason, Resource, Unread, Witness
from diga_verify.policy.rules import Rules
from diga_verify.second_witness import INVENTORY, hear, unseen
from diga_verify.services import NOT_ASKED, SERVICES, Services, enabled_services

T = TypeVar("T")
PROJECT = "project"
"""What the record of calls, and evidence, name the question for the project's own record."""
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
_TICK = 0.2
"""Seconds between two looks at a run that waits."""
_COURTESY = 5.0
"""Seconds that a run waits for what changes no verdict."""


class Interrupted(BaseException):
    """A signal asks the run to end. Not an Exception, so that no boundary takes it for a failing read."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for whoever waits for it."""

    waiting: tuple[str, ...]
    calls: int


@dataclass(frozen=True, slots=True)
class Course:
    """How a reading went: the tasks that were finished in time, and what ended it before they all were."""

    finished: frozenset[str] = frozenset()
    stopped: ReadError | None = None
    interrupted_by: int | None = None


def permissions_of(type: str) -> str:
    """The name of the task that asks for the caller's permissions."""
    return f"permissions of {type}"


class Source(Protocol):
    """Where a reading gets its answers from."""

    @property
    def course(self) -> Course | None:
        """How the reading went that this one repeats; None when it is the first."""

    def open(self, project: Project, spread: Spread) -> Gateway:
        """The way to the answers. Raises ReadError when there is none."""


class Reading:
    """One run's conversation with Google Cloud, or with the evidence of one, and all that came of it so far."""

    def __init__(
        self,
        source: Source,
        project: str,
        checkers: Sequence[Checker],
        rules: Rules,
        watch: Callable[[Progress], None],
    ) -> None:
        self.project = Project(project, None, None)
        self.resources: list[Resource] = []
        self.unread: list[Unread] = []
        self.witness = Witness()
        self.services = NOT_ASKED
        self._source = source
        self._rules = rules
        self._checkers = checkers
        self._watch = watch
        self._waiting = [checker.type for checker in checkers]
        self._course = Course()
        self._gateway: Gateway | None = None
        self._types = ThreadPoolExecutor(max(8, len(checkers) + 3), thread_name_prefix="type")
        self._calls = ThreadPoolExecutor(CALLS_IN_FLIGHT, thread_name_prefix="call")

    @property
    def records(self) -> tuple[Record, ...]:
        return () if self._gateway is None else self._gateway.records

    @property
    def course(self) -> Course:
        return self._course

    def read(self) -> None:
        """Read everything in scope. What is not read in the end is in `unread`."""
        try:
            self._gateway = gateway = self._source.open(self.project, self._calls.map)
            self._preflight(gateway)
            self._read_types(gateway)
            self._end_as_before()
        except ReadError as error:
            self._course = replace(self._course, stopped=error)
            self._give_up(error.reason, error.detail)
        except Interrupted as error:
            self._course = replace(self._course, interrupted_by=error.signal)
            self._give_up(Reason.INTERRUPTED, "the run was interrupted before this was read")
        self._give_up(Reason.TIMEOUT, "the run's time was up before this was read; see --deadline")

    def stop(self) -> None:
        """Begin nothing more. Threads that hang in a call are left behind: the process does not wait for them."""
        self._types.shutdown(wait=False, cancel_futures=True)
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _end_as_before(self) -> None:
        before = self._source.course
        if before is not None and before.interrupted_by is not None:
            raise Interrupted(before.interrupted_by)

    def _give_up(self, reason: Reason, detail: str) -> None:
        self.unread += [Unread(type, type, reason, detail) for type in self._waiting]
        self._waiting = []

    def _preflight(self, gateway: Gateway) -> None:
        """The project's own record and the caller's permissions, before anything else."""
        project = self.project
        record = self._ask(PROJECT, partial(project_record, gateway, project.id), lambda one: (project, (one,)))
        rights = [
            self._ask(
                checker.type,
                partial(missing_permissions, gateway, checker.type, project, checker.permissions),
                lambda one: (one,),
                task=permissions_of(checker.type),
            )
            for checker in self._checkers
        ]
        for lacking in self._as_done(rights):
            self.unread += lacking
        for found, unread in self._as_done([record]):
            self.unread += unread
            self.project = gateway.project = found

    def _read_types(self, gateway: Gateway) -> None:
        asset_types = {name: checker.type for checker in self._checkers for name in checker.asset_types}
        self._waiting.append(INVENTORY)
        heard = self._ask(
            INVENTORY,
            partial(hear, gateway, self.project, asset_types, required=self._rules.second_witness),
            lambda one: (Witness(), (one,)),
        )
        enabled = self._ask(
            SERVICES,
            partial(enabled_services, gateway, self.project, asset_types),
            lambda one: Services(None, one.reason),
        )
        tasks = [
            self._ask(checker.type, partial(_read_type, checker, gateway, self.project), partial(_nothing_of, checker))
            for checker in self._checkers
        ]
        for type, resources, unread in self._as_done(tasks):
            self.resources += resources
            self.unread += unread
            self._waiting.remove(type)
        for witness, broken_off in self._as_done([heard]):
            self.witness = witness
            self.unread += [*broken_off, *unseen(self.witness, self.resources, self.unread, self.project, self._rules)]
            self._waiting.remove(INVENTORY)
        self.services = Services(reason=Reason.TIMEOUT)
        for found in self._as_done([enabled], at_most=_COURTESY):
            self.services = found

    def _ask(
        self, about: str, work: Callable[[], T], failed: Callable[[Unread], T], task: str = ""
    ) -> tuple[str, Future[T]] | None:
        """Do `work` on a thread of its own. What it raises leaves unread what it is about, and stops nothing else.
        None for what was not finished in the reading that this one repeats."""

        def guarded() -> T:
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - the boundary to answers that nobody foresaw
                return failed(_failed(about, error))

        before = self._source.course
        name = task or about
        if before is not None and name not in before.finished:
            return None
        return name, self._types.submit(guarded)

    def _as_done(self, tasks: Iterable[tuple[str, Future[T]] | None], at_most: float = math.inf) -> Iterator[T]:
        """What the tasks come to as they finish, until none is left, or the time is up: the run's, or `at_most`
        seconds."""
        gateway = self._gateway
        asked = [*tasks]
        names = {task: name for name, task in filter(None, asked)}
        left = set(names)
        reserve = 0.0 if gateway is None else max(0.0, gateway.seconds_left - at_most)
        while left and gateway is not None and (seconds := gateway.seconds_left - reserve) > 0:
            done, left = wait(left, timeout=min(_TICK, seconds), return_when=FIRST_COMPLETED)
            self._watch(Progress(tuple(self._waiting), len(gateway.calls)))
            for task in done:
                yield task.result()
                self._course = replace(self._course, finished=self._course.finished | {names[task]})
        if None in asked:
            self._end_as_before()


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


def _nothing_of(checker: Checker, unread: Unread) -> tuple[str, list[Resource], list[Unread]]:
    return checker.type, [], [unread]


def _read_item(checker: Checker, item: Item) -> Resource | Unread:
    try:
        read: object = checker.read(item)
        # A third-party checker may return anything, and what is not of its own type has no rules.
        if not isinstance(read, Resource) or read.type != checker.type:
            return _failed(checker.type, TypeError())
        return _with_sources(read, item)
    except ReadError as error:
        return Unread(checker.type, checker.type, error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 - as above, for one item: it hides no other
        return _failed(checker.type, error)


def _with_sources(resource: Resource, item: Item) -> Resource:
    """A placement that does not say where in the evidence it comes from is from the item itself."""
    source = source_of(item.data)
    if source is None or all(place.source for place in resource.placements):
        return resource
    places = (place if place.source else replace(place, source=source) for place in resource.placements)
    return replace(resource, placements=tuple(places))


def _failed(about: str, error: Exception) -> Unread:
    detail = f"reading failed with {type(error).__name__}; please report this"
    return Unread(about, about, Reason.UNEXPECTED_ERROR, detail)
