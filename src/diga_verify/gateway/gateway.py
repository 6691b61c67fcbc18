"""What a checker may ask of Google Cloud, and how it gets an answer that can be trusted to be whole."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from diga_verify.errors import ReadError
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.listing import MARKS, PROJECT, Listed, Method, check_page, check_total, gathered
from diga_verify.gateway.mask import kept, tree
from diga_verify.gateway.records import Record, with_sources
from diga_verify.gateway.talk import Talk, Wire
from diga_verify.model import Call, Json, Project, Reason, Unread

PAGE_LIMIT = 1_000
ITEM_LIMIT = 200_000
"""A list is given up at so many pages, or items: nobody has that many, and memory has an end."""

T = TypeVar("T")


class Gateway:
    """Calls to Google Cloud for one run. Safe to use from many threads; no method raises for a failing read."""

    def __init__(
        self,
        wire: Wire,
        clients: Clients,
        project: Project,
        *,
        deep: bool,
        after_restore: bool = False,
        spread: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]],
        keep: bool = False,
    ) -> None:
        """`keep`: whether answers are kept, as evidence."""
        self.clients = clients
        self.deep = deep
        """Whether to spend more calls, and permission to run queries, on what list methods do not show."""
        self.after_restore = after_restore
        """Whether to ask what a run after a restore has to prove (`--after-restore`)."""
        self._wire = wire
        self._spread = spread
        self._keep = keep
        self._names: Counter[str] = Counter()
        self._records: list[Record] = []
        self._lock = threading.Lock()
        self._project = project
        self._introduced = threading.Event()
        self._introduced.set()

    @property
    def project(self) -> Project:
        """What is known of the project that is asked about: its record. While that is on its way, this waits."""
        self._introduced.wait(self.seconds_left)
        return self._project

    @project.setter
    def project(self, project: Project) -> None:
        self._project = project
        self._introduced.set()

    def expect_project(self) -> None:
        """The project's record is being asked for: somebody is going to set `project`."""
        self._introduced.clear()

    @property
    def seconds_left(self) -> float:
        return self._wire.seconds_left

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls finished so far, in an order that does not depend on their timing."""
        return tuple(record.call for record in self.records)

    @property
    def finished(self) -> int:
        """How many calls are finished so far."""
        return len(self._records)

    @property
    def records(self) -> tuple[Record, ...]:
        """The calls finished so far, in the same order, with what was asked and answered if that is kept."""
        with self._lock:
            return in_order(self._records)

    def spread(self, read: Callable[[T], Listed], parts: Iterable[T]) -> Iterable[Listed]:
        """`read` for every part, concurrently; the answers in the order of the parts, each as soon as it is there: with
        the first, more can be asked while others are still on their way."""
        return self._spread(read, parts)

    def together(self, *asks: Callable[[], Listed]) -> tuple[Listed, ...]:
        """Several independent reads, concurrently; the answers in their order."""
        return tuple(self.spread(lambda ask: ask(), asks))

    def get_one(self, method: Method, scope: str, send: Callable[[], object]) -> Listed:
        """The one object that `send` asks for."""
        pages: list[Json] = []

        def hold(talk: Talk) -> None:
            self._take(talk, method, _masked(method, talk.ask(send)), pages)

        unread = self._held(method, scope, pages, hold)
        return Listed(tuple(pages), unread)

    def list_all(self, method: Method, scope: str, send: Callable[[str | None], object]) -> Listed:
        """All pages of a list; `send` gets the token of the page that it is to ask for, `None` for the first.

        A page that fails ends the list: what came before it is kept, and the rest is unread.
        """
        pages: list[Json] = []
        unread = self._held(method, scope, pages, lambda talk: self._turn_pages(talk, method, send, pages))
        listed = gathered(method, scope, pages, self.project)
        return Listed(listed.items, listed.unread + unread)

    def rows(self, method: Method, scope: str, send: Callable[[], Sequence[Json]]) -> Listed:
        """The rows of a query, which the client library puts together from as many requests as it takes."""
        pages: list[Json] = []
        of_rows = replace(method, items="rows")

        def hold(talk: Talk) -> None:
            self._take(talk, of_rows, {"rows": list(talk.query(send))}, pages)

        unread = self._held(method, scope, pages, hold)
        return Listed(tuple(row for page in pages for row in page["rows"]), unread)

    def _turn_pages(self, talk: Talk, method: Method, send: Callable[[str | None], object], pages: list[Json]) -> None:
        """Put one page after the other into `pages`, until the last. Raises ReadError."""
        token: str | None = None
        seen: set[str] = set()
        items = 0
        while True:
            page = talk.ask(partial(send, token))
            check_page(method, page)
            self._take(talk, method, _masked(method, page), pages)
            token = page.get("nextPageToken") or None
            if token is None:
                check_total(method, pages)
                return
            items += len(page.get(method.items, []))
            if token in seen or len(pages) >= PAGE_LIMIT or items > ITEM_LIMIT:
                raise ReadError(Reason.ENDLESS_PAGING, f"page {len(pages)} leads back, or there is no end to them")
            seen.add(token)

    def _take(self, talk: Talk, method: Method, page: Json, pages: list[Json]) -> None:
        pages.append(with_sources(page, method.items, talk.name, len(pages)) if self._keep else page)

    def _held(self, method: Method, scope: str, pages: list[Json], hold: Callable[[Talk], None]) -> tuple[Unread, ...]:
        """A call, which fills `pages`, from its beginning to its place among the records; what it left unread."""
        talk = self._wire.begin(method, scope, self._name(method, scope))
        error: ReadError | None = None
        try:
            hold(talk)
            talk.hang_up()
        except ReadError as failure:
            error = failure
        record = talk.record(pages, error)
        with self._lock:
            self._records.append(record if self._keep else Record(record.name, record.call))
        return () if error is None else (self._unread(method, scope, error),)

    def _name(self, method: Method, scope: str) -> str:
        name = f"{method.name} {scope}"
        with self._lock:
            self._names[name] += 1
            return name if self._names[name] == 1 else f"{name} #{self._names[name]}"

    def _unread(self, method: Method, scope: str, error: ReadError) -> Unread:
        detail = error.detail
        off = error.reason is Reason.API_DISABLED
        off_in_project = off and error.consumer is not None and self._is_named(method, error.consumer)
        if off and not off_in_project:
            where = f"project {error.consumer}" if error.consumer else "a project that the answer does not name"
            detail = f"{method.service} is off in {where}, which is not proven to be the one verified: {detail}"
        return Unread(method.type, f"{method.name} {scope}", error.reason, detail, off_in_project=off_in_project)

    def _is_named(self, method: Method, consumer: str) -> bool:
        # Who asks for the record does not wait for it.
        project = self._project if method.type == PROJECT else self.project
        return project.is_named(consumer) is True


def in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Records as reports list them: by service, method and scope."""
    return tuple(sorted(records, key=lambda one: (one.call.service, one.call.method, one.call.scope, one.name)))


def _masked(method: Method, answer: Json) -> Json:
    """What the answer says of what was asked for. What it says of its own gaps is never dropped."""
    return answer if method.fields is None else kept(answer, tree(method.fields), (*MARKS, "nextPageToken"))
