"""Reading a project: every type at once, until all is read or the time is up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from diga_verify.checkers.interface import Checker, permissions
from diga_verify.errors import Interrupted, ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import PROJECT
from diga_verify.gateway.records import Record
from diga_verify.gateway.resource_manager import missing_permissions, project_record
from diga_verify.model import Project, Reason, Resource, Unread, Witness
from diga_verify.one_type import OfType, nothing_of, read_type, unforeseen
from diga_verify.policy.rules import Rules
from diga_verify.second_witness import INVENTORY, hear, unseen
from diga_verify.services import NOT_ASKED, SERVICES, Services, enabled_services
from diga_verify.threads import Spread, Threads

T = TypeVar("T")
Task = tuple[str, Future[T]] | None
"""A task and its name; None for one that was not finished in the reading that this one repeats."""
_TICK = 0.2
"""Seconds between two looks at a run that waits."""
_COURTESY = 5.0
"""Seconds that a run waits for what changes no verdict."""


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
        # Each type and its permissions; the project's record, the second witness and the services.
        self._threads = Threads(2 * len(checkers) + 3)

    @property
    def records(self) -> tuple[Record, ...]:
        return () if self._gateway is None else self._gateway.records

    @property
    def course(self) -> Course:
        return self._course

    def read(self) -> None:
        """Read everything in scope. What is not read in the end is in `unread`."""
        try:
            self._gateway = gateway = self._source.open(self.project, self._threads.spread)
            self._read_all(gateway)
            self._end_as_before()
        except ReadError as error:
            self._course = replace(self._course, stopped=error)
            self._give_up(error.reason, error.detail)
        except Interrupted as error:
            self._course = replace(self._course, interrupted_by=error.signal)
            self._give_up(Reason.INTERRUPTED, "the run was interrupted before this was read")
        self._give_up(Reason.TIMEOUT, "the run's time was up before this was read; see --deadline")

    def stop(self) -> None:
        """Begin nothing more, and wait for nothing."""
        self._threads.stop()

    def _end_as_before(self) -> None:
        before = self._source.course
        if before is not None and before.interrupted_by is not None:
            raise Interrupted(before.interrupted_by)

    def _give_up(self, reason: Reason, detail: str) -> None:
        self.unread += [Unread(type, type, reason, detail) for type in self._waiting]
        self._waiting = []

    def _read_all(self, gateway: Gateway) -> None:
        """Everything at once. But nothing of a type counts before the project's own record and the caller's
        permissions, by which alone a list can be taken for the whole."""
        record = self._ask_for_project(gateway)
        if self.project.id.isdigit():
            self._take_project(record)  # all other questions want its id
        rights = [self._ask_for_permissions(gateway, checker) for checker in self._checkers]
        asset_types = {name: checker.type for checker in self._checkers for name in checker.asset_types}
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
        types = [self._ask_for_type(gateway, checker) for checker in _longest_first(self._checkers)]
        self._take_project(record)
        for lacking in self._as_done(rights):
            self.unread += lacking
        self._waiting.append(INVENTORY)
        self._take_types(types)
        self._take_witness(heard)
        self.services = Services(reason=Reason.TIMEOUT)
        for found in self._as_done([enabled], at_most=_COURTESY):
            self.services = found

    def _ask_for_project(self, gateway: Gateway) -> Task[tuple[Project, tuple[Unread, ...]]]:
        project = self.project

        def introduced() -> tuple[Project, tuple[Unread, ...]]:
            found: Project = project
            try:
                found, unread = project_record(gateway, project.id)
            finally:
                gateway.project = found
            return found, unread

        gateway.expect_project()
        asked = self._ask(PROJECT, introduced, lambda one: (project, (one,)))
        if asked is None:
            gateway.project = project
        return asked

    def _ask_for_permissions(self, gateway: Gateway, checker: Checker) -> Task[tuple[Unread, ...]]:
        needed = permissions(checker, after_restore=gateway.after_restore)
        return self._ask(
            checker.type,
            partial(missing_permissions, gateway, checker.type, self.project, needed),
            lambda one: (one,),
            task=permissions_of(checker.type),
        )

    def _ask_for_type(self, gateway: Gateway, checker: Checker) -> Task[OfType]:
        return self._ask(checker.type, partial(read_type, checker, gateway, self.project), partial(nothing_of, checker))

    def _take_project(self, record: Task[tuple[Project, tuple[Unread, ...]]]) -> None:
        if PROJECT not in self._course.finished:
            for found, unread in self._as_done([record]):
                self.project = found
                self.unread += unread

    def _take_types(self, types: Iterable[Task[OfType]]) -> None:
        for type, resources, unread in self._as_done(types):
            self.resources += resources
            self.unread += unread
            self._waiting.remove(type)

    def _take_witness(self, heard: Task[tuple[Witness, tuple[Unread, ...]]]) -> None:
        for witness, broken_off in self._as_done([heard]):
            self.witness = witness
            self.unread += [*broken_off, *unseen(witness, self.resources, self.unread, self.project, self._rules)]
            self._waiting.remove(INVENTORY)

    def _ask(self, about: str, work: Callable[[], T], failed: Callable[[Unread], T], task: str = "") -> Task[T]:
        """Begin to do `work`. What it raises leaves unread what it is about, and stops nothing else."""
        before = self._source.course
        name = task or about
        if before is not None and name not in before.finished:
            return None
        return name, self._threads.begin(work, lambda error: failed(unforeseen(about, error)))

    def _as_done(self, tasks: Iterable[Task[T]], at_most: float = math.inf) -> Iterator[T]:
        """What the tasks come to as they finish, until none is left, or the time is up: the run's, or `at_most`
        seconds."""
        gateway = self._gateway
        asked = [*tasks]
        names = {task: name for name, task in filter(None, asked)}
        left = set(names)
        reserve = 0.0 if gateway is None else max(0.0, gateway.seconds_left - at_most)
        while left and gateway is not None and (seconds := gateway.seconds_left - reserve) > 0:
            done, left = wait(left, timeout=min(_TICK, seconds), return_when=FIRST_COMPLETED)
            self._watch(Progress(tuple(self._waiting), gateway.finished))
            for task in done:
                yield task.result()
                self._course = replace(self._course, finished=self._course.finished | {names[task]})
        if None in asked:
            self._end_as_before()


def _longest_first(checkers: Sequence[Checker]) -> Iterable[Checker]:
    """Cloud KMS, the last of the built-in types, has the longest chain of calls that wait for each other."""
    return reversed(checkers)
