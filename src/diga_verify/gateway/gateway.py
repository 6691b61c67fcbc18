"""What a checker may ask of Google Cloud, and how it gets an answer that can be trusted to be whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from diga_verify.errors import ReadError
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door, Exchange, exchanging
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.listing import Listed, Method, check_page, check_rows, gathered
from diga_verify.gateway.patience import Patience
from diga_verify.model import Call, Json, Project, Reason, Unread

PAGE_LIMIT = 1_000
ITEM_LIMIT = 200_000
"""A list is given up at so many pages, or items: nobody has that many, and memory has an end."""
CALLS_IN_FLIGHT = 16
"""At most so many calls are under way at once, over all types of a run."""

T = TypeVar("T")
R = TypeVar("R")


class Gateway:
    """Calls to Google Cloud for one run. Safe to use from many threads; no method raises for a failing read."""

    def __init__(
        self,
        door: Door,
        endpoints: Endpoints,
        patience: Patience,
        project: Project,
        *,
        deep: bool,
        agent: str,
        spread: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]],
    ) -> None:
        self.clients = Clients(door, endpoints, agent)
        self.project = project
        """What is known of the project that is asked about: in the beginning its id or number, then its record."""
        self.deep = deep
        """Whether to spend more calls, and permission to run queries, on what list methods do not show."""
        self._patience = patience
        self._spread = spread
        self._run_deadline = patience.clock() + patience.run
        self._type_deadlines: dict[str, float] = {}
        self._calls: list[Call] = []
        self._calls_lock = threading.Lock()
        self._in_flight = threading.BoundedSemaphore(CALLS_IN_FLIGHT)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._run_deadline - self._patience.clock())

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls finished so far, in an order that does not depend on their timing."""
        with self._calls_lock:
            return tuple(sorted(self._calls, key=lambda call: (call.service, call.method, call.scope)))

    def spread(self, read: Callable[[T], Listed], parts: Iterable[T]) -> tuple[Listed, ...]:
        """`read` for every part, concurrently; the answers in the order of the parts."""
        return tuple(self._spread(read, parts))

    def together(self, *asks: Callable[[], Listed]) -> tuple[Listed, ...]:
        """Several independent reads, concurrently; the answers in their order."""
        return self.spread(lambda ask: ask(), asks)

    def get_one(self, method: Method, scope: str, send: Callable[[], object]) -> Listed:
        """The one object that `send` asks for."""
        pages: list[Json] = []
        unread = self._logged(method, scope, pages, lambda: pages.append(self._ask(method, send)))
        return Listed(tuple(pages), unread)

    def list_all(self, method: Method, scope: str, send: Callable[[str | None], object]) -> Listed:
        """All pages of a list; `send` gets the token of the page that it is to ask for, `None` for the first.

        A page that fails ends the list: what came before it is kept, and the rest is unread.
        """
        pages: list[Json] = []
        unread = self._logged(method, scope, pages, lambda: self._turn_pages(method, send, pages))
        listed = gathered(method, scope, pages, self.project)
        return Listed(listed.items, listed.unread + unread)

    def rows(self, method: Method, scope: str, send: Callable[[], Sequence[Json]]) -> Listed:
        """The rows of a query, which the client library puts together from as many requests as it takes."""
        rows: list[Json] = []
        exchange = self._exchange(method)

        def ask() -> None:
            with self._in_flight, exchanging(exchange):
                rows.extend(self._guarded(send, exchange))
            check_rows(exchange.answers, len(rows))

        unread = self._logged(method, scope, exchange.answers, ask)
        return Listed(tuple(rows), unread)

    def _turn_pages(self, method: Method, send: Callable[[str | None], object], pages: list[Json]) -> None:
        """Put one page after the other into `pages`, until the last. Raises ReadError."""
        token: str | None = None
        seen: set[str] = set()
        items = 0
        while True:
            page = self._ask(method, partial(send, token))
            check_page(method, page)
            pages.append(page)
            token = page.get("nextPageToken") or None
            if token is None:
                return
            items += len(page.get(method.items, []))
            if token in seen or len(pages) >= PAGE_LIMIT or items > ITEM_LIMIT:
                raise ReadError(Reason.ENDLESS_PAGING, f"page {len(pages)} leads back, or there is no end to them")
            seen.add(token)

    def _logged(self, method: Method, scope: str, pages: Sequence[Json], ask: Callable[[], None]) -> tuple[Unread, ...]:
        """Do `ask`, which fills `pages`, and put it into the log; what it left unread."""
        started, start = datetime.now(UTC), self._patience.clock()
        status = "ok"
        unread: tuple[Unread, ...] = ()
        try:
            ask()
        except ReadError as error:
            status = error.reason.value
            unread = (self._unread(method, scope, error),)
        duration = round((self._patience.clock() - start) * 1000)
        stamp = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._calls_lock:
            self._calls.append(Call(method.service, method.name, scope, len(pages), status, stamp, duration))
        return unread

    def _unread(self, method: Method, scope: str, error: ReadError) -> Unread:
        detail = error.detail
        off = error.reason is Reason.API_DISABLED
        off_in_project = off and error.consumer is not None and self.project.is_named(error.consumer) is True
        if off and not off_in_project:
            where = f"project {error.consumer}" if error.consumer else "a project that the answer does not name"
            detail = f"{method.service} is off in {where}, which is not proven to be the one verified: {detail}"
        return Unread(method.type, f"{method.name} {scope}", error.reason, detail, off_in_project=off_in_project)

    def _ask(self, method: Method, send: Callable[[], object]) -> Json:
        with self._in_flight, exchanging(self._exchange(method)) as exchange:
            self._guarded(send, exchange)
        if len(exchange.answers) != 1:
            count = len(exchange.answers)
            raise ReadError(Reason.UNEXPECTED_ERROR, f"one request was due, and {count} answers came through the door")
        return exchange.answers[0]

    def _exchange(self, method: Method) -> Exchange:
        with self._calls_lock:
            of_type = self._type_deadlines.setdefault(method.type, self._patience.clock() + self._patience.type)
        return Exchange(self._patience.deadline(min(self._run_deadline, of_type)), method.fields, method.kind)

    def _guarded(self, send: Callable[[], R], exchange: Exchange) -> R:
        try:
            return send()
        except ReadError:
            raise
        except Exception as error:
            # The boundary to the client libraries: whatever one of them makes of an answer is a read that failed.
            reason = Reason.MALFORMED_ANSWER if exchange.answers else Reason.UNEXPECTED_ERROR
            raise ReadError(reason, f"the client library could not read the answer ({type(error).__name__})") from error
